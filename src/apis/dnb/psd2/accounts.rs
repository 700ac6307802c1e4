//! Reading accounts with a consent.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::super::super::errors::json;
use super::super::super::iso_date::IsoDate;
use super::transaction::Wire;
use super::{Account, Answer, Balance, BankId, DnbPsd2, Outgoing, Psu, Transactions};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};

/// Accounts, or the accounts of credit cards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// `/v1/accounts`
    #[default]
    Accounts,
    /// `/v1/card-accounts`
    CardAccounts,
}

impl AccountKind {
    fn path(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::CardAccounts => "card-accounts",
        }
    }
}

/// With which consent accounts are read, and for whom.
#[derive(Debug, Clone)]
pub struct AccountUse {
    kind: AccountKind,
    consent: BankId,
    psu: Psu,
}

impl AccountUse {
    /// Accounts of `kind` with `consent`, for `psu`.
    pub fn new(kind: AccountKind, consent: BankId, psu: Psu) -> Self {
        Self { kind, consent, psu }
    }
}

/// Which transactions (Berlin Group, NextGenPSD2 section 6.5.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BookingStatus {
    /// Those that are booked.
    Booked,
    /// Those that are not yet.
    Pending,
    /// Both.
    #[default]
    Both,
}

impl BookingStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Pending => "pending",
            Self::Both => "both",
        }
    }
}

/// Which transactions are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransactionQuery {
    status: BookingStatus,
    from: Option<IsoDate>,
    to: Option<IsoDate>,
}

impl TransactionQuery {
    /// Transactions of the days `from` to `to`, both included; left out, as far as the bank
    /// gives them.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when `to` comes before `from`.
    pub fn new(status: BookingStatus, from: Option<IsoDate>, to: Option<IsoDate>) -> Result<Self> {
        match (from, to) {
            (Some(from), Some(to)) if to < from => Err(Error::new(
                ErrorCode::InvalidArgument,
                format!("the period ends on {to}, before it begins on {from}"),
            )),
            _ => Ok(Self { status, from, to }),
        }
    }
}

impl DnbPsd2 {
    /// The accounts of the consent.
    ///
    /// # Errors
    /// `API_CONSENT_REFUSED` for a consent that is no longer good; otherwise as
    /// [`DnbPsd2::create_consent`].
    pub fn accounts(&self, with: &AccountUse, call: &Call) -> Result<Vec<Account>> {
        read_accounts(&self.get(with, &[], &[], call)?)
    }

    /// One account.
    ///
    /// # Errors
    /// As [`DnbPsd2::accounts`], and `API_NOT_FOUND`.
    pub fn account(&self, with: &AccountUse, account: &BankId, call: &Call) -> Result<Account> {
        read_account(&self.get(with, &[account.as_str()], &[], call)?)
    }

    /// The balances of an account.
    ///
    /// # Errors
    /// As [`DnbPsd2::account`].
    pub fn balances(
        &self,
        with: &AccountUse,
        account: &BankId,
        call: &Call,
    ) -> Result<Vec<Balance>> {
        read_balances(&self.get(with, &[account.as_str(), "balances"], &[], call)?)
    }

    /// The transactions of an account.
    ///
    /// # Errors
    /// As [`DnbPsd2::account`].
    pub fn transactions(
        &self,
        with: &AccountUse,
        account: &BankId,
        query: &TransactionQuery,
        call: &Call,
    ) -> Result<Transactions> {
        read_transactions(&self.get_transactions(with, account, query, call)?)
    }

    pub(super) fn get_transactions(
        &self,
        with: &AccountUse,
        account: &BankId,
        query: &TransactionQuery,
        call: &Call,
    ) -> Result<Answer> {
        let (from, to) = (query.from.map(text), query.to.map(text));
        let mut parameters = vec![("bookingStatus", query.status.as_str())];
        parameters.extend(from.as_deref().map(|from| ("dateFrom", from)));
        parameters.extend(to.as_deref().map(|to| ("dateTo", to)));
        self.get(with, &[account.as_str(), "transactions"], &parameters, call)
    }

    pub(super) fn get(
        &self,
        with: &AccountUse,
        below: &[&str],
        query: &[(&str, &str)],
        call: &Call,
    ) -> Result<Answer> {
        let path = [&["v1", with.kind.path()], below].concat();
        let get = Outgoing {
            query: query.to_vec(),
            consent: Some(&with.consent),
            ..Outgoing::get(path, &with.psu)
        };
        self.send(&get, call)
    }
}

fn text(date: IsoDate) -> String {
    date.to_string()
}

pub(super) fn read_accounts(answer: &Answer) -> Result<Vec<Account>> {
    #[derive(Deserialize)]
    struct All {
        #[serde(alias = "cardAccounts")]
        accounts: Vec<Account>,
    }
    let all: All = json(&answer.response, &answer.what)?;
    Ok(all.accounts)
}

/// The account itself, or in `account`.
pub(super) fn read_account(answer: &Answer) -> Result<Account> {
    #[derive(Deserialize)]
    struct One {
        #[serde(alias = "cardAccount")]
        account: Account,
    }
    let body: Value = serde_json::from_slice(&answer.response.body).unwrap_or_default();
    let is_inside = ["account", "cardAccount"]
        .iter()
        .any(|name| body.get(name).is_some_and(Value::is_object));
    match is_inside {
        true => json::<One>(&answer.response, &answer.what).map(|one| one.account),
        false => json(&answer.response, &answer.what),
    }
}

pub(super) fn read_balances(answer: &Answer) -> Result<Vec<Balance>> {
    #[derive(Deserialize)]
    struct All {
        balances: Vec<Balance>,
    }
    let all: All = json(&answer.response, &answer.what)?;
    Ok(all.balances)
}

pub(super) fn read_transactions(answer: &Answer) -> Result<Transactions> {
    json::<Wire>(&answer.response, &answer.what).map(Transactions::from)
}
