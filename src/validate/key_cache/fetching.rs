//! What is being done to have the issuer's keys.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::super::refusal::undecided;
use super::flight::{Flight, WAITING};
use crate::call::timed_out;
use crate::clock::Moment;
use crate::error::{Error, ErrorCode, Result};

/// So many threads may hang in a transport that never comes back; no more are started until
/// one does.
const MAX_THREADS: usize = 8;

/// The fetches of one process.
#[derive(Debug, Default)]
pub(super) struct Fetching {
    flight: Option<Arc<Flight>>,
    /// Flights that have not landed, with those that hang.
    in_the_air: usize,
    /// When the last fetch began.
    pub(super) tried_at: Option<Moment>,
    /// When the last one began that a token caused which no known key has signed.
    pub(super) demanded_at: Option<Moment>,
    /// Why the last one failed.
    pub(super) failure: Option<Error>,
}

impl Fetching {
    pub(super) fn lock(own: &Mutex<Self>) -> MutexGuard<'_, Self> {
        own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fetch under way, unless it hangs.
    pub(super) fn under_way(&self) -> Option<Arc<Flight>> {
        let flight = self.flight.as_ref()?;
        (!flight.hangs()).then(|| Arc::clone(flight))
    }

    /// A new fetch, which begins at `now` and may take `timeout`.
    ///
    /// # Errors
    /// `JWKS_UNAVAILABLE` when too many hang.
    pub(super) fn take_off(&mut self, now: Moment, timeout: Duration) -> Result<Arc<Flight>> {
        if self.in_the_air >= MAX_THREADS {
            return Err(undecided(
                ErrorCode::JwksUnavailable,
                format!(
                    "reading the issuer's keys: {MAX_THREADS} requests for them hang in the program's own transport, \
                     which must come back at the call's deadline"
                ),
            )
            .with_retryable(true));
        }
        let flight = Arc::new(Flight::lasting(timeout));
        self.flight = Some(Arc::clone(&flight));
        self.in_the_air += 1;
        self.tried_at = Some(now);
        Ok(flight)
    }

    /// The end of `flight`. False when it was left behind and another began meanwhile, so
    /// that what it brings is old.
    pub(super) fn land(&mut self, flight: &Arc<Flight>) -> bool {
        self.in_the_air -= 1;
        let is_last = self
            .flight
            .as_ref()
            .is_some_and(|last| Arc::ptr_eq(last, flight));
        if is_last {
            self.flight = None;
        }
        is_last
    }

    /// Why the last fetch failed, if it began less than `millis` ago.
    pub(super) fn failed_within(&self, millis: i64, now: Moment) -> Option<Error> {
        let tried_at = self.tried_at?;
        let failure = self.failure.as_ref()?;
        (now.millis_since(tried_at) < millis).then(|| failure.duplicate())
    }

    /// Why the fetch failed that was waited for.
    pub(super) fn why_failed(&self) -> Error {
        match &self.failure {
            Some(failure) => failure.duplicate(),
            None => timed_out(WAITING),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);

    #[test]
    fn fetches_that_hang_are_bounded() {
        let mut fetching = Fetching::default();
        let now = Moment::new(0, 0);
        let flights: Vec<_> = (0..MAX_THREADS)
            .map(|_| fetching.take_off(now, TIMEOUT).unwrap())
            .collect();
        let error = fetching.take_off(now, TIMEOUT).unwrap_err();
        assert_eq!(error.code(), ErrorCode::JwksUnavailable);
        assert_eq!(error.details().http_status, Some(503));
        fetching.land(&flights[3]);
        fetching.take_off(now, TIMEOUT).unwrap();
        fetching.take_off(now, TIMEOUT).unwrap_err();
    }

    #[test]
    fn what_was_left_behind_is_told_from_the_last() {
        let mut fetching = Fetching::default();
        let now = Moment::new(0, 0);
        let first = fetching.take_off(now, TIMEOUT).unwrap();
        let second = fetching.take_off(now, TIMEOUT).unwrap();
        assert!(!fetching.land(&first));
        assert!(Arc::ptr_eq(&fetching.under_way().unwrap(), &second));
        assert!(fetching.land(&second));
        assert!(fetching.under_way().is_none());
    }
}
