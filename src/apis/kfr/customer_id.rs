//! Who a customer is.

use std::str::FromStr;

use crate::error::{Error, ErrorCode, Result};
use crate::keys::OrgNumber;
use crate::person_id::PersonId;

/// A customer: an organisation (9 digits) or a person (11 digits), with right control
/// digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CustomerId {
    /// An organisation number.
    Organisation(OrgNumber),
    /// A fødselsnummer or D-number.
    Person(PersonId),
}

impl CustomerId {
    /// The digits. They must not be logged.
    pub fn expose(&self) -> &str {
        match self {
            Self::Organisation(number) => number.as_str(),
            Self::Person(person) => person.expose(),
        }
    }
}

impl FromStr for CustomerId {
    type Err = Error;

    /// # Errors
    /// `INVALID_ARGUMENT`, without the text.
    fn from_str(text: &str) -> Result<Self> {
        match text.len() {
            9 => text.parse().map(Self::Organisation),
            11 => text.parse().map(Self::Person),
            _ => Err(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "a customer is an organisation number (9 digits) or a personal identifier (11 digits); this has \
                     {} characters (not shown)",
                    text.chars().count()
                ),
            )),
        }
    }
}
