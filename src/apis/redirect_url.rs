//! Where a person's browser is sent back to.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};

use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};

/// An https URL of the caller's own, without user name and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUrl(Endpoint);

impl RedirectUrl {
    /// The URL.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for RedirectUrl {
    type Err = Error;

    /// # Errors
    /// `URL` for another than https, on the loopback interface too.
    fn from_str(text: &str) -> Result<Self> {
        let url: Endpoint = text
            .parse()
            .map_err(|error: Error| error.in_context("the redirect URL"))?;
        match url.is_plain() {
            false => Ok(Self(url)),
            true => Err(Error::new(
                ErrorCode::Url,
                "the redirect URL is not https, which a person's browser is to be sent back to",
            )),
        }
    }
}

impl fmt::Display for RedirectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RedirectUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for RedirectUrl {
    fn schema_name() -> Cow<'static, str> {
        "RedirectUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An https URL that a person's browser is sent back to.",
            "type": "string",
            "format": "uri",
            "pattern": "^https://"
        })
    }
}
