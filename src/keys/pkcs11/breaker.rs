//! Fails at once while a token does not answer, and lets one caller at a time try
//! whether it does again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::lock::lock;
use super::slot::TokenName;
use crate::error::{Error, ErrorCode, Result};
use crate::jitter;
use crate::keys::health::HealthState;

/// The first pause between two tries.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest. A token that is back is found within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long to wait for somebody else's try, at the least.
const SOON: Duration = Duration::from_millis(10);

/// Closed while all is well.
#[derive(Default)]
pub(super) struct Breaker {
    is_open: AtomicBool,
    outage: Mutex<Option<Outage>>,
}

/// Why and since when a token is not used.
struct Outage {
    code: ErrorCode,
    problem: String,
    since: Instant,
    failures: u32,
    is_retryable: bool,
    next_try: Instant,
    /// Who is trying.
    trial: Option<Trial>,
}

/// Tells one try from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trial(u64);

impl Breaker {
    /// Lets the caller to the token, unless it is out of order and it is not time
    /// for a try.
    ///
    /// # Errors
    /// `TOKEN_UNAVAILABLE` with `retry_after`; `RESTART_REQUIRED` or what is wrong
    /// with the PIN when that is the reason.
    pub fn admit(self: &Arc<Self>, token: &TokenName) -> Result<Pass> {
        let mut pass = Pass {
            breaker: Arc::clone(self),
            trial: None,
        };
        if !self.is_open.load(Ordering::SeqCst) {
            return Ok(pass);
        }
        let mut outage = lock(&self.outage);
        let Some(outage) = outage.as_mut() else {
            return Ok(pass);
        };
        let now = Instant::now();
        if now >= outage.next_try && outage.trial.is_none() {
            static TRIALS: AtomicU64 = AtomicU64::new(0);
            let trial = Trial(TRIALS.fetch_add(1, Ordering::Relaxed));
            outage.trial = Some(trial);
            pass.trial = Some(trial);
            return Ok(pass);
        }
        Err(outage.refusal(token, now))
    }

    /// The token works. True when it did not before.
    pub fn close(&self) -> bool {
        if !self.is_open.load(Ordering::SeqCst) {
            return false;
        }
        let mut outage = lock(&self.outage);
        self.is_open.store(false, Ordering::SeqCst);
        outage.take().is_some()
    }

    /// The token does not work, and `error` says why. True when it did before.
    pub fn open(&self, error: &Error) -> bool {
        let mut current = lock(&self.outage);
        let now = Instant::now();
        let failures = current.as_ref().map_or(0, |outage| outage.failures);
        let is_new = current.is_none();
        // Sooner when the token is known to be ready sooner.
        let wait = pause(failures).min(error.details().retry_after.unwrap_or(LONGEST_PAUSE));
        let mut outage = Outage {
            code: error.code(),
            problem: error.message().to_owned(),
            since: now,
            failures: failures.saturating_add(1),
            is_retryable: error.retryable(),
            next_try: now + wait,
            trial: None,
        };
        if let Some(before) = current.take() {
            outage.since = before.since;
            outage.trial = before.trial;
            // That a call hangs is nothing new where a restart is asked for.
            if before.code == ErrorCode::RestartRequired && error.code() == ErrorCode::Timeout {
                outage.code = before.code;
                outage.problem = before.problem;
                outage.is_retryable = before.is_retryable;
            }
        }
        *current = Some(outage);
        self.is_open.store(true, Ordering::SeqCst);
        is_new
    }

    /// When the next try is due: `None` while all is well, or somebody is trying.
    pub fn next_try(&self) -> Option<Instant> {
        let outage = lock(&self.outage);
        outage
            .as_ref()
            .filter(|outage| outage.trial.is_none())
            .map(|outage| outage.next_try)
    }

    /// How often the token was tried in vain.
    pub fn failures(&self) -> u32 {
        let outage = lock(&self.outage);
        outage.as_ref().map_or(0, |outage| outage.failures)
    }

    /// What is wrong, for people.
    pub fn problem(&self) -> Option<(HealthState, String)> {
        let outage = lock(&self.outage);
        let outage = outage.as_ref()?;
        let state = match outage.code {
            ErrorCode::RestartRequired => HealthState::RestartRequired,
            code if is_about_pin(code) => HealthState::PinRefused,
            _ => HealthState::Unavailable,
        };
        Some((state, outage.problem.clone()))
    }
}

/// Permission to use the token. One that was given for a try ends the try when it
/// is dropped.
pub(super) struct Pass {
    breaker: Arc<Breaker>,
    trial: Option<Trial>,
}

impl Pass {
    /// The try that it was given for.
    pub fn trial(&self) -> Option<Trial> {
        self.trial
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.trial.is_some()
            && let Some(outage) = lock(&self.breaker.outage).as_mut()
            && outage.trial == self.trial
        {
            outage.trial = None;
        }
    }
}

impl Breaker {
    /// A try does not come back: it has failed, and another may follow.
    pub fn abandon(&self, trial: Trial) {
        if let Some(outage) = lock(&self.outage).as_mut()
            && outage.trial == Some(trial)
        {
            outage.trial = None;
            outage.next_try = Instant::now() + pause(outage.failures);
            outage.failures = outage.failures.saturating_add(1);
        }
    }
}

impl Outage {
    fn refusal(&self, token: &TokenName, now: Instant) -> Error {
        let wait = self.next_try.saturating_duration_since(now);
        let wait = wait.max(SOON);
        let next = match self.trial {
            Some(_) => "it is being tried right now".to_owned(),
            None => format!("the next try is in {} ms", wait.as_millis()),
        };
        let keeps_code = self.code == ErrorCode::RestartRequired || is_about_pin(self.code);
        let code = match self.code {
            code if keeps_code => code,
            _ => ErrorCode::TokenUnavailable,
        };
        Error::new(
            code,
            format!(
                "{token} has been out of order for {} s and was not asked; {next}. Last: {}",
                now.saturating_duration_since(self.since).as_secs(),
                self.problem
            ),
        )
        .with_retryable(!keeps_code || self.is_retryable)
        .with_details(|details| details.retry_after = Some(wait))
    }
}

fn is_about_pin(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::PinRequired
            | ErrorCode::PinIncorrect
            | ErrorCode::PinLocked
            | ErrorCode::PinExpired
            | ErrorCode::PinGuard
            | ErrorCode::PinSource
    )
}

/// Doubles with each failure; between half and all of it, so that many processes
/// do not try at the same moments.
fn pause(failures: u32) -> Duration {
    let full = FIRST_PAUSE.saturating_mul(1 << failures.min(8));
    let full = full.min(LONGEST_PAUSE);
    full / 2 + jitter::up_to(full / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> TokenName {
        TokenName {
            label: "bank".into(),
            serial: "1".into(),
            manufacturer: String::new(),
            model: String::new(),
        }
    }

    fn broken() -> Error {
        Error::new(ErrorCode::Device, "broken")
    }

    #[test]
    fn one_at_a_time_tries_when_it_is_due() {
        let breaker = Arc::new(Breaker::default());
        assert!(breaker.admit(&token()).is_ok());
        assert!(breaker.open(&broken()));
        assert!(!breaker.open(&broken()), "it was out of order already");
        let refused = breaker.admit(&token()).err().unwrap();
        assert_eq!(refused.code(), ErrorCode::TokenUnavailable);
        assert!(refused.details().retry_after.is_some());
        if let Some(outage) = lock(&breaker.outage).as_mut() {
            outage.next_try = Instant::now();
        }
        let trial = breaker.admit(&token()).unwrap();
        assert!(breaker.admit(&token()).is_err(), "somebody is trying");
        assert_eq!(breaker.next_try(), None);
        drop(trial);
        assert!(breaker.admit(&token()).is_ok());
        assert!(breaker.close());
        assert!(!breaker.close());
        assert!(breaker.admit(&token()).is_ok());
    }

    #[test]
    fn another_try_follows_one_that_does_not_come_back() {
        let breaker = Arc::new(Breaker::default());
        breaker.open(&broken());
        let is_due = || {
            if let Some(outage) = lock(&breaker.outage).as_mut() {
                outage.next_try = Instant::now();
            }
        };
        is_due();
        let hanging = breaker.admit(&token()).unwrap();
        breaker.abandon(hanging.trial().unwrap());
        assert!(breaker.admit(&token()).is_err(), "not at once");
        is_due();
        let _next = breaker.admit(&token()).unwrap();
        drop(hanging);
        assert_eq!(breaker.next_try(), None, "the second is still being made");
    }

    #[test]
    fn the_next_try_is_no_later_than_the_token_is_ready() {
        let breaker = Breaker::default();
        let ready_after = Duration::from_millis(1);
        let resting = broken().with_details(|details| details.retry_after = Some(ready_after));
        breaker.open(&resting);
        assert!(breaker.next_try().unwrap() <= Instant::now() + ready_after);
    }

    #[test]
    fn pauses_grow_to_two_seconds() {
        for failures in 0..40 {
            let pause = pause(failures);
            assert!(
                pause >= FIRST_PAUSE / 2 && pause <= LONGEST_PAUSE,
                "{pause:?}"
            );
        }
        assert!(pause(8) >= LONGEST_PAUSE / 2);
    }
}
