//! Loans.

use std::collections::HashMap;

use serde::Deserialize;

use crate::person_id::PersonId;

/// The table `[lanekassen]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::simulator) struct LanekassenConfig {
    /// The key that clients must send; any when left out.
    pub(super) api_key: Option<String>,
    /// Those that Lånekassen knows, by their identifiers.
    pub(super) persons: HashMap<PersonId, Borrower>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Borrower {
    pub(super) accounts: Vec<Account>,
}

/// A part of a loan.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) name: AccountName,
    /// A decimal, as a text.
    #[serde(default)]
    pub(super) amount: Cents,
    /// `LastChangeDateTime`.
    pub(super) changed: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) enum AccountName {
    #[serde(rename = "Lån")]
    Loan,
    #[serde(rename = "Renter")]
    Interest,
    #[serde(rename = "Gebyr")]
    Fee,
    #[serde(rename = "Omkostninger")]
    Costs,
}

impl AccountName {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Loan => "Lån",
            Self::Interest => "Renter",
            Self::Fee => "Gebyr",
            Self::Costs => "Omkostninger",
        }
    }
}

/// Hundredths of a krone, written as kroner with two decimals.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Cents(pub(super) i64);

impl Cents {
    /// As a JSON number.
    pub(super) fn to_json(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let amount = self.0.unsigned_abs();
        format!("{sign}{}.{:02}", amount / 100, amount % 100)
    }
}

impl TryFrom<String> for Cents {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str = "an amount is a text with two decimals, such as \"1234.50\"";
        let (kroner, rest) = text.split_once('.').ok_or(WRONG)?;
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if rest.len() != 2 || !is_digits(rest) || !is_digits(kroner.trim_start_matches('-')) {
            return Err(WRONG);
        }
        format!("{kroner}{rest}")
            .parse()
            .map(Self)
            .map_err(|_| WRONG)
    }
}
