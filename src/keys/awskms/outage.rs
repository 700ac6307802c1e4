//! Since when a key fails, so that callers do not wait one after the other for a KMS
//! that is away.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::retry;
use crate::call::Call;
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::error::{Error, ErrorCode, Result};
use crate::fork::{OfProcess, PerProcess};
use crate::keys::{Health, HealthState};

/// The pause after the first failure; doubled with each try that fails.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The time of a try while KMS is away.
const TRY_TIME: Duration = Duration::from_secs(3);
/// A call that had less time than this says nothing of KMS when it runs out.
const TELLING_TIME: Duration = Duration::from_secs(1);
/// The longest wish of KMS to be left alone that is granted.
const LONGEST_WISH: Duration = Duration::from_secs(30);

/// How one key is doing, as far as its signatures tell.
#[derive(Debug, Default)]
pub(super) struct Outage(PerProcess<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    signatures: u64,
    last_signature: Option<UnixTime>,
    failing: Option<Failing>,
}

#[derive(Debug)]
struct Failing {
    since: UnixTime,
    error: Error,
    /// Tries that failed after the first failure.
    tries: u32,
    next_try: Instant,
}

/// How a caller may ask KMS.
#[derive(Debug)]
pub(super) enum Admission {
    /// As always.
    Usual,
    /// Once and for a short time, to see whether KMS is back.
    Try(Call),
}

impl Outage {
    /// Lets the caller to KMS, unless that is away and it is not time for a try.
    ///
    /// # Errors
    /// `KMS_UNAVAILABLE` or `KMS_THROTTLED` with `retry_after`.
    pub(super) fn admit(&self, what: &str, call: &Call) -> Result<Admission> {
        let state = self.of_process();
        let mut state = lock(&state);
        let Some(failing) = &mut state.failing else {
            return Ok(Admission::Usual);
        };
        if !is_away(&failing.error) {
            return Ok(Admission::Usual);
        }
        let now = Instant::now();
        if now < failing.next_try {
            return Err(failing.refusal(what, failing.next_try - now));
        }
        // The others are refused meanwhile, also when this one does not come back.
        failing.next_try = now + TRY_TIME;
        let time = call.remaining(TRY_TIME, what)?.min(TRY_TIME);
        let bounds = Call::within(time);
        Ok(Admission::Try(match call.cancel() {
            Some(cancel) => bounds.with_cancel(cancel.clone()),
            None => bounds,
        }))
    }

    /// Takes down how a signature came out that was begun at `begin`.
    pub(super) fn note<T>(&self, outcome: &Result<T>, begin: Instant, admission: &Admission) {
        let state = self.of_process();
        let mut state = lock(&state);
        match outcome {
            Ok(_) => {
                state.signatures += 1;
                state.last_signature = Some(SystemClock.now());
                state.failing = None;
            }
            Err(error) if is_callers(error, begin) => {}
            Err(error) => state.fail(error, matches!(admission, Admission::Try(_))),
        }
    }

    /// Not ready from a failure until the next try is due, so that a client tries its
    /// other keys first, and this one again after a while.
    pub(super) fn health(&self) -> Health {
        let state = self.of_process();
        let state = lock(&state);
        let mut health = Health::ready();
        health.signatures = Some(state.signatures);
        health.last_signature = state.last_signature.map(UnixTime::seconds);
        if let Some(failing) = &state.failing {
            if Instant::now() < failing.next_try {
                health.state = HealthState::Unavailable;
            }
            health.problem = Some(format!(
                "failing since {}: {}",
                failing.since,
                failing.error.message()
            ));
        }
        health
    }

    fn of_process(&self) -> std::sync::Arc<OfProcess<Mutex<State>>> {
        self.0.get(|_| Mutex::default())
    }
}

impl State {
    fn fail(&mut self, error: &Error, is_try: bool) {
        let now = Instant::now();
        let failing = self.failing.get_or_insert_with(|| Failing {
            since: SystemClock.now(),
            error: error.duplicate(),
            tries: 0,
            next_try: now,
        });
        failing.error = error.duplicate();
        // Many that fail at once are one failure.
        if is_try {
            failing.tries = failing.tries.saturating_add(1);
        } else if now < failing.next_try {
            return;
        }
        let wish = error.details().retry_after.unwrap_or_default();
        let pause = retry::pause(FIRST_PAUSE, failing.tries);
        failing.next_try = now + pause.max(wish.min(LONGEST_WISH));
    }
}

impl Failing {
    fn refusal(&self, what: &str, wait: Duration) -> Error {
        let code = match self.error.code() {
            ErrorCode::KmsThrottled => ErrorCode::KmsThrottled,
            _ => ErrorCode::KmsUnavailable,
        };
        let message = format!(
            "{what}: failing since {} and not asked; the next try is in {} ms. Last: {}",
            self.since,
            wait.as_millis().max(1),
            self.error.message()
        );
        Error::new(code, message)
            .with_retryable(true)
            .with_details(|details| details.retry_after = Some(wait))
    }
}

/// True when no other request would fare better now.
fn is_away(error: &Error) -> bool {
    use ErrorCode::*;
    matches!(
        error.code(),
        Network | Tls | Timeout | KmsThrottled | KmsUnavailable
    )
}

/// True when the caller ended it, and KMS may be well.
fn is_callers(error: &Error, begin: Instant) -> bool {
    match error.code() {
        ErrorCode::Cancelled => true,
        ErrorCode::Timeout => begin.elapsed() < TELLING_TIME,
        _ => false,
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> Result<()> {
        Err(Error::new(ErrorCode::Network, "no route").with_retryable(true))
    }

    fn make_due(outage: &Outage) {
        let state = outage.of_process();
        lock(&state).failing.as_mut().unwrap().next_try = Instant::now();
    }

    fn refused(outage: &Outage) -> Error {
        outage.admit("signing", &Call::none()).unwrap_err()
    }

    #[test]
    fn one_caller_tries_when_it_is_due_and_a_success_ends_it() {
        let outage = Outage::default();
        let usual = outage.admit("signing", &Call::none()).unwrap();
        outage.note(&away(), Instant::now(), &usual);
        assert_eq!(outage.health().state, HealthState::Unavailable);
        let error = refused(&outage);
        assert_eq!(error.code(), ErrorCode::KmsUnavailable);
        assert!(error.message().contains("no route"), "{error}");
        assert!(error.details().retry_after.unwrap() <= FIRST_PAUSE);
        make_due(&outage);
        let health = outage.health();
        assert_eq!(health.state, HealthState::Ready, "its turn comes by itself");
        assert!(health.problem.unwrap().starts_with("failing since"));
        let attempt = outage.admit("signing", &Call::none()).unwrap();
        let Admission::Try(bounds) = &attempt else {
            panic!("{attempt:?}");
        };
        assert!(bounds.remaining(Duration::MAX, "signing").unwrap() <= TRY_TIME);
        refused(&outage);
        outage.note(&Ok(()), Instant::now(), &attempt);
        assert!(matches!(
            outage.admit("signing", &Call::none()),
            Ok(Admission::Usual)
        ));
        assert_eq!(outage.health().problem, None);
        assert_eq!(outage.health().signatures, Some(1));
    }

    #[test]
    fn pauses_grow_with_tries_not_with_callers() {
        let outage = Outage::default();
        for _ in 0..20 {
            outage.note(&away(), Instant::now(), &Admission::Usual);
        }
        assert!(refused(&outage).details().retry_after.unwrap() <= FIRST_PAUSE);
        for _ in 0..20 {
            make_due(&outage);
            let attempt = outage.admit("signing", &Call::none()).unwrap();
            outage.note(&away(), Instant::now(), &attempt);
        }
        let wait = refused(&outage).details().retry_after.unwrap();
        assert!(
            wait > FIRST_PAUSE && wait <= Duration::from_secs(5),
            "{wait:?}"
        );
    }

    #[test]
    fn the_wish_of_kms_is_granted_in_bounds() {
        for (wish, granted) in [(10, 10), (86_400, 30)] {
            let outage = Outage::default();
            let error = Error::new(ErrorCode::KmsThrottled, "slow down")
                .with_details(|details| details.retry_after = Some(Duration::from_secs(wish)));
            outage.note::<()>(&Err(error), Instant::now(), &Admission::Usual);
            let refused = refused(&outage);
            assert_eq!(refused.code(), ErrorCode::KmsThrottled);
            let wait = refused.details().retry_after.unwrap().as_secs_f32();
            assert!((wait - granted as f32).abs() < 2.0, "{wait}");
        }
    }

    #[test]
    fn what_the_caller_ended_is_no_failure_and_a_refusal_is_asked_again() {
        let outage = Outage::default();
        for code in [ErrorCode::Timeout, ErrorCode::Cancelled] {
            let ended: Result<()> = Err(Error::new(code, "over"));
            outage.note(&ended, Instant::now(), &Admission::Usual);
            assert_eq!(outage.health().problem, None, "{code:?}");
        }
        let disabled: Result<()> = Err(Error::new(ErrorCode::KmsDisabled, "disabled"));
        outage.note(&disabled, Instant::now(), &Admission::Usual);
        assert_eq!(outage.health().state, HealthState::Unavailable);
        assert!(matches!(
            outage.admit("signing", &Call::none()),
            Ok(Admission::Usual)
        ));
    }
}
