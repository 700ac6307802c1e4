//! Identifiers that the bank gave.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};

/// Most characters of an identifier.
const MOST: usize = 512;

/// The bank's identifier of a consent, an account (`resourceId`) or a payment. That of an
/// account may be its number, so neither `Debug` nor an error shows it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct BankId(Zeroizing<String>);

impl BankId {
    /// The identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BankId {
    type Err = Error;

    /// # Errors
    /// `INVALID_ARGUMENT` for what is no visible ASCII, and for `.` and `..`, which would be
    /// another path.
    fn from_str(text: &str) -> Result<Self> {
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        match is_visible && (1..=MOST).contains(&text.len()) && !matches!(text, "." | "..") {
            true => Ok(Self(Zeroizing::new(text.to_owned()))),
            false => Err(Error::new(
                ErrorCode::InvalidArgument,
                "an identifier of the bank's has visible ASCII characters; copy it from the bank's answer",
            )),
        }
    }
}

impl fmt::Debug for BankId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for BankId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let wrong = |_| D::Error::custom("an identifier must be a text");
        let text = Zeroizing::<String>::deserialize(deserializer).map_err(wrong)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for BankId {
    fn schema_name() -> Cow<'static, str> {
        "BankId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An identifier that the bank gave.",
            "type": "string",
            "pattern": "^[!-~]+$"
        })
    }
}
