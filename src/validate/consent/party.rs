//! Who a consent is about.

use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};
use crate::keys::OrgNumber;
use crate::person_id::PersonId;

const PERSON: &str = "urn:altinn:person:identifier-no:";
const ORGANISATION: &str = "urn:altinn:organization:identifier-no:";

/// A person or an organisation that gives a consent. `Debug` shows no person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Party {
    /// A person.
    Person(PersonId),
    /// An organisation.
    Organisation(OrgNumber),
}

impl Party {
    /// The name that Altinn has for it: `urn:altinn:person:identifier-no:…` or
    /// `urn:altinn:organization:identifier-no:…`. It must not be logged.
    pub fn to_urn(&self) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Person(person) => format!("{PERSON}{}", person.expose()),
            Self::Organisation(orgno) => format!("{ORGANISATION}{orgno}"),
        })
    }
}

impl FromStr for Party {
    type Err = Error;

    /// Reads Altinn's name for it, or the number alone: 11 digits are a person's, 9 an
    /// organisation's.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, without the digits.
    fn from_str(text: &str) -> Result<Self> {
        if let Some(person) = text.strip_prefix(PERSON) {
            return person.parse().map(Self::Person);
        }
        if let Some(orgno) = text.strip_prefix(ORGANISATION) {
            return orgno.parse().map(Self::Organisation);
        }
        match text.len() {
            11 => text.parse().map(Self::Person),
            9 => text.parse().map(Self::Organisation),
            _ => Err(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "this is neither a person nor an organisation (not shown): give 11 or 9 digits, \
                     {PERSON}<11 digits> or {ORGANISATION}<9 digits>"
                ),
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Party {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        // serde repeats a value of the wrong type in its error.
        let wrong = |_| D::Error::custom("a person or an organisation must be a text");
        let text = Zeroizing::<String>::deserialize(deserializer).map_err(wrong)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_are_read_and_no_person_is_shown() {
        for (text, urn) in [
            ("23079422568", "urn:altinn:person:identifier-no:23079422568"),
            (
                "910753614",
                "urn:altinn:organization:identifier-no:910753614",
            ),
        ] {
            let party: Party = text.parse().unwrap();
            assert_eq!(*party.to_urn(), urn);
            assert_eq!(urn.parse::<Party>().unwrap(), party);
        }
        let person: Party = "23079422568".parse().unwrap();
        assert_eq!(format!("{person:?}"), "Person([redacted])");
    }

    #[test]
    fn other_texts_are_refused_without_being_shown() {
        for text in [
            "",
            "23079422569",
            "910753615",
            "urn:altinn:person:identifier-no:910753614",
            "urn:altinn:organization:identifier-no:23079422568",
            "urn:altinn:person:identifier-no: 23079422568",
            "0192:910753614",
        ] {
            let error = text.parse::<Party>().unwrap_err();
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_written(text in "(urn:altinn:[a-z]{1,12}:identifier-no:)?\\PC{0,12}") {
            if let Ok(party) = text.parse::<Party>() {
                prop_assert!(party.to_urn().ends_with(&text));
            }
        }
    }
}
