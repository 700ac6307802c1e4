//! State that a forked child must not share with its parent.

use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

/// A value of which each process has its own.
///
/// A child inherits its parent's memory, with locks held by threads that it does
/// not have and sockets that are not its own. So a value with such things in it
/// is looked up here, without a lock, and the child makes a new one out of what
/// it may keep of the old. The old one is never dropped in the child.
#[derive(Debug)]
pub(crate) struct PerProcess<T>(ArcSwapOption<OfProcess<T>>);

/// A value and the process that made it.
#[derive(Debug)]
pub(crate) struct OfProcess<T> {
    pid: u32,
    value: T,
}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(ArcSwapOption::const_empty())
    }

    /// This process's value. `make` makes it at the first use, from the parent's
    /// value if there is one; it must take none of that value's locks.
    pub(crate) fn get(&self, make: impl Fn(Option<&T>) -> T) -> Arc<OfProcess<T>> {
        let pid = std::process::id();
        loop {
            let current = self.0.load_full();
            if let Some(current) = &current
                && current.pid == pid
            {
                return Arc::clone(current);
            }
            let value = make(current.as_deref().map(Deref::deref));
            let made = Some(Arc::new(OfProcess { pid, value }));
            self.0.compare_and_swap(&current, made);
            std::mem::forget(current);
        }
    }
}

impl<T> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.load_full()
            && value.pid != std::process::id()
        {
            std::mem::forget(value);
        }
    }
}

impl<T> Deref for OfProcess<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
