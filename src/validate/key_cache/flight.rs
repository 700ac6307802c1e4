//! One fetch of the issuer's keys, and those who wait for it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::call::{Call, timed_out};
use crate::error::Result;

/// A transport of the program's own may never come back; a fetch that is late by this much
/// is left behind.
const LEFT_BEHIND_AFTER: Duration = Duration::from_secs(5);

pub(super) const WAITING: &str = "waiting for the issuer's keys";

/// One fetch under way.
#[derive(Debug)]
pub(super) struct Flight {
    is_over: Mutex<bool>,
    over: Condvar,
    until: Instant,
}

impl Flight {
    /// A fetch that begins now, and may take `timeout`.
    pub(super) fn lasting(timeout: Duration) -> Self {
        Self {
            is_over: Mutex::new(false),
            over: Condvar::new(),
            until: Instant::now() + timeout + LEFT_BEHIND_AFTER,
        }
    }

    /// True when it takes so long that nobody should wait for it.
    pub(super) fn hangs(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Waits for the end of the fetch, which goes on without those who left.
    ///
    /// # Errors
    /// `TIMEOUT`, also when the fetch hangs, and `CANCELLED`.
    pub(super) fn wait(self: &Arc<Self>, call: &Call) -> Result<()> {
        let wake = Arc::clone(self);
        let _subscription = call.cancel().map(|cancel| {
            cancel.subscribe(Arc::new(move || {
                // A waiter that has just looked is waiting once the lock can be had.
                drop(wake.lock());
                wake.over.notify_all();
            }))
        });
        let mut is_over = self.lock();
        while !*is_over {
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(timed_out(WAITING));
            }
            let wait = call.remaining(left, WAITING)?.min(left);
            let waited = self.over.wait_timeout(is_over, wait);
            is_over = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Lets everybody go on.
    pub(super) fn end(&self) {
        *self.lock() = true;
        self.over.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
