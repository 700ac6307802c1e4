//! When a token is asked for again: after failures that pass, with pauses, within
//! a budget, and not before the service wants it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::clock::Moment;
use crate::error::{Error, ErrorCode};

/// No pause is shorter.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_millis(FIRST_PAUSE_MS / 2);

const FIRST_PAUSE_MS: u64 = 100;
const LONGEST_PAUSE_MS: u64 = 10_000;

/// True for a failure that may pass by itself within seconds: of the network, of
/// the service (5xx, 429), of an HSM.
pub(super) fn is_transient(error: &Error) -> bool {
    error.retryable() && error.code() != ErrorCode::Cancelled && !is_answer(error)
}

/// True for what the service decided, or what is wrong on this side: asking again
/// at once changes nothing.
pub(super) fn is_refusal(error: &Error) -> bool {
    !is_transient(error) && !matches!(error.code(), ErrorCode::Cancelled | ErrorCode::Panic)
}

/// A 4xx that is about what was asked for: not about the load, and not about one
/// assertion, for the next one has another `jti`.
fn is_answer(error: &Error) -> bool {
    let status = error.details().http_status;
    status.is_some_and(|status| status < 500 && status != 429)
        && error.code() != ErrorCode::TokenAssertionReused
}

/// The pause after so many failures in a row: 0.1 s, doubled each time up to 10 s,
/// of which a random half to whole is waited.
pub(crate) fn backoff(failures_before: u32) -> Duration {
    let doubled = FIRST_PAUSE_MS.saturating_mul(1 << failures_before.min(20));
    let whole = doubled.min(LONGEST_PAUSE_MS);
    Duration::from_millis(fastrand::u64(whole / 2..=whole))
}

/// How many tries beyond the first ones a client may still make: each costs one,
/// each success and each second gives one back. So an outage never multiplies the
/// load, and a service that fails half of the time can still be used.
#[derive(Debug)]
pub(super) struct RetryBudget {
    left: AtomicI64,
    counted_at_ms: AtomicI64,
}

const FULL_BUDGET: i64 = 100;

impl RetryBudget {
    pub(super) fn new(now: Moment) -> Self {
        Self {
            left: AtomicI64::new(FULL_BUDGET),
            counted_at_ms: AtomicI64::new(now.steady_ms()),
        }
    }

    /// Takes one try out of the budget; false when it is used up.
    pub(super) fn take(&self, now: Moment) -> bool {
        let before = self.counted_at_ms.load(Ordering::Relaxed);
        let seconds = now.steady_ms().saturating_sub(before) / 1000;
        if seconds > 0
            && self
                .counted_at_ms
                .compare_exchange(
                    before,
                    before.saturating_add(seconds * 1000),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok()
        {
            self.change(|left| Some((left + seconds).min(FULL_BUDGET)));
        }
        self.change(|left| (left > 0).then_some(left - 1))
    }

    /// Gives one try back after a success.
    pub(super) fn give_back(&self) {
        self.change(|left| (left < FULL_BUDGET).then_some(left + 1));
    }

    fn change(&self, change: impl FnMut(i64) -> Option<i64>) -> bool {
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, change)
            .is_ok()
    }
}

/// What the service asked for with `Retry-After`: no request before then.
#[derive(Debug, Default)]
pub(super) struct Hold(ArcSwapOption<Held>);

#[derive(Debug)]
struct Held {
    error: Error,
    from: Moment,
    millis: i64,
}

impl Hold {
    /// Notes what an answer asked for; of several the one that lasts longest counts.
    pub(super) fn note(&self, error: &Error, now: Moment) {
        let Some(wait) = error.details().retry_after else {
            return;
        };
        let is_load = matches!(
            error.code(),
            ErrorCode::TokenRateLimited | ErrorCode::TokenServer
        );
        let until = self.at(now).map_or(Duration::ZERO, |(left, _)| left);
        if is_load && wait > until {
            self.0.store(Some(std::sync::Arc::new(Held {
                error: error.duplicate(),
                from: now,
                millis: i64::try_from(wait.as_millis()).unwrap_or(i64::MAX),
            })));
        }
    }

    /// For how long nothing may be sent yet, and the answer that says so.
    pub(super) fn at(&self, now: Moment) -> Option<(Duration, Error)> {
        let held = self.0.load();
        let held = held.as_ref()?;
        let left = held.millis.saturating_sub(now.millis_since(held.from));
        let left = u64::try_from(left).ok().filter(|left| *left > 0)?;
        let left = Duration::from_millis(left);
        let error = held.error.duplicate();
        Some((
            left,
            error.with_details(|details| details.retry_after = Some(left)),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment::new(seconds * 1000, seconds * 1000)
    }

    #[test]
    fn a_budget_runs_out_and_comes_back_by_success_and_time() {
        let budget = RetryBudget::new(at(0));
        let spent = (0..1000).take_while(|_| budget.take(at(0))).count();
        assert_eq!(spent, 100);
        budget.give_back();
        assert!(budget.take(at(0)));
        assert!(!budget.take(at(0)));
        let spent = (0..1000).take_while(|_| budget.take(at(7))).count();
        assert_eq!(spent, 7);
        let spent = (0..1000).take_while(|_| budget.take(at(100_000))).count();
        assert_eq!(spent, 100);
    }

    #[test]
    fn of_several_holds_the_longest_counts() {
        let hold = Hold::default();
        let asked = |seconds| {
            Error::new(ErrorCode::TokenRateLimited, "slow down").with_details(|details| {
                details.retry_after = Some(Duration::from_secs(seconds));
            })
        };
        let left = |now| hold.at(at(now)).map(|(left, _)| left.as_secs());
        hold.note(&asked(0), at(0));
        assert_eq!(left(0), None);
        hold.note(&asked(60), at(0));
        hold.note(&asked(1), at(0));
        assert_eq!(left(10), Some(50));
        hold.note(&asked(55), at(10));
        assert_eq!(left(20), Some(45));
        assert_eq!(left(65), None);
    }

    #[test]
    fn pauses_double_up_to_a_bound() {
        for (failures, bounds) in [(0, 50..=100), (3, 400..=800), (60, 5_000..=10_000)] {
            for _ in 0..100 {
                let pause = backoff(failures).as_millis();
                assert!(bounds.contains(&pause), "{failures}: {pause} ms");
            }
        }
    }
}
