//! Personal identifiers: fødselsnummer and D-number.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};

/// A fødselsnummer (of a resident) or D-number (of others): the 11 digits that identify
/// a person in Norway. Its control digits are right, by today's rule or by that for
/// numbers given from 2032 on; so are those of the synthetic persons in the test
/// environments.
///
/// Its memory is wiped, and neither `Debug` nor an error shows it. It has no `Serialize`:
/// whoever sends it says so with [`PersonId::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct PersonId(Zeroizing<String>);

impl PersonId {
    /// The 11 digits. They must not be logged.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for PersonId {
    type Err = Error;

    /// # Errors
    /// `INVALID_ARGUMENT`, without the digits.
    fn from_str(text: &str) -> Result<Self> {
        let refuse = |why: String| {
            Error::new(
                ErrorCode::InvalidArgument,
                format!("this is no personal identifier (fødselsnummer or D-number): {why}"),
            )
        };
        let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
        let Some(digits) = digits.filter(|digits| digits.len() == 11) else {
            return Err(refuse(format!(
                "it must be 11 digits, and has {} characters (not shown)",
                text.chars().count()
            )));
        };
        // 40 is added to the day of birth in a D-number.
        let day = digits[0] * 10 + digits[1];
        if !matches!(day, 1..=31 | 41..=71) {
            return Err(refuse(
                "it does not begin with a day (not shown)".to_owned(),
            ));
        }
        if !has_right_control_digits(&digits) {
            return Err(refuse(
                "its control digits are wrong; look for a typing error (not shown)".to_owned(),
            ));
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

/// `text` with `[redacted]` for each number of 11 or more digits, which may be a person's
/// or an account's: for messages that show a URL.
pub(crate) fn without_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !c.is_ascii_digit());
        let (number, after) = from.split_at(end.unwrap_or(from.len()));
        shown.push_str(before);
        shown.push_str(match number.len() {
            11.. => "[redacted]",
            _ => number,
        });
        rest = after;
    }
    shown + rest
}

/// Both weighted sums are multiples of 11; for numbers given from 2032 on the first may
/// leave 1, 2 or 3 too (Skatteetaten, folkeregisteret-api-dokumentasjon,
/// `nyttfnr2032.md`).
fn has_right_control_digits(digits: &[u32]) -> bool {
    let remainder = |weights: &[u32]| {
        let products = digits.iter().zip(weights).map(|(digit, by)| digit * by);
        products.sum::<u32>() % 11
    };
    remainder(&[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) <= 3
        && remainder(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) == 0
}

impl<'de> Deserialize<'de> for PersonId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        // serde repeats a value of the wrong type in its error.
        let wrong = |_| D::Error::custom("a personal identifier must be a text of 11 digits");
        let text = Zeroizing::<String>::deserialize(deserializer).map_err(wrong)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for PersonId {
    fn schema_name() -> Cow<'static, str> {
        "PersonId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A fødselsnummer or D-number: 11 digits with right control digits.",
            "type": "string",
            "pattern": "^[0-9]{11}$"
        })
    }
}

impl Hash for PersonId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}

impl fmt::Debug for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_of_both_rules_are_read() {
        // KRR's pilot documentation, Tenor's synthetic persons, Skatteetaten's examples for
        // 2032.
        for number in [
            "23079422568",
            "23079421936",
            "05848998356",
            "24014021406",
            "02013299997",
            "02013299903",
            "30108299920",
            "30108299939",
        ] {
            assert!(number.parse::<PersonId>().is_ok(), "{number}");
        }
    }

    #[test]
    fn one_wrong_digit_is_found_and_not_shown() {
        let right = "23079422568";
        for index in 0..11 {
            for digit in b'0'..=b'9' {
                let mut bytes = right.as_bytes().to_vec();
                bytes[index] = digit;
                let number = String::from_utf8(bytes).unwrap();
                let read = number.parse::<PersonId>();
                assert!(number == right || read.is_err(), "{number}");
                if let Err(error) = read {
                    assert!(!error.to_string().contains(&number));
                }
            }
        }
    }

    #[test]
    fn long_numbers_are_not_shown() {
        for (text, shown) in [
            ("", ""),
            ("/v1/23079422568/2024", "/v1/[redacted]/2024"),
            ("230794225680", "[redacted]"),
            ("æ1234567890å", "æ1234567890å"),
        ] {
            assert_eq!(without_numbers(text), shown);
        }
    }

    #[test]
    fn other_texts_are_refused_without_being_shown() {
        for text in [
            "",
            "2307942256",
            "230794225680",
            "23079422568 ",
            "٢3079422568",
            "00000000000",
        ] {
            let error = text.parse::<PersonId>().unwrap_err();
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
        let number: std::result::Result<PersonId, _> = serde_json::from_str("23079422568");
        assert!(!number.unwrap_err().to_string().contains("2307942"));
    }
}
