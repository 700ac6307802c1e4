//! `CorrelationID`: what a request is called at Bits.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::error::{Error, ErrorCode, Result};

/// A UUID that names one request, to be quoted in a support case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CorrelationId(Uuid);

impl CorrelationId {
    /// A new one (random, version 4).
    #[allow(clippy::new_without_default, reason = "a default is not random")]
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }
}

impl FromStr for CorrelationId {
    type Err = Error;

    /// From the 36 characters with hyphens.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, without the text.
    fn from_str(text: &str) -> Result<Self> {
        let id = Some(text).filter(|text| text.len() == 36);
        id.and_then(|text| Uuid::try_parse(text).ok())
            .map(Self)
            .ok_or_else(|| {
                Error::new(
                    ErrorCode::InvalidArgument,
                    "the correlation id is no UUID, as 2b6fc544-e708-4887-8425-378733eea631; \
                     leave it out to have a new one made",
                )
            })
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
