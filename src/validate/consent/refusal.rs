//! What a consent is refused for.

use std::fmt;

use super::super::refusal::insufficient;
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::OrgNumber;

/// Requires the organisation that a consent was given to, to be the token's.
pub(in super::super) fn require_organisation(
    to: &OrgNumber,
    what: &str,
    consumer: Option<&OrgNumber>,
) -> Result<()> {
    if consumer == Some(to) {
        return Ok(());
    }
    let consumer = consumer.map_or("no Norwegian organisation", OrgNumber::as_str);
    Err(insufficient(
        ErrorCode::ConsentOrganisation,
        format!("{what} {to}, and the token's consumer is {consumer}; both must be the same"),
    ))
}

/// Requires the end of a consent to lie ahead.
pub(in super::super) fn require_not_over(valid_to: UnixTime, now: UnixTime) -> Result<()> {
    if now < valid_to {
        return Ok(());
    }
    Err(insufficient(
        ErrorCode::ConsentExpired,
        format!("the consent ended at {valid_to}; ask for a new one"),
    ))
}

pub(in super::super) fn other_giver() -> Error {
    insufficient(
        ErrorCode::ConsentGiver,
        "the consent was given by another person or organisation than the one asked about (neither is shown)",
    )
}

pub(in super::super) fn malformed(problem: impl fmt::Display) -> Error {
    insufficient(
        ErrorCode::ConsentMalformed,
        format!("the consent cannot be read: {problem}"),
    )
}
