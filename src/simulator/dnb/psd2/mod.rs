//! Accounts and payments for third parties, as the Berlin Group's NextGenPSD2 has them and
//! DNB's samples use them (DNBbank/getting-started).

mod accounts;
mod consents;
mod messages;
mod payments;
mod request;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use serde::Deserialize;
use serde_json::Value;

use super::super::state::State;
use consents::Consent;
use payments::Payment;

pub(in super::super) const PSD2_PATH: &str = "/dnb/psd2";
pub(in super::super) const PREFIX: &str = "/dnb/psd2/";

/// Settings of the accounts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Psd2Config {
    /// Empty: everybody has one account.
    accounts: Vec<Account>,
}

/// An account and what happened on it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    /// Whose it is. `None`: everybody's.
    #[serde(default)]
    psu_id: Option<String>,
    resource_id: String,
    bban: String,
    #[serde(default = "nok")]
    currency: String,
    #[serde(default)]
    name: String,
    /// Decimal text.
    balance: String,
    /// As the API gives them; those without `bookingDate` are pending.
    #[serde(default)]
    transactions: Vec<Value>,
    /// Listed under `card-accounts`.
    #[serde(default)]
    card: bool,
}

fn nok() -> String {
    "NOK".to_owned()
}

/// What third parties asked for.
pub(in super::super) struct Psd2 {
    accounts: Vec<Account>,
    asked: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    consents: BTreeMap<String, Consent>,
    payments: BTreeMap<String, Payment>,
}

impl Psd2 {
    pub(super) fn new(config: Psd2Config) -> Self {
        let mut accounts = config.accounts;
        if accounts.is_empty() {
            accounts.push(Account {
                psu_id: None,
                resource_id: "konto-1".to_owned(),
                bban: "12035864022".to_owned(),
                currency: nok(),
                name: "Brukskonto".to_owned(),
                balance: "1234.50".to_owned(),
                transactions: Vec::new(),
                card: false,
            });
        }
        Self {
            accounts,
            asked: Mutex::default(),
        }
    }

    /// What a person does at the bank with a consent or a payment.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in super::super) fn approve(&self, id: &str) -> Result<(), &'static str> {
        let mut asked = self.asked();
        if let Some(consent) = asked.consents.get_mut(id) {
            return consent.approve();
        }
        match asked.payments.get_mut(id) {
            Some(payment) => payment.approve(),
            None => Err("no consent and no payment has this id"),
        }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .merge(accounts::routes())
        .merge(consents::routes())
        .merge(payments::routes())
}
