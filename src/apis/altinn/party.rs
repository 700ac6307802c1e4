//! Who gives a consent, or is asked for it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};
use crate::keys::OrgNumber;
use crate::person_id::PersonId;

const PERSON: &str = "urn:altinn:person:identifier-no:";
const ORGANISATION: &str = "urn:altinn:organization:identifier-no:";

/// A person or an organisation, as Altinn names them. `Debug` does not show a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AltinnParty {
    /// `urn:altinn:person:identifier-no:…`
    Person(PersonId),
    /// `urn:altinn:organization:identifier-no:…`
    Organisation(OrgNumber),
}

impl AltinnParty {
    /// The URN. That of a person must not be logged.
    pub fn to_urn(&self) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Person(person) => format!("{PERSON}{}", person.expose()),
            Self::Organisation(orgno) => format!("{ORGANISATION}{orgno}"),
        })
    }
}

impl FromStr for AltinnParty {
    type Err = Error;

    /// # Errors
    /// `INVALID_ARGUMENT`, without the text.
    fn from_str(text: &str) -> Result<Self> {
        if let Some(person) = text.strip_prefix(PERSON) {
            person.parse().map(Self::Person)
        } else if let Some(orgno) = text.strip_prefix(ORGANISATION) {
            orgno.parse().map(Self::Organisation)
        } else {
            Err(Error::new(
                ErrorCode::InvalidArgument,
                format!("a party is {PERSON}<11 digits> or {ORGANISATION}<9 digits>"),
            ))
        }
    }
}

impl From<PersonId> for AltinnParty {
    fn from(person: PersonId) -> Self {
        Self::Person(person)
    }
}

impl From<OrgNumber> for AltinnParty {
    fn from(orgno: OrgNumber) -> Self {
        Self::Organisation(orgno)
    }
}

impl fmt::Display for AltinnParty {
    /// An organisation's URN; a person's without the number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(_) => write!(f, "{PERSON}[redacted]"),
            Self::Organisation(orgno) => write!(f, "{ORGANISATION}{orgno}"),
        }
    }
}

impl<'de> Deserialize<'de> for AltinnParty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        // serde repeats a value of the wrong type in its error.
        let wrong = |_| D::Error::custom("a party must be a text");
        let text = Zeroizing::<String>::deserialize(deserializer).map_err(wrong)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for AltinnParty {
    fn schema_name() -> Cow<'static, str> {
        "AltinnParty".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A person or an organisation.",
            "type": "string",
            "pattern": "^urn:altinn:(person:identifier-no:[0-9]{11}|organization:identifier-no:[0-9]{9})$"
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parties_are_read_and_written_alike() {
        for urn in [
            "urn:altinn:person:identifier-no:23079422568",
            "urn:altinn:organization:identifier-no:910753614",
        ] {
            let party: AltinnParty = urn.parse().unwrap();
            assert_eq!(party.to_urn().as_str(), urn);
            assert!(!format!("{party:?} {party}").contains("23079422568"));
        }
        for urn in [
            "23079422568",
            "urn:altinn:person:identifier-no:23079422569",
            "urn:altinn:organisation:identifier-no:910753614",
            "urn:altinn:organization:identifier-no:910753615",
        ] {
            assert!(urn.parse::<AltinnParty>().is_err(), "{urn}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_party_or_not(text in "(urn:altinn:(person|organization):identifier-no:)?.{0,12}") {
            if let Ok(party) = text.parse::<AltinnParty>() {
                let urn = party.to_urn();
                prop_assert_eq!(urn.as_str(), text);
            }
        }
    }
}
