//! Counts the calls inside a module, so that it can be finalized when there are
//! none: `C_Finalize` with another call in flight crashes the process.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use super::lock::lock;

/// Open at first.
#[derive(Default)]
pub(super) struct Gate {
    /// `CLOSED`, plus `CALL` for each call inside.
    state: AtomicUsize,
    empty: Mutex<()>,
    emptied: Condvar,
}

const CLOSED: usize = 1;
const CALL: usize = 2;

impl Gate {
    /// Enters, unless the gate is closed.
    pub fn enter(&self) -> Option<Inside<'_>> {
        let inside = Inside(self);
        let before = self.state.fetch_add(CALL, Ordering::SeqCst);
        (before & CLOSED == 0).then_some(inside)
    }

    pub fn is_closed(&self) -> bool {
        self.state.load(Ordering::SeqCst) & CLOSED != 0
    }

    /// Lets callers in again.
    pub fn reopen(&self) {
        self.state.fetch_and(!CLOSED, Ordering::SeqCst);
    }

    /// Lets nobody in any more. True when nobody is inside after at most
    /// `timeout`.
    pub fn close(&self, timeout: Duration) -> bool {
        self.state.fetch_or(CLOSED, Ordering::SeqCst);
        let start = Instant::now();
        let mut empty = lock(&self.empty);
        while self.state.load(Ordering::SeqCst) != CLOSED {
            let Some(left) = timeout.checked_sub(start.elapsed()) else {
                return false;
            };
            empty = match self.emptied.wait_timeout(empty, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        true
    }
}

/// Proof that a call is inside; leaves when dropped.
pub(super) struct Inside<'a>(&'a Gate);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if self.0.state.fetch_sub(CALL, Ordering::SeqCst) == CLOSED | CALL {
            drop(lock(&self.0.empty));
            self.0.emptied.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closes_when_the_last_call_has_left() {
        let gate = Gate::default();
        let inside = gate.enter().unwrap();
        assert!(!gate.close(Duration::ZERO), "somebody is inside");
        assert!(gate.enter().is_none(), "closed while waiting");
        std::thread::scope(|scope| {
            let closer = scope.spawn(|| gate.close(Duration::from_secs(60)));
            drop(inside);
            assert!(closer.join().unwrap());
        });
        assert!(gate.enter().is_none());
        assert!(gate.close(Duration::ZERO));
        gate.reopen();
        assert!(gate.enter().is_some());
    }
}
