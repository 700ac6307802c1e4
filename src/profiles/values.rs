//! Checked values that go into claims.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode, Result};

/// One OAuth scope (`scope-token`, RFC 6749 section 3.3), without the characters
/// that always mean a mistake: comma and percent sign.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Scope(String);

impl Scope {
    /// The scope, for example `lanekassen:lan/v1/saldoopplysninger`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Scopes joined by single blanks, as in the `scope` claim and parameter.
    pub fn join(scopes: &[Self]) -> String {
        let texts: Vec<_> = scopes.iter().map(Self::as_str).collect();
        texts.join(" ")
    }
}

impl FromStr for Scope {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = text.chars().find(|c| {
            !matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e') || matches!(c, ',' | '%')
        });
        let problem = match (text.is_empty(), bad) {
            (true, _) => "is empty".to_owned(),
            (_, Some(' ' | ',' | '%')) => {
                "holds a blank, comma or percent sign; give several scopes as a list, each as it is registered".to_owned()
            }
            (_, Some(other)) => format!("holds {other:?}, which no scope may (RFC 6749 section 3.3)"),
            (false, None) => return Ok(Self(text.to_owned())),
        };
        Err(Error::new(
            ErrorCode::InvalidArgument,
            format!("the scope \"{}\" {problem}", text.escape_debug()),
        ))
    }
}

/// The client's identifier at the service: one or more visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ClientId(String);

impl ClientId {
    /// The identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::new(
            ErrorCode::InvalidArgument,
            format!(
                "the client_id \"{}\" must be one or more visible ASCII characters without blanks; \
                 copy it from where the client was registered",
                text.escape_debug()
            ),
        ))
    }
}

macro_rules! string_conversions {
    ($($type:ty),+) => {$(
        impl TryFrom<String> for $type {
            type Error = Error;

            fn try_from(text: String) -> Result<Self> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.0
            }
        }
    )+};
}

string_conversions!(Scope, ClientId);
