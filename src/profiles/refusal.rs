//! What a service's refusal means.

use crate::error::ErrorCode;

/// The members of a refusal by the token endpoint (RFC 6749 section 5.2), as the
/// server wrote them.
#[derive(Debug, Clone, Copy, Default)]
pub struct ServerRefusal<'a> {
    /// `error`.
    pub error: &'a str,
    /// `error_description`; empty when there was none.
    pub description: &'a str,
    /// The service's own code, for example `MP-122`.
    pub provider_code: Option<&'a str>,
}

/// A refusal that a service documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownRefusal {
    /// Its number.
    pub code: ErrorCode,
    /// Cause and remedy, to stand behind the server's own words.
    pub remedy: &'static str,
    /// True when the next attempt, with an assertion of its own, may succeed
    /// without any change.
    pub retryable: bool,
}
