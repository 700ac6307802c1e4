//! When AWS is asked again: after failures that pass, with growing pauses, while
//! the call lasts.

use std::time::Duration;

use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};

/// The most times one request is sent.
const TRIES: u32 = 5;

/// The time of one try when the call has no deadline.
const DEFAULT_TIME: Duration = Duration::from_secs(10);

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Counts the tries of one request.
#[derive(Debug, Default)]
pub(super) struct Tries {
    failures: u32,
}

impl Tries {
    /// One try alone.
    pub(super) fn one() -> Self {
        Self {
            failures: TRIES - 1,
        }
    }

    /// The bounds of the next try: half of the time left, but for the last one, so
    /// that one that hangs leaves time for another.
    pub(super) fn bounds(&self, call: &Call) -> Call {
        let left = TRIES.saturating_sub(self.failures).min(2);
        call.share(left as usize, DEFAULT_TIME)
    }

    /// Waits until the request may be sent again after `error`.
    ///
    /// # Errors
    /// `error` itself when it will not pass, was the last one, AWS wishes to be left
    /// alone for long, or the call's time does not allow another try; `CANCELLED`.
    pub(super) fn wait(&mut self, error: Error, call: &Call) -> Result<()> {
        self.failures += 1;
        let passes = error.retryable() && error.code() != ErrorCode::Cancelled;
        if !passes || self.failures >= TRIES {
            return Err(error);
        }
        let pause = pause(FIRST_PAUSE, self.failures - 1);
        let pause = match error.details().retry_after {
            Some(wish) if wish > LONGEST_PAUSE => return Err(error),
            Some(wish) => pause.max(wish),
            None => pause,
        };
        match call.pause(pause, "waiting for another try at AWS") {
            Err(over) if over.code() == ErrorCode::Cancelled => Err(over),
            Err(_) => Err(error),
            Ok(()) => Ok(()),
        }
    }
}

/// Runs `work` until it succeeds or fails for good.
pub(super) fn run<T>(call: &Call, mut work: impl FnMut(&Call) -> Result<T>) -> Result<T> {
    let mut tries = Tries::default();
    loop {
        match work(&tries.bounds(call)) {
            Ok(done) => return Ok(done),
            Err(error) => tries.wait(error, call)?,
        }
    }
}

/// `first`, doubled with each failure, at most five seconds, of which a random half
/// to whole is waited.
pub(super) fn pause(first: Duration, failures_before: u32) -> Duration {
    let doubled = first.saturating_mul(1 << failures_before.min(20));
    let whole = doubled.min(LONGEST_PAUSE);
    whole.mul_f64(0.5 + fastrand::f64() / 2.0)
}
