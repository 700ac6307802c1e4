//! The value of a header.

use std::fmt;

use zeroize::Zeroizing;

/// The value of one header of a request or an answer. It may be a token, a proof, a cookie
/// or a person's identifier, so its memory is wiped when it is dropped, and `Debug` prints
/// `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderValue(Zeroizing<String>);

impl HeaderValue {
    /// The value as it is sent. It must not be logged.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for HeaderValue {
    /// Takes the text over; no copy is made.
    fn from(value: String) -> Self {
        Self(Zeroizing::new(value))
    }
}

impl From<Zeroizing<String>> for HeaderValue {
    /// Takes the text over; no copy is made.
    fn from(value: Zeroizing<String>) -> Self {
        Self(value)
    }
}

impl From<&str> for HeaderValue {
    fn from(value: &str) -> Self {
        Self::from(value.to_owned())
    }
}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
