//! The operations of DSOP Control.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::case::{Case, Party, Period};
use super::page::Page;
use super::{DsopControl, Part};
use crate::apis::operations::{Context, Describe};
use crate::error::Result;

/// Whose accounts.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct AccountsInput {
    /// The bank's base URL, to which the token is made out; `services.dsop_control.base_url`
    /// when it is left out.
    #[serde(default)]
    bank: Option<String>,
    case: Case,
    /// A person's fødselsnummer or D-number, or an organisation number.
    party: Party,
    /// Only accounts that the party is the primary owner of.
    only_primary_owner: bool,
    /// The first day, as in 2026-11-21; today when it is left out.
    #[serde(default)]
    from_date: Option<String>,
    /// The last day; today when it is left out.
    #[serde(default)]
    to_date: Option<String>,
}

/// Which account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct AccountInput {
    /// The bank's base URL, to which the token is made out; `services.dsop_control.base_url`
    /// when it is left out.
    #[serde(default)]
    bank: Option<String>,
    case: Case,
    /// `accountReference` of `dsop_control.accounts`.
    account_reference: String,
    /// The first day, as in 2026-11-21; today when it is left out.
    #[serde(default)]
    from_date: Option<String>,
    /// The last day; today when it is left out.
    #[serde(default)]
    to_date: Option<String>,
}

/// Every page, as the bank sent it.
#[derive(Serialize)]
pub(in super::super) struct Pages {
    pages: Vec<Page>,
}

pub(in super::super) struct Accounts;

impl Describe for Accounts {
    const NAME: &'static str = "dsop_control.accounts";
    const SUMMARY: &'static str = "Lists the accounts of a person or an organisation at a bank.";
    type Input = AccountsInput;
    type Output = Pages;

    fn run(input: AccountsInput, context: &Context<'_>) -> Result<Pages> {
        let bank = bank(input.bank.as_deref(), context)?;
        let period = Period::new(input.from_date.as_deref(), input.to_date.as_deref())?;
        let pages = bank.accounts(
            &input.case,
            &input.party,
            input.only_primary_owner,
            period,
            context.call,
        )?;
        Ok(Pages { pages })
    }
}

macro_rules! of_account {
    ($($operation:ident, $name:literal, $part:expr, $summary:literal;)+) => {
        $(
            pub(in super::super) struct $operation;

            impl Describe for $operation {
                const NAME: &'static str = $name;
                const SUMMARY: &'static str = $summary;
                type Input = AccountInput;
                type Output = Pages;

                fn run(input: AccountInput, context: &Context<'_>) -> Result<Pages> {
                    let bank = bank(input.bank.as_deref(), context)?;
                    let period = Period::new(input.from_date.as_deref(), input.to_date.as_deref())?;
                    let reference = &input.account_reference;
                    let pages = bank.of_account($part, &input.case, reference, period, context.call)?;
                    Ok(Pages { pages })
                }
            }
        )+
    };
}

of_account! {
    Account, "dsop_control.account", Part::Details,
        "Shows an account at a bank, with its balances.";
    Transactions, "dsop_control.transactions", Part::Transactions,
        "Lists the transactions of an account at a bank.";
    Cards, "dsop_control.cards", Part::Cards, "Lists the payment cards of an account at a bank.";
    Roles, "dsop_control.roles", Part::Roles,
        "Lists who has a role for an account at a bank.";
}

fn bank(base_url: Option<&str>, context: &Context<'_>) -> Result<DsopControl> {
    let (client, token_request) = (Arc::clone(context.client), context.token_request.clone());
    DsopControl::new(client, token_request, base_url)
}
