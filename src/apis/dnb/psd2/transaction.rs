//! Transactions of an account.

use std::fmt;

use serde::Deserialize;

use super::super::Amount;
use super::BankId;
use super::links::Links;

/// A transaction, as far as every bank of the Berlin Group describes it. `Debug` shows
/// nothing of it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Transaction {
    /// The bank's identifier of it.
    #[serde(alias = "cardTransactionId")]
    pub transaction_id: Option<BankId>,
    /// The day on which it was booked; none for one that is pending.
    pub booking_date: Option<String>,
    /// The day from which it counts for interest.
    pub value_date: Option<String>,
    /// How much, negative for what went out.
    pub transaction_amount: Amount,
    /// Who got it.
    pub creditor_name: Option<String>,
    /// Who paid it.
    pub debtor_name: Option<String>,
    /// What was said with it.
    #[serde(alias = "transactionDetails")]
    pub remittance_information_unstructured: Option<String>,
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transaction([redacted])")
    }
}

/// Transactions of one account in a period.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Transactions {
    /// Those that are booked.
    pub booked: Vec<Transaction>,
    /// Those that are not yet.
    pub pending: Vec<Transaction>,
    /// True when the bank has more of them than are here; ask for a shorter period.
    pub is_more: bool,
}

/// `transactions`, or `cardTransactions` of a card account.
#[derive(Deserialize)]
pub(super) struct Wire {
    #[serde(alias = "cardTransactions")]
    transactions: Lists,
    #[serde(rename = "_links", default)]
    links: Links,
}

#[derive(Deserialize)]
struct Lists {
    #[serde(default)]
    booked: Vec<Transaction>,
    #[serde(default)]
    pending: Vec<Transaction>,
    #[serde(rename = "_links", default)]
    links: Links,
}

impl From<Wire> for Transactions {
    fn from(wire: Wire) -> Self {
        let has_next = |links: &Links| {
            links
                .next
                .as_ref()
                .is_some_and(|link| !link.href().is_empty())
        };
        Self {
            is_more: has_next(&wire.links) || has_next(&wire.transactions.links),
            booked: wire.transactions.booked,
            pending: wire.transactions.pending,
        }
    }
}
