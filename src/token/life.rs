//! For how long a token is handed out, and when its successor is fetched.

use crate::clock::Moment;

/// Servers cut the times in their tokens to whole seconds, so a token may end up
/// to a second before its `expires_in` is over.
const ROUNDING_MS: i64 = 1000;

/// Bounds of the time before the end in which a successor is fetched.
const SHORTEST_ADVISORY_MS: i64 = 10_000;
const LONGEST_ADVISORY_MS: i64 = 300_000;
const LONGEST_MANDATORY_MS: i64 = 60_000;

/// The life of one token, by ages in milliseconds.
///
/// ```text
/// requested            refresh_after        renew_after         usable
///     |------- fresh ------|----- advisory -----|---- mandatory ----|--- over
/// ```
///
/// The advisory window is a fifth of the life, 10 seconds to 5 minutes; for short
/// lives half of it. It begins up to a quarter of itself later, at random, so that
/// clients that began together do not go on together. The mandatory window is
/// half of the advisory one, a minute at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Life {
    requested: Moment,
    refresh_after: i64,
    renew_after: i64,
    usable: i64,
    whole: i64,
}

/// What to do with a token of some age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Hand it out.
    Fresh,
    /// Hand it out, and have one caller fetch its successor.
    Advisory,
    /// Wait for its successor; hand it out if there is none.
    Mandatory,
    /// Never hand it out.
    Over,
}

impl Life {
    /// Of a token that was requested at `requested` and lives for `seconds`.
    /// `jitter` is 0 to 1.
    pub(super) fn new(requested: Moment, seconds: i64, jitter: f64) -> Self {
        let whole = seconds.saturating_mul(1000);
        let usable = whole.saturating_sub(ROUNDING_MS).max(0);
        let advisory = (whole / 5)
            .clamp(SHORTEST_ADVISORY_MS, LONGEST_ADVISORY_MS)
            .min(usable / 2);
        let mandatory = (advisory / 2).min(LONGEST_MANDATORY_MS);
        let later = (advisory as f64 * jitter.clamp(0.0, 1.0) / 4.0) as i64;
        Self {
            requested,
            refresh_after: usable - advisory + later,
            renew_after: usable - mandatory,
            usable,
            whole,
        }
    }

    pub(super) fn stage(&self, now: Moment) -> Stage {
        let age = now.millis_since(self.requested);
        if age < self.refresh_after {
            Stage::Fresh
        } else if age < self.renew_after {
            Stage::Advisory
        } else if age < self.usable {
            Stage::Mandatory
        } else {
            Stage::Over
        }
    }

    pub(super) fn requested(&self) -> Moment {
        self.requested
    }

    pub(super) fn whole_ms(&self) -> i64 {
        self.whole
    }

    /// True when the whole life is over, with no second kept back.
    pub(super) fn has_expired(&self, now: Moment) -> bool {
        now.millis_since(self.requested) >= self.whole
    }

    /// Milliseconds that are left at `now`; 0 when it is over.
    pub(super) fn left(&self, now: Moment) -> i64 {
        (self.usable - now.millis_since(self.requested)).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment::new(5_000, 1_700_000_000_000);

    /// Ages at which the next stage begins, in milliseconds.
    fn ages(seconds: i64, jitter: f64) -> (i64, i64, i64) {
        let life = Life::new(START, seconds, jitter);
        (life.refresh_after, life.renew_after, life.usable)
    }

    #[test]
    fn windows_fit_every_life() {
        assert_eq!(ages(7200, 0.0), (6_899_000, 7_139_000, 7_199_000));
        assert_eq!(ages(600, 0.0), (479_000, 539_000, 599_000));
        assert_eq!(ages(120, 0.0), (95_000, 107_000, 119_000));
        assert_eq!(ages(10, 0.0), (4_500, 6_750, 9_000));
        assert_eq!(ages(2, 0.0), (500, 750, 1_000));
        assert_eq!(ages(1, 0.0), (0, 0, 0));
        assert_eq!(ages(0, 0.0), (0, 0, 0));
    }

    #[test]
    fn jitter_never_reaches_the_mandatory_window() {
        for seconds in 1..=7200 {
            let (refresh, renew, usable) = ages(seconds, 1.0);
            assert!(refresh <= renew && renew <= usable, "{seconds} s");
            assert!(refresh >= ages(seconds, 0.0).0);
        }
    }

    #[test]
    fn stages_follow_the_age_by_either_clock() {
        let life = Life::new(START, 120, 0.0);
        let at = |steady, wall| {
            life.stage(Moment::new(
                START.steady_ms() + steady,
                START.wall_ms() + wall,
            ))
        };
        assert_eq!(at(94_999, 94_999), Stage::Fresh);
        assert_eq!(at(95_000, 0), Stage::Advisory);
        assert_eq!(at(0, 107_000), Stage::Mandatory);
        assert_eq!(at(-1, 119_000), Stage::Over);
        assert_eq!(at(119_000, -3_600_000), Stage::Over);
    }
}
