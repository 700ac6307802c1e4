//! What a bank wants to know of an inquiry: the case, its legal basis, and about whom.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Deserialize;
use time::{Date, Month};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};
use crate::keys::OrgNumber;
use crate::person_id::PersonId;

/// The case that requests belong to. It is the same for all requests of a case, also those
/// about several persons and to several banks.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Case {
    /// The case's own identifier, a UUID that leads the consumer back to the real case
    /// (`AccountInfoRequestID`).
    #[serde(deserialize_with = "parsed")]
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub account_info_request_id: Uuid,
    /// The legal basis in plain text, as "Straffeprosessloven §210 (3) første punktum". It
    /// is percent-encoded when it is sent (`Legal-Mandate`).
    pub legal_mandate: LegalMandate,
    /// What some consumers have to add to the legal basis.
    #[serde(default)]
    pub additional_reference: Option<AdditionalReference>,
    /// Which user at the consumer asks (`RequesterID`).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub requester_id: Option<Zeroizing<String>>,
}

impl Case {
    /// A case with this identifier and legal basis.
    pub fn new(account_info_request_id: Uuid, legal_mandate: LegalMandate) -> Self {
        Self {
            account_info_request_id,
            legal_mandate,
            additional_reference: None,
            requester_id: None,
        }
    }
}

/// Shows the case's identifier only.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("account_info_request_id", &self.account_info_request_id)
            .finish_non_exhaustive()
    }
}

/// A legal basis: a text that is not empty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct LegalMandate(String);

impl LegalMandate {
    /// As it is sent: what JavaScript's `encodeURIComponent` makes of it, which is how
    /// DSOP's documentation writes its examples (Politi-Utlevering, `Legal-Mandate`).
    pub(super) fn encoded(&self) -> String {
        const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
            .remove(b'-')
            .remove(b'.')
            .remove(b'_')
            .remove(b'~')
            .remove(b'!')
            .remove(b'*')
            .remove(b'\'')
            .remove(b'(')
            .remove(b')');
        utf8_percent_encode(&self.0, ENCODED).to_string()
    }
}

impl FromStr for LegalMandate {
    type Err = Error;

    /// # Errors
    /// `INVALID_ARGUMENT` for an empty text, and for one that is encoded already.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let is_encoded = text.split('%').skip(1).any(|after| {
            let digits = after.as_bytes().get(..2);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        });
        match (text.is_empty(), is_encoded) {
            (true, _) => Err(invalid("the legal mandate is empty; name the legal basis")),
            (_, true) => Err(invalid(
                "the legal mandate is percent-encoded already; give the plain text, which is encoded when it is sent",
            )),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl TryFrom<String> for LegalMandate {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

/// A reference beside the legal basis, and what it is.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdditionalReference {
    /// What `id` is (`AdditionalReferenceIDType`).
    #[serde(rename = "type")]
    pub kind: AdditionalReferenceType,
    /// The reference (`AdditionalReferenceID`). For the police it is the signed order
    /// itself, a JWS.
    #[schemars(with = "String")]
    pub id: Zeroizing<String>,
}

/// Shows the type only.
impl fmt::Debug for AdditionalReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdditionalReference")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// The types of references (DSOP Control's OpenAPI 2.0.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AdditionalReferenceType {
    /// An order of the police.
    Pol1,
    /// A reference of Statens sivilrettsforvaltning and others (`srf`).
    Srf,
}

impl AdditionalReferenceType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pol1 => "pol1",
            Self::Srf => "srf",
        }
    }
}

/// About whom a bank is asked. `Debug` does not show a person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Zeroizing<String>")]
#[schemars(with = "String")]
pub enum Party {
    /// A person, by fødselsnummer or D-number.
    Person(PersonId),
    /// An organisation.
    Organisation(OrgNumber),
}

impl Party {
    /// The 11 or nine digits. Those of a person must not be logged.
    pub(super) fn expose(&self) -> &str {
        match self {
            Self::Person(person) => person.expose(),
            Self::Organisation(organisation) => organisation.as_str(),
        }
    }
}

impl FromStr for Party {
    type Err = Error;

    /// # Errors
    /// `INVALID_ARGUMENT`, without the text.
    fn from_str(text: &str) -> Result<Self> {
        match text.len() {
            9 => text.parse().map(Self::Organisation),
            _ => text.parse().map(Self::Person),
        }
    }
}

impl TryFrom<Zeroizing<String>> for Party {
    type Error = Error;

    fn try_from(text: Zeroizing<String>) -> Result<Self> {
        text.parse()
    }
}

/// The days that are asked about, both included. Without a day it is today.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    from: Option<Date>,
    to: Option<Date>,
}

impl Period {
    /// From one day to another, each as in `2026-11-21`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a day that is none, or when the end is before the beginning.
    pub fn new(from: Option<&str>, to: Option<&str>) -> Result<Self> {
        let day = |text: Option<&str>, name: &str| {
            let read = |text| {
                day(text)
                    .ok_or_else(|| invalid(&format!("{name} is no day; write it as in 2026-11-21")))
            };
            text.map(read).transpose()
        };
        let period = Self {
            from: day(from, "from_date")?,
            to: day(to, "to_date")?,
        };
        match (period.from, period.to) {
            (Some(from), Some(to)) if to < from => {
                Err(invalid("to_date is before from_date; exchange them"))
            }
            _ => Ok(period),
        }
    }

    /// The names and values of the query.
    pub(super) fn query(self) -> Vec<(&'static str, String)> {
        let text = |date: Date| {
            format!(
                "{:04}-{:02}-{:02}",
                date.year(),
                u8::from(date.month()),
                date.day()
            )
        };
        let from = self.from.map(|from| ("fromDate", text(from)));
        let to = self.to.map(|to| ("toDate", text(to)));
        from.into_iter().chain(to).collect()
    }
}

/// A calendar date of ISO 8601 in its extended form.
fn day(text: &str) -> Option<Date> {
    let is_form = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !is_form {
        return None;
    }
    let month: u8 = text[5..7].parse().ok()?;
    let month = Month::try_from(month).ok()?;
    Date::from_calendar_date(text[..4].parse().ok()?, month, text[8..].parse().ok()?).ok()
}

fn parsed<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Uuid, D::Error> {
    let text = String::deserialize(deserializer)?;
    Uuid::parse_str(&text).map_err(|_| serde::de::Error::custom("this is no UUID"))
}

fn invalid(problem: &str) -> Error {
    Error::new(ErrorCode::InvalidArgument, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mandate_is_encoded_as_the_documentation_does() {
        let mandate: LegalMandate = "Straffeprosessloven §210 (3) første punktum"
            .parse()
            .unwrap();
        assert_eq!(
            mandate.encoded(),
            "Straffeprosessloven%20%C2%A7210%20(3)%20f%C3%B8rste%20punktum"
        );
        assert!(mandate.encoded().parse::<LegalMandate>().is_err());
        assert!(" ".parse::<LegalMandate>().is_err());
        assert!("50% av § 3".parse::<LegalMandate>().is_ok());
    }

    #[test]
    fn days_are_of_the_calendar_and_in_order() {
        let period = Period::new(Some("2024-02-29"), Some("2024-03-01")).unwrap();
        let expected = [("fromDate", "2024-02-29"), ("toDate", "2024-03-01")];
        assert_eq!(
            period.query(),
            expected.map(|(name, day)| (name, day.to_owned()))
        );
        for (from, to) in [
            ("2023-02-29", "2024-03-01"),
            ("2024-03-02", "2024-03-01"),
            ("2024-3-2", "2024-03-05"),
            ("20240302", "2024-03-05"),
            ("+024-03-02", "2024-03-05"),
            ("2024-03-ø", "2024-03-05"),
        ] {
            assert!(Period::new(Some(from), Some(to)).is_err(), "{from} {to}");
        }
    }
}
