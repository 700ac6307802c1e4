//! Decimal numbers to the digit.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorCode, Result};

/// Most characters of a number.
const MOST: usize = 64;

/// A decimal number as it was written, for example `-12.50`: an amount or a rate, which
/// binary floating point would change. It is read from a JSON text or number, and written
/// as a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal(String);

impl Decimal {
    /// The number as it was written: an optional sign, digits, and maybe a fraction and an
    /// exponent (RFC 8259 section 6).
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when it is written without an exponent, has at most 14 digits before and 3 after
    /// its point, and is more than zero: what may be paid (Berlin Group, "Amount").
    pub(super) fn is_payable(&self) -> bool {
        let (whole, fraction) = self.0.split_once('.').unwrap_or((&self.0, "0"));
        let is_digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        is_digits(whole, 14)
            && is_digits(fraction, 3)
            && self.0.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
    }
}

impl FromStr for Decimal {
    type Err = Error;

    /// # Errors
    /// `INVALID_ARGUMENT`, without the text.
    fn from_str(text: &str) -> Result<Self> {
        match is_number(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(Error::new(
                ErrorCode::InvalidArgument,
                "this is no decimal number; write it as 1234.50, with a point and without blanks",
            )),
        }
    }
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let unsigned_exponent =
        exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    text.len() <= MOST
        && digits(whole)
        && fraction.is_none_or(digits)
        && unsigned_exponent.is_none_or(digits)
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        // A number's own text: serde would make a double of it.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text: Cow<'_, str> = match raw.get().starts_with('"') {
            true => serde_json::from_str::<String>(raw.get())
                .map_err(|_| D::Error::custom("the number's text cannot be read"))?
                .into(),
            false => raw.get().into(),
        };
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Decimal {
    fn schema_name() -> Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A decimal number as text, for example \"1234.50\".",
            "type": ["string", "number"],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_stay_as_they_were_written() {
        for (json, text) in [
            ("0.10", "0.10"),
            ("\"0.10\"", "0.10"),
            (
                "12345678901234567890.123456789",
                "12345678901234567890.123456789",
            ),
            ("-1", "-1"),
            ("1.0E-4", "1.0E-4"),
            ("\"\\u0031\"", "1"),
        ] {
            let read: Decimal = serde_json::from_str(json).unwrap();
            assert_eq!(read.as_str(), text);
            assert_eq!(serde_json::to_string(&read).unwrap(), format!("\"{text}\""));
        }
        for json in [
            "\"1,5\"",
            "\"\"",
            "null",
            "true",
            "\"1 000\"",
            "[1]",
            "\"+1\"",
            "\".5\"",
            "\"NaN\"",
        ] {
            assert!(serde_json::from_str::<Decimal>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn what_may_be_paid() {
        for (text, payable) in [
            ("0.01", true),
            ("100", true),
            ("12345678901234.999", true),
            ("123456789012345", false),
            ("0.0001", false),
            ("0", false),
            ("0.00", false),
            ("-1", false),
            ("1e3", false),
        ] {
            assert_eq!(
                text.parse::<Decimal>().unwrap().is_payable(),
                payable,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_json_number_is_read_and_nothing_else(text in "[-+0-9.eE ]{0,8}") {
            let read = text.parse::<Decimal>();
            if serde_json::from_str::<serde_json::Number>(&text).is_ok() && text.trim() == text {
                prop_assert!(read.is_ok());
            }
            if let Ok(read) = read {
                prop_assert!(read.as_str().parse::<f64>().is_ok());
                prop_assert_eq!(read.as_str(), text);
            }
        }
    }
}
