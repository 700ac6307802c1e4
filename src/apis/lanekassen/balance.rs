//! What a person owes Lånekassen. Serialises with Lånekassen's own names, amounts as texts.

use std::fmt;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::apis::code_list::codes;
use crate::apis::decimal::Decimal;
use crate::person_id::PersonId;

/// The balance of a student loan. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Balance {
    /// `Accounts`: none for a person without a loan, up to four.
    pub accounts: Vec<Account>,
    /// `TotalAmount`: the sum.
    pub total_amount: Decimal,
}

/// One part of the loan.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Account {
    /// `Name`.
    pub name: AccountName,
    /// `Bban`: the identifier of the person who owes.
    #[serde(
        default,
        serialize_with = "expose",
        deserialize_with = "person",
        skip_serializing_if = "Option::is_none"
    )]
    pub bban: Option<PersonId>,
    /// `Balances`.
    pub balances: Vec<Booked>,
    /// `Assert`, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assert: Option<String>,
}

codes! {
    /// Which part of the loan an account is.
    AccountName {
        /// The loan itself.
        Loan = "Lån",
        /// Interest.
        Interest = "Renter",
        /// Fees.
        Fee = "Gebyr",
        /// Costs.
        Costs = "Omkostninger",
    }
}

/// An amount, and when it was booked.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Booked {
    /// `BalanceType`.
    pub balance_type: BalanceType,
    /// `BalanceAmount`.
    pub balance_amount: Money,
    /// `LastChangeDateTime`, as it came: ISO 8601, whether with an offset is not documented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_change_date_time: Option<String>,
}

codes! {
    /// What a balance counts.
    BalanceType {
        /// What was booked at the end of the day.
        ClosingBooked = "closingBooked",
    }
}

/// An amount of a currency.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Money {
    /// ISO 4217, for example `NOK`.
    pub currency: String,
    /// How much.
    pub amount: Decimal,
}

impl Balance {
    /// Whether no account is somebody else's.
    pub(super) fn is_about(&self, person: &PersonId) -> bool {
        let mut owners = self
            .accounts
            .iter()
            .filter_map(|account| account.bban.as_ref());
        owners.all(|owner| owner == person)
    }
}

/// An identifier, or none where the text is empty.
fn person<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PersonId>, D::Error> {
    match Option::<Zeroizing<String>>::deserialize(deserializer)? {
        Some(text) if !text.is_empty() => text.parse().map(Some).map_err(D::Error::custom),
        _ => Ok(None),
    }
}

fn expose<S: Serializer>(person: &Option<PersonId>, serializer: S) -> Result<S::Ok, S::Error> {
    person.as_ref().map(PersonId::expose).serialize(serializer)
}

impl fmt::Debug for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Balance([redacted])")
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account([redacted])")
    }
}

impl fmt::Debug for Booked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Booked([redacted])")
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Money([redacted])")
    }
}
