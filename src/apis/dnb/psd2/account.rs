//! An account and its balances.

use std::fmt;

use serde::Deserialize;

use super::super::{Amount, CurrencyCode};
use super::BankId;

/// An account or a card account, as far as every bank of the Berlin Group describes it.
/// `Debug` shows nothing of it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Account {
    /// The bank's identifier of it, in paths.
    pub resource_id: Option<BankId>,
    /// Its international number.
    pub iban: Option<String>,
    /// Its Norwegian number.
    pub bban: Option<String>,
    /// Its card's number, with some digits hidden (card accounts).
    pub masked_pan: Option<String>,
    /// Its currency.
    pub currency: Option<CurrencyCode>,
    /// What its owner or the bank calls it.
    pub name: Option<String>,
    /// What kind of account it is to the bank.
    pub product: Option<String>,
    /// `enabled`, `deleted` or `blocked`.
    pub status: Option<String>,
    /// Its balances, where the bank gives them with the account.
    #[serde(default)]
    pub balances: Vec<Balance>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account([redacted])")
    }
}

/// A balance. `Debug` shows nothing of it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Balance {
    /// How much.
    pub balance_amount: Amount,
    /// Which, for example `expected` or `interimAvailable`.
    pub balance_type: String,
    /// The day that it is of.
    pub reference_date: Option<String>,
    /// When it last changed.
    pub last_change_date_time: Option<String>,
}

impl fmt::Debug for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Balance([redacted])")
    }
}
