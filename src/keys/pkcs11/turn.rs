//! A lock that nobody waits for longer than his call lasts: its holder may hang
//! inside the module.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use super::lock::lock;
use crate::call::{Call, timed_out};
use crate::error::Result;

/// How long a call without a deadline waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a waiter looks whether its call was cancelled.
const LOOK: Duration = Duration::from_millis(50);

/// The right to do something that only one thread may do at a time.
#[derive(Default)]
pub(super) struct Turn {
    taken: Mutex<bool>,
    given_back: Condvar,
}

impl Turn {
    /// Waits for the turn.
    ///
    /// # Errors
    /// `TIMEOUT` when the call's time, 30 seconds by default, runs out first;
    /// `CANCELLED`. `what` says what is waited for.
    pub fn take(&self, call: &Call, what: &str) -> Result<Taken<'_>> {
        let end = Instant::now() + PATIENCE;
        let mut taken = lock(&self.taken);
        while *taken {
            let left = call.remaining(PATIENCE, what)?;
            let left = left.min(end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(timed_out(what));
            }
            taken = match self.given_back.wait_timeout(taken, left.min(LOOK)) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        *taken = true;
        Ok(Taken(self))
    }

    /// True while somebody has the turn.
    pub fn is_taken(&self) -> bool {
        *lock(&self.taken)
    }
}

/// Gives the turn back when dropped.
pub(super) struct Taken<'a>(&'a Turn);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *lock(&self.0.taken) = false;
        self.0.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::CancelToken;
    use crate::error::ErrorCode;

    fn code(outcome: Result<Taken<'_>>) -> ErrorCode {
        outcome.err().unwrap().code()
    }

    #[test]
    fn is_waited_for_no_longer_than_the_call_lasts() {
        let turn = Turn::default();
        let held = turn.take(&Call::none(), "a test").unwrap();
        let short = Call::within(Duration::from_millis(5));
        assert_eq!(code(turn.take(&short, "a test")), ErrorCode::Timeout);
        let cancel = CancelToken::new();
        let call = Call::none().with_cancel(cancel.clone());
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| code(turn.take(&call, "a test")));
            cancel.trigger();
            assert_eq!(waiter.join().unwrap(), ErrorCode::Cancelled);
        });
        drop(held);
        assert!(!turn.is_taken());
        assert!(turn.take(&Call::none(), "a test").is_ok());
    }
}
