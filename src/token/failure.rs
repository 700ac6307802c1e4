//! What went wrong with a key the last time.

use crate::clock::UnixTime;
use crate::error::Error;

/// A key that could not be opened is left alone for so many seconds.
pub(super) const REOPEN_AFTER: i64 = 5;

/// An error and when it was.
#[derive(Debug)]
pub(super) struct Failure {
    at: UnixTime,
    pub(super) error: Error,
}

impl Failure {
    /// What happened at `now`.
    pub(super) fn new(error: &Error, now: UnixTime) -> Self {
        Self {
            at: now,
            error: error.duplicate(),
        }
    }

    /// True when it is less than `seconds` old. A clock that was set back does not
    /// make it younger.
    pub(super) fn is_within(&self, seconds: i64, now: UnixTime) -> bool {
        let age = now.seconds().saturating_sub(self.at.seconds());
        (0..seconds).contains(&age)
    }
}
