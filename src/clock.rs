//! Time as the protocols see it: whole seconds since 1970, UTC.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Seconds since 1970-01-01T00:00:00Z ("NumericDate", RFC 7519 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(i64);

impl UnixTime {
    /// A point in time from whole seconds.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Whole seconds.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// This time moved by `seconds`, which may be negative.
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

/// Prints RFC 3339, for example `2026-11-21T12:00:00Z`.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OffsetDateTime::from_unix_timestamp(self.0)
            .ok()
            .and_then(|time| time.format(&Rfc3339).ok());
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "{} s after 1970", self.0),
        }
    }
}

/// A point on two clocks at once, to tell how old something is.
///
/// A clock that is never set stands still while a machine sleeps, and the wall
/// clock may be set back. Between two moments the longer of what both say counts,
/// so that nothing is taken for younger than it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    steady_ms: i64,
    wall_ms: i64,
}

impl Moment {
    /// A moment from a clock that is never set, in milliseconds since any point,
    /// and the wall clock, in milliseconds since 1970.
    pub const fn new(steady_ms: i64, wall_ms: i64) -> Self {
        Self { steady_ms, wall_ms }
    }

    /// What the clock that is never set shows, in milliseconds.
    pub const fn steady_ms(self) -> i64 {
        self.steady_ms
    }

    /// What the wall clock shows, in milliseconds since 1970.
    pub const fn wall_ms(self) -> i64 {
        self.wall_ms
    }

    /// Milliseconds from `earlier` to this moment, at least.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        let steady = self.steady_ms.saturating_sub(earlier.steady_ms);
        let wall = self.wall_ms.saturating_sub(earlier.wall_ms);
        if steady > wall { steady } else { wall }
    }

    /// This moment `millis` later, or earlier when that is negative.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self {
            steady_ms: self.steady_ms.saturating_add(millis),
            wall_ms: self.wall_ms.saturating_add(millis),
        }
    }
}

/// A source of the present time.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present time.
    fn now(&self) -> UnixTime;

    /// The present moment, which may be some milliseconds old but is cheap.
    fn moment(&self) -> Moment {
        let millis = self.now().seconds().saturating_mul(1000);
        Moment::new(millis, millis)
    }
}

/// The operating system's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        UnixTime(wall_ms().div_euclid(1000))
    }

    fn moment(&self) -> Moment {
        coarse_moment()
    }
}

fn wall_ms() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    }
}

/// Linux keeps copies of its clocks that are up to 10 ms old and cost 7 ns each.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn coarse_moment() -> Moment {
    use rustix::time::{ClockId, Timespec, clock_gettime};
    #[allow(
        clippy::useless_conversion,
        reason = "the fields are narrower on 32-bit machines"
    )]
    let millis = |time: Timespec| {
        i64::from(time.tv_sec)
            .saturating_mul(1000)
            .saturating_add(i64::from(time.tv_nsec) / 1_000_000)
    };
    Moment::new(
        millis(clock_gettime(ClockId::MonotonicCoarse)),
        millis(clock_gettime(ClockId::RealtimeCoarse)),
    )
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn coarse_moment() -> Moment {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let steady = i64::try_from(START.elapsed().as_millis()).unwrap_or(i64::MAX);
    Moment::new(steady, wall_ms())
}

/// A clock that stands still until it is moved, for tests.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// A clock that shows `now`.
    pub fn new(now: UnixTime) -> Self {
        Self(AtomicI64::new(now.0.saturating_mul(1000)))
    }

    /// Moves the clock to `now`.
    pub fn set(&self, now: UnixTime) {
        self.0.store(now.0.saturating_mul(1000), Ordering::SeqCst);
    }

    /// Moves the clock on by `time`, to the millisecond.
    pub fn advance(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst).div_euclid(1000))
    }

    fn moment(&self) -> Moment {
        let millis = self.0.load(Ordering::SeqCst);
        Moment::new(millis, millis)
    }
}
