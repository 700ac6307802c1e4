//! `PSU-ID`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};
use crate::person_id::PersonId;

/// Who the bank is to ask: a person by fødselsnummer or D-number, or a user of a business
/// by two letters and five digits. `Debug` and errors do not show it.
#[derive(Clone, PartialEq, Eq)]
pub enum PsuId {
    /// A person.
    Person(PersonId),
    /// A user of a business, for example `TB76688`.
    Business(Zeroizing<String>),
}

impl PsuId {
    /// As it is sent. It must not be logged.
    pub fn expose(&self) -> &str {
        match self {
            Self::Person(person) => person.expose(),
            Self::Business(user) => user,
        }
    }
}

impl FromStr for PsuId {
    type Err = Error;

    /// # Errors
    /// `INVALID_ARGUMENT`, without the text.
    fn from_str(text: &str) -> Result<Self> {
        let is_business = text.len() == 7
            && text.bytes().enumerate().all(|(at, byte)| match at {
                0 | 1 => byte.is_ascii_alphabetic(),
                _ => byte.is_ascii_digit(),
            });
        if is_business {
            return Ok(Self::Business(Zeroizing::new(text.to_owned())));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Self::Person);
        }
        Err(Error::new(
            ErrorCode::InvalidArgument,
            "a PSU-ID is a personal identifier of 11 digits, or two letters and five digits for a user of a business",
        ))
    }
}

impl fmt::Debug for PsuId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for PsuId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        // serde repeats a value of the wrong type in its error.
        let wrong = |_| D::Error::custom("a PSU-ID must be a text");
        let text = Zeroizing::<String>::deserialize(deserializer).map_err(wrong)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for PsuId {
    fn schema_name() -> Cow<'static, str> {
        "PsuId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A fødselsnummer or D-number, or two letters and five digits for a user of a business.",
            "type": "string",
            "pattern": "^([0-9]{11}|[A-Za-z]{2}[0-9]{5})$"
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn persons_and_users_are_told_apart(text in "[A-Za-z]{2}[0-9]{5}|[0-9]{11}|.{0,12}") {
            match text.parse::<PsuId>() {
                Ok(PsuId::Person(person)) => prop_assert_eq!(person.expose(), text),
                Ok(PsuId::Business(user)) => {
                    prop_assert_eq!(user.len(), 7);
                    prop_assert_eq!(user.as_str(), text);
                }
                Err(error) => prop_assert!(text.len() < 6 || !error.to_string().contains(&text)),
            }
        }
    }

    #[test]
    fn the_forms_that_dnb_names_are_read() {
        assert!(matches!("23079422568".parse(), Ok(PsuId::Person(_))));
        assert!(matches!("TB76688".parse(), Ok(PsuId::Business(_))));
        for text in [
            "",
            "23079422569",
            "T476688",
            "TB7668",
            "TB766888",
            "ØB76688",
        ] {
            assert!(text.parse::<PsuId>().is_err(), "{text}");
        }
    }
}
