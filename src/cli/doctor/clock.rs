//! This machine's clock against the service's.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::finding::{Check, Finding};
use crate::http::Response;

/// Below this a difference says nothing: `Date` has whole seconds.
const LEAST_MS: u64 = 2_000;

/// Above this it is not followed; see `TokenHealth::clock_skew_ms`.
const MOST_MS: u64 = 300_000;

/// `Date` says nothing about an exchange that took longer.
const LONGEST_EXCHANGE: Duration = Duration::from_secs(10);

const REMEDY: &str = "set this machine's clock by NTP";

/// What a difference of so many milliseconds means; positive when the service's
/// clock is ahead.
pub(super) fn finding(skew_ms: Option<i64>) -> Finding {
    let Some(skew) = skew_ms else {
        return Finding::skipped(Check::Clock, "no answer of the service told its time");
    };
    let direction = if skew > 0 { "behind" } else { "ahead of" };
    let what = format!(
        "this machine is {}.{} s {direction} the service",
        skew.unsigned_abs() / 1000,
        skew.unsigned_abs() % 1000 / 100
    );
    match skew.unsigned_abs() {
        ..LEAST_MS => Finding::ok(Check::Clock, "within 2 s of the service's"),
        LEAST_MS..=MOST_MS => Finding::warning(
            Check::Clock,
            format!("{what}; assertions are dated by the service's clock"),
            REMEDY,
        ),
        _ => Finding::failed(
            Check::Clock,
            format!("{what}, which is too much to follow: assertions are refused"),
            REMEDY,
        ),
    }
}

/// How far the clock of the server that has just answered, after `took`, is ahead,
/// with an uncertainty of half a second.
pub(super) fn skew_ms(answer: &Response, took: Duration) -> Option<i64> {
    // An answer out of a proxy's cache has an old Date.
    if answer.header("age").is_some() || took > LONGEST_EXCHANGE {
        return None;
    }
    let date = httpdate::parse_http_date(answer.header("date")?.trim()).ok()?;
    let halfway = SystemTime::now().checked_sub(took / 2)?;
    // The server cut the milliseconds off.
    Some(millis(date)?.saturating_add(500) - millis(halfway)?)
}

fn millis(time: SystemTime) -> Option<i64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}
