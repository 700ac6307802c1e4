//! Why a token is refused, and what an API answers its sender (RFC 6750 section 3.1).

use crate::error::{Error, ErrorCode};
use crate::person_id::without_numbers;

/// The token is no good: 401 and `invalid_token`. Its sender needs another one.
pub(super) fn invalid_token(code: ErrorCode, message: impl Into<String>) -> Error {
    answered(code, message, "invalid_token", 401)
}

/// The token is good, but not for this: 403 and `insufficient_scope`. Another one like it
/// would not do either.
pub(super) fn insufficient(code: ErrorCode, message: impl Into<String>) -> Error {
    answered(code, message, "insufficient_scope", 403)
}

/// Nobody can tell whether the token is good: 503.
pub(super) fn undecided(code: ErrorCode, message: impl Into<String>) -> Error {
    Error::new(code, message).with_details(|details| details.http_status = Some(503))
}

/// What a token says, as a message may have it: no run of 11 or more digits, which may be a
/// person's number (a register of organisations may be one of persons: `PNONO-…` of ETSI EN
/// 319 412-1 section 5.1.3), nor a part of one that is cut off.
pub(super) fn shown(text: &str) -> String {
    let start: String = without_numbers(text).chars().take(100).collect();
    start.escape_debug().to_string()
}

fn answered(code: ErrorCode, message: impl Into<String>, error: &str, status: u16) -> Error {
    Error::new(code, message).with_details(|details| {
        details.oauth_error = Some(error.to_owned());
        details.http_status = Some(status);
    })
}
