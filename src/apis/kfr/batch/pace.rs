//! How fast relations are sent.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Moment, UnixTime};

/// What KFR loads, in relations a second (onboarding, step D-3).
pub(super) const USUAL: u32 = 250;

/// Leaves KFR the time that it needs for a part before the next one goes.
#[derive(Debug)]
pub(super) struct Pace {
    clock: Arc<dyn Clock>,
    /// `None`: as fast as it goes.
    per_second: Option<NonZeroU32>,
    /// When the last part was accepted, and how long KFR works on it, in milliseconds.
    last: Option<(Moment, i64)>,
}

impl Pace {
    pub(super) fn new(clock: Arc<dyn Clock>, per_second: Option<NonZeroU32>) -> Self {
        Self {
            clock,
            per_second,
            last: None,
        }
    }

    /// A part was accepted at `time`, perhaps by an earlier process.
    pub(super) fn accepted_at(&mut self, time: UnixTime, relations: u64) {
        let ago = self
            .clock
            .now()
            .seconds()
            .saturating_sub(time.seconds())
            .max(0);
        let moment = self.clock.moment().plus_millis(-ago.saturating_mul(1000));
        self.note(moment, relations);
    }

    /// A part was accepted just now.
    pub(super) fn accepted(&mut self, relations: u64) {
        self.note(self.clock.moment(), relations);
    }

    /// How long to wait before the next part.
    pub(super) fn wait(&self) -> Duration {
        let Some((since, work)) = self.last else {
            return Duration::ZERO;
        };
        let passed = self.clock.moment().millis_since(since).max(0);
        Duration::from_millis(u64::try_from(work - passed.min(work)).unwrap_or(0))
    }

    fn note(&mut self, moment: Moment, relations: u64) {
        self.last = self.per_second.map(|rate| {
            let millis = relations
                .saturating_mul(1000)
                .div_ceil(u64::from(rate.get()));
            (moment, i64::try_from(millis).unwrap_or(i64::MAX))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;

    #[test]
    fn the_wait_is_what_is_left_of_the_parts_work() {
        let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(1000)));
        let mut pace = Pace::new(clock.clone(), NonZeroU32::new(250));
        assert_eq!(pace.wait(), Duration::ZERO);
        pace.accepted(1001);
        assert_eq!(pace.wait(), Duration::from_millis(4004));
        clock.advance(Duration::from_millis(3004));
        assert_eq!(pace.wait(), Duration::from_secs(1));
        clock.advance(Duration::from_secs(9));
        assert_eq!(pace.wait(), Duration::ZERO);
        pace.accepted_at(UnixTime::from_seconds(1010), 1000);
        assert_eq!(pace.wait(), Duration::from_secs(2));
        // A clock that was set back does not make anybody wait longer than the work.
        pace.accepted_at(UnixTime::from_seconds(5000), 1000);
        assert_eq!(pace.wait(), Duration::from_secs(4));
        let mut unbounded = Pace::new(clock, None);
        unbounded.accepted(1_000_000);
        assert_eq!(unbounded.wait(), Duration::ZERO);
    }
}
