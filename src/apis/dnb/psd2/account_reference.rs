//! Account numbers.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::CurrencyCode;
use crate::error::{Error, ErrorCode, Result};

/// An account by its number: an IBAN with right check digits, or the number that its
/// country uses (BBAN), 11 digits in Norway. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Wire", into = "Wire")]
#[schemars(with = "Wire")]
pub struct AccountReference {
    number: Number,
    currency: Option<CurrencyCode>,
}

#[derive(Clone, PartialEq, Eq)]
enum Number {
    Iban(Zeroizing<String>),
    Bban(Zeroizing<String>),
}

impl AccountReference {
    /// An account by its IBAN, without blanks.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, without the number.
    pub fn iban(number: &str) -> Result<Self> {
        if !is_iban(number) {
            return Err(wrong(
                "this is no IBAN; its check digits or its form are wrong, or it has blanks",
            ));
        }
        Ok(Self {
            number: Number::Iban(Zeroizing::new(number.to_owned())),
            currency: None,
        })
    }

    /// An account by the number that its country uses: at most 30 letters and digits.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, without the number.
    pub fn bban(number: &str) -> Result<Self> {
        let is_bban = (1..=30).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match is_bban {
            true => Ok(Self {
                number: Number::Bban(Zeroizing::new(number.to_owned())),
                currency: None,
            }),
            false => Err(wrong(
                "an account number (BBAN) has letters and digits, without blanks and points",
            )),
        }
    }

    /// The same, in one currency of an account that has several.
    #[must_use]
    pub fn in_currency(mut self, currency: CurrencyCode) -> Self {
        self.currency = Some(currency);
        self
    }
}

/// ISO 13616: country, two check digits, up to 30 characters; modulo 97 it leaves 1.
fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_shaped = (15..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes[4..]
            .iter()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    if !is_shaped {
        return false;
    }
    let moved = bytes[4..].iter().chain(&bytes[..4]);
    let remainder = moved.fold(0_u32, |sum, byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    remainder == 1
}

/// Exactly one of `iban` and `bban`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wire {
    /// Excludes `bban`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    iban: Option<Zeroizing<String>>,
    /// Excludes `iban`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    bban: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<CurrencyCode>,
}

impl TryFrom<Wire> for AccountReference {
    type Error = Error;

    fn try_from(wire: Wire) -> Result<Self> {
        let account = match (&wire.iban, &wire.bban) {
            (Some(iban), None) => Self::iban(iban)?,
            (None, Some(bban)) => Self::bban(bban)?,
            _ => return Err(wrong("an account has either \"iban\" or \"bban\"")),
        };
        Ok(Self {
            currency: wire.currency,
            ..account
        })
    }
}

impl From<AccountReference> for Wire {
    fn from(account: AccountReference) -> Self {
        let (iban, bban) = match account.number {
            Number::Iban(number) => (Some(number), None),
            Number::Bban(number) => (None, Some(number)),
        };
        Self {
            iban,
            bban,
            currency: account.currency,
        }
    }
}

impl fmt::Debug for AccountReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountReference([redacted])")
    }
}

fn wrong(problem: &str) -> Error {
    Error::new(ErrorCode::InvalidArgument, problem)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_wrong_digit_of_an_iban_is_found() {
        // The example of ISO 13616's register for Norway.
        let right = "NO9386011117947";
        assert!(is_iban(right));
        for at in 2..right.len() {
            for digit in '0'..='9' {
                let mut text = right.to_owned();
                text.replace_range(at..=at, &digit.to_string());
                assert_eq!(is_iban(&text), text == right, "{text}");
            }
        }
        for text in ["", "NO93 8601 1117 947", "no9386011117947", "NO93"] {
            assert!(AccountReference::iban(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[A-Z]{2}[0-9]{2}[A-Z0-9]{8,32}|.{0,40}") {
            is_iban(&text);
            let _ = AccountReference::bban(&text);
        }
    }
}
