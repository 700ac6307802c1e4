//! A payment, before it is sent.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Amount;
use super::AccountReference;
use crate::error::{Error, ErrorCode, Result};

/// The kind of a payment, for example `norwegian-domestic-credit-transfers`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PaymentProduct(String);

impl PaymentProduct {
    /// The name in paths.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PaymentProduct {
    type Err = Error;

    /// # Errors
    /// `INVALID_ARGUMENT`.
    fn from_str(text: &str) -> Result<Self> {
        let is_allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match !text.is_empty() && text.bytes().all(is_allowed) {
            true => Ok(Self(text.to_owned())),
            false => Err(wrong(
                "a payment product has small letters, digits and '-', as norwegian-domestic-credit-transfers",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for PaymentProduct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for PaymentProduct {
    fn schema_name() -> Cow<'static, str> {
        "PaymentProduct".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[a-z0-9-]+$" })
    }
}

/// A credit transfer. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Wire", into = "Wire")]
#[schemars(with = "Wire")]
pub struct Payment(Wire);

impl Payment {
    /// `amount` from `debtor` to `creditor`, who is called `creditor_name`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an amount that is not more than zero, or has more than 14 digits
    /// before and 3 after its point; and without a name.
    pub fn new(
        amount: Amount,
        debtor: AccountReference,
        creditor: AccountReference,
        creditor_name: impl Into<String>,
    ) -> Result<Self> {
        Self::try_from(Wire {
            instructed_amount: amount,
            debtor_account: debtor,
            creditor_account: creditor,
            creditor_name: creditor_name.into(),
            other: Map::new(),
        })
    }

    /// The same with another member that the product has, for example
    /// `remittanceInformationUnstructured`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a member that the payment has already, and for a number that
    /// is no whole one: amounts are texts.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Result<Self> {
        let name = name.into();
        if OWN.contains(&name.as_str()) {
            return Err(wrong("the payment has this member already"));
        }
        self.0.other.insert(name, value.into());
        Self::try_from(self.0)
    }
}

/// The members that every payment has.
const OWN: [&str; 4] = [
    "instructedAmount",
    "debtorAccount",
    "creditorAccount",
    "creditorName",
];

/// A credit transfer, as the bank is sent it.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Wire {
    instructed_amount: Amount,
    debtor_account: AccountReference,
    creditor_account: AccountReference,
    creditor_name: String,
    /// What else the product has. Amounts are texts.
    #[serde(flatten)]
    other: Map<String, Value>,
}

impl TryFrom<Wire> for Payment {
    type Error = Error;

    fn try_from(wire: Wire) -> Result<Self> {
        if !wire.instructed_amount.amount.is_payable() {
            return Err(wrong(
                "the amount of a payment is more than zero, with at most 14 digits before and 3 after the point",
            ));
        }
        if wire.creditor_name.trim().is_empty() {
            return Err(wrong("the payment does not say who is paid (creditorName)"));
        }
        if wire.other.values().any(has_fraction) {
            return Err(wrong(
                "the payment has a number that is no whole one; write amounts as texts, \"12.50\"",
            ));
        }
        Ok(Self(wire))
    }
}

/// A number that binary floating point may have changed.
fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}

impl From<Payment> for Wire {
    fn from(payment: Payment) -> Self {
        payment.0
    }
}

impl fmt::Debug for Payment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payment([redacted])")
    }
}

fn wrong(problem: &str) -> Error {
    Error::new(ErrorCode::InvalidArgument, problem)
}
