//! Leaves a store alone that does not work, so that it costs no token its time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorCode, Result};
use crate::jitter;

/// The first pause between two tries.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest. A store that is back is used again within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// For how long one try keeps others out, should it never say how it went.
const TRIAL: Duration = Duration::from_secs(5);

/// What is asked of the store. One that is full or a replica reads and cannot
/// write, so that it reads is no sign that it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}

/// Closed while all is well.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<Option<Outage>>);

#[derive(Debug)]
struct Outage {
    since: Instant,
    failures: u32,
    /// What failed last, and must succeed for the outage to end.
    kind: Kind,
    next_try: Instant,
    /// True while the one that was let through has not said how it went.
    is_tried: bool,
}

impl Breaker {
    /// Lets the caller to the store, unless it does not work and it is not time for
    /// a try. Then one caller is let through, which must say how it went.
    ///
    /// # Errors
    /// `NETWORK`, retryable.
    pub fn admit(&self) -> Result<()> {
        let mut outage = self.lock();
        let Some(outage) = outage.as_mut() else {
            return Ok(());
        };
        let now = Instant::now();
        if now >= outage.next_try {
            outage.next_try = now + TRIAL;
            outage.is_tried = true;
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::Network,
            "the shared cache is out of order and was not asked",
        )
        .with_retryable(true))
    }

    /// The store did what it was asked. The length of the outage that this ends.
    pub fn succeeded(&self, kind: Kind) -> Option<Duration> {
        let mut current = self.lock();
        let outage = current.as_mut()?;
        if outage.kind == Kind::Write && kind == Kind::Read {
            outage.end_trial(Instant::now());
            return None;
        }
        current.take().map(|outage| outage.since.elapsed())
    }

    /// The store did not. True when an outage begins with it.
    pub fn failed(&self, kind: Kind) -> bool {
        let mut current = self.lock();
        let now = Instant::now();
        let Some(outage) = current.as_mut() else {
            *current = Some(Outage {
                since: now,
                failures: 1,
                kind,
                next_try: now + pause(0),
                is_tried: false,
            });
            return true;
        };
        if kind == Kind::Write {
            outage.kind = kind;
        }
        // Those who asked before the outage began say nothing new.
        if outage.is_tried {
            outage.end_trial(now + pause(outage.failures));
            outage.failures = outage.failures.saturating_add(1);
        }
        false
    }

    /// The caller gave up before the store could show whether it works.
    pub fn undecided(&self) {
        if let Some(outage) = self.lock().as_mut() {
            outage.end_trial(Instant::now());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Outage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outage {
    fn end_trial(&mut self, next_try: Instant) {
        if self.is_tried {
            self.is_tried = false;
            self.next_try = next_try;
        }
    }
}

/// Doubles with each failure; up to a quarter longer, so that many instances do not
/// try at the same moments, and never longer than the longest.
fn pause(failures: u32) -> Duration {
    let full = FIRST_PAUSE.saturating_mul(1 << failures.min(8));
    (full + jitter::up_to(full / 4)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_due(breaker: &Breaker) {
        if let Some(outage) = breaker.lock().as_mut() {
            outage.next_try = Instant::now();
        }
    }

    #[test]
    fn one_at_a_time_tries_when_it_is_due() {
        let breaker = Breaker::default();
        assert!(breaker.admit().is_ok());
        assert_eq!(breaker.succeeded(Kind::Read), None, "there was no outage");
        assert!(breaker.failed(Kind::Read));
        assert!(!breaker.failed(Kind::Read), "it was out of order already");
        assert!(breaker.admit().is_err());
        is_due(&breaker);
        assert!(breaker.admit().is_ok());
        assert!(breaker.admit().is_err(), "somebody is trying");
        breaker.undecided();
        assert!(breaker.admit().is_ok(), "nobody knows yet");
        assert!(breaker.succeeded(Kind::Read).is_some());
        assert!(breaker.admit().is_ok());
        assert!(breaker.admit().is_ok());
    }

    #[test]
    fn that_it_reads_is_no_sign_that_it_writes() {
        let breaker = Breaker::default();
        assert!(breaker.failed(Kind::Write));
        is_due(&breaker);
        assert!(breaker.admit().is_ok());
        assert_eq!(breaker.succeeded(Kind::Read), None);
        assert!(breaker.admit().is_ok(), "now it may write");
        assert!(!breaker.failed(Kind::Write), "the outage goes on");
        is_due(&breaker);
        assert!(breaker.admit().is_ok());
        assert!(breaker.succeeded(Kind::Write).is_some());
    }

    #[test]
    fn pauses_grow_from_one_second_to_thirty() {
        for failures in 0..40 {
            let pause = pause(failures);
            assert!(pause >= FIRST_PAUSE && pause <= LONGEST_PAUSE, "{pause:?}");
        }
        assert!(pause(0) < FIRST_PAUSE * 2);
        assert_eq!(pause(5), LONGEST_PAUSE);
    }
}
