//! This machine's clock against the service's.

use super::finding::{Check, Finding};
use crate::token::skew;

const LEAST_MS: u64 = skew::LEAST_MS.unsigned_abs();
const MOST_MS: u64 = skew::MOST_MS.unsigned_abs();

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
