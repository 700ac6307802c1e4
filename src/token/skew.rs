//! How far the service's clock is from this machine's, from its `Date` header.
//!
//! Maskinporten accepts an `iat` no more than 10 seconds off, so a clock that is
//! wrong by more than that would otherwise get no token at all.

use std::sync::atomic::{AtomicI64, Ordering};

use super::oauth_error::http_date;
use crate::clock::{Moment, UnixTime};
use crate::http::Response;
use crate::log::{self, Level};

/// A difference beyond this is no clock that drifted. It is reported and not
/// followed: who can change `Date` could else have assertions made for any time.
pub(crate) const MOST_MS: i64 = 300_000;

/// Below this a difference is not followed; `Date` has whole seconds.
pub(crate) const LEAST_MS: i64 = 2_000;

/// `Date` says nothing about an exchange that took longer.
const LONGEST_EXCHANGE_MS: i64 = 10_000;

/// What was learned; lock-free.
#[derive(Debug)]
pub(super) struct ClockSkew {
    measured_ms: AtomicI64,
    followed_ms: AtomicI64,
}

const UNKNOWN: i64 = i64::MIN;

impl Default for ClockSkew {
    fn default() -> Self {
        Self {
            measured_ms: AtomicI64::new(UNKNOWN),
            followed_ms: AtomicI64::new(0),
        }
    }
}

impl ClockSkew {
    /// Learns from an answer to a request that was sent at `sent` and arrived at
    /// `received`. True when assertions are dated differently from now on.
    pub(super) fn learn(&self, response: &Response, sent: Moment, received: Moment) -> bool {
        let Some(measured) = measure(response, sent, received) else {
            return false;
        };
        self.measured_ms.store(measured, Ordering::Relaxed);
        let followed = self.followed_ms();
        // Only what moves it by more than Date's coarseness is news.
        if measured.abs_diff(followed) < LEAST_MS.unsigned_abs() {
            return false;
        }
        let follow = match measured.abs_diff(0) <= MOST_MS.unsigned_abs() {
            true => measured,
            false => 0,
        };
        let before = self.followed_ms.swap(follow, Ordering::Relaxed);
        report(measured, follow);
        before != follow
    }

    /// The difference as last measured, in milliseconds; positive when the
    /// service's clock is ahead.
    pub(super) fn measured_ms(&self) -> Option<i64> {
        let measured = self.measured_ms.load(Ordering::Relaxed);
        (measured != UNKNOWN).then_some(measured)
    }

    /// The difference that is followed, in milliseconds.
    pub(super) fn followed_ms(&self) -> i64 {
        self.followed_ms.load(Ordering::Relaxed)
    }

    /// The difference by which instances tell each other times, in milliseconds, right
    /// to [`LEAST_MS`]; `None` before an answer has told it. One that is too much to
    /// date assertions by does for this.
    pub(super) fn known_ms(&self) -> Option<i64> {
        let (measured, followed) = (self.measured_ms()?, self.followed_ms());
        let is_followed = measured.abs_diff(followed) < LEAST_MS.unsigned_abs();
        Some(if is_followed { followed } else { measured })
    }

    /// The service's time when this machine's clock shows `now`.
    pub(super) fn service_time(&self, now: UnixTime) -> UnixTime {
        now.plus(self.followed_ms().div_euclid(1000))
    }
}

/// How far the clock of the server is ahead that answered a request which was sent at
/// `sent`, in milliseconds with an uncertainty of half a second; `None` when the answer
/// does not tell.
pub(crate) fn measure(response: &Response, sent: Moment, received: Moment) -> Option<i64> {
    let took = received.millis_since(sent);
    // An answer out of a proxy's cache has an old Date.
    if response.header("age").is_some() || took > LONGEST_EXCHANGE_MS {
        return None;
    }
    let date = http_date(response.header("date")?)?;
    // The server wrote it between the two, and cut the milliseconds off.
    let date = date.seconds().saturating_mul(1000).saturating_add(500);
    Some(date.saturating_sub(sent.wall_ms().saturating_add(took / 2)))
}

fn report(measured: i64, follow: i64) {
    let (seconds, what) = (
        measured / 1000,
        match (measured, follow) {
            (_, 0) if measured.abs_diff(0) > MOST_MS.unsigned_abs() => {
                "which is too much to follow"
            }
            _ => "and assertions are dated by the service's",
        },
    );
    log::emit(
        Level::Warn,
        "token",
        format_args!(
            "the service's clock differs from this machine's by {seconds} s, {what}; \
             set this machine's clock by NTP"
        ),
    );
}
