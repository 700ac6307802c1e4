//! Altinn's consent tokens, on their way to the service that the consent is for.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};

/// A consent as Altinn 2 gives it: a signed JWT of its own, beside the access token. It
/// lives for 30 seconds, so it is fetched just before it is used. With Altinn 3 the
/// consent is in the access token, and there is none of these.
///
/// It is read without verifying it, for that is up to the service. Its memory is wiped,
/// and neither `Debug` nor an error shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct ConsentToken(Zeroizing<String>);

impl ConsentToken {
    /// The JWT. It must not be logged.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConsentToken {
    type Err = Error;

    /// Takes off blanks, and the quotes and apostrophes in which Altinn sometimes puts it.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, without the text.
    fn from_str(text: &str) -> Result<Self> {
        let token = text.trim_matches(|c: char| c == '"' || c == '\'' || c.is_ascii_whitespace());
        let is_part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        match token.split('.').count() == 3 && token.split('.').all(is_part) {
            true => Ok(Self(Zeroizing::new(token.to_owned()))),
            false => Err(Error::new(
                ErrorCode::InvalidArgument,
                "this is no consent token (not shown): it must be a signed JWT, three parts of base64url with dots",
            )),
        }
    }
}

impl fmt::Debug for ConsentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for ConsentToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        // serde repeats a value of the wrong type in its error.
        let wrong = |_| D::Error::custom("a consent token must be a text");
        let text = Zeroizing::<String>::deserialize(deserializer).map_err(wrong)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for ConsentToken {
    fn schema_name() -> Cow<'static, str> {
        "ConsentToken".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A consent token of Altinn 2, a signed JWT.",
            "type": "string"
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_altinn_puts_around_it_comes_off() {
        for text in ["e.y.j", "\"e.y.j\"", "'e.y.j'", " \"'e.y.j'\"\r\n"] {
            assert_eq!(text.parse::<ConsentToken>().unwrap().expose(), "e.y.j");
        }
    }

    #[test]
    fn other_texts_are_refused_without_being_shown() {
        for text in [
            "",
            "\"\"",
            "e.y",
            "e..j",
            "e.y.j.",
            "e.y.\"j",
            "e.y\r\n.j",
            "e.é.j",
        ] {
            let error = text.parse::<ConsentToken>().unwrap_err();
            assert!(text.len() < 3 || !error.message().contains(text));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_can_be_a_header(text in "[a-c.'\" \\r\\n:=]{0,12}") {
            if let Ok(token) = text.parse::<ConsentToken>() {
                let again: ConsentToken = token.expose().parse().unwrap();
                prop_assert!(again == token);
                prop_assert!(!token.expose().contains([' ', '\r', '\n', '"', '\'']));
            }
        }
    }
}
