//! The operations on accounts and payments. Each answers with the bank's JSON as it came,
//! once it was understood.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::super::iso_date::IsoDate;
use super::super::super::json_answer::JsonAnswer;
use super::super::super::operations::{Context, Describe};
use super::super::super::redirect_url::RedirectUrl;
use super::accounts::{read_account, read_accounts, read_balances, read_transactions};
use super::{
    AccountKind, AccountUse, Answer, BankId, BookingStatus, ConsentVersion, CreatedConsent,
    CreatedPayment, DnbPsd2, Payment, PaymentProduct, Psu, TransactionQuery, WantedConsent,
    consents, payments,
};
use crate::error::Result;

/// The bank's JSON.
#[derive(Serialize)]
#[serde(transparent)]
pub(in super::super::super) struct Json(JsonAnswer);

impl Json {
    fn of(answer: &Answer) -> Result<Self> {
        JsonAnswer::of_object(&answer.response, &answer.what).map(Self)
    }
}

fn bank(context: &Context<'_>) -> Result<DnbPsd2> {
    DnbPsd2::new(Arc::clone(context.client))
}

pub(in super::super::super) struct CreateConsent;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super::super) struct NewConsent {
    #[serde(default)]
    version: ConsentVersion,
    consent: WantedConsent,
    psu: Psu,
    redirect_uri: RedirectUrl,
}

impl Describe for CreateConsent {
    const NAME: &'static str = "dnb.psd2_create_consent";
    const SUMMARY: &'static str = "Asks a person for consent to read accounts at DNB.";
    type Input = NewConsent;
    type Output = Json;

    fn run(input: NewConsent, context: &Context<'_>) -> Result<Json> {
        let answer = bank(context)?.post_consent(
            input.version,
            &input.consent,
            &input.psu,
            &input.redirect_uri,
            context.call,
        )?;
        CreatedConsent::read(&answer)?;
        Json::of(&answer)
    }
}

/// One consent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super::super) struct OneConsent {
    #[serde(default)]
    version: ConsentVersion,
    consent_id: BankId,
    #[serde(default)]
    psu: Psu,
}

impl OneConsent {
    fn read(&self, status_only: bool, context: &Context<'_>) -> Result<Json> {
        let (id, psu) = (&self.consent_id, &self.psu);
        let answer =
            bank(context)?.get_consent(self.version, id, status_only, psu, context.call)?;
        consents::status(&answer)?;
        Json::of(&answer)
    }
}

pub(in super::super::super) struct GetConsent;

impl Describe for GetConsent {
    const NAME: &'static str = "dnb.psd2_consent";
    const SUMMARY: &'static str = "Reads a consent at DNB.";
    type Input = OneConsent;
    type Output = Json;

    fn run(input: OneConsent, context: &Context<'_>) -> Result<Json> {
        input.read(false, context)
    }
}

pub(in super::super::super) struct ConsentStatus;

impl Describe for ConsentStatus {
    const NAME: &'static str = "dnb.psd2_consent_status";
    const SUMMARY: &'static str = "Reads the status of a consent at DNB.";
    type Input = OneConsent;
    type Output = Json;

    fn run(input: OneConsent, context: &Context<'_>) -> Result<Json> {
        input.read(true, context)
    }
}

pub(in super::super::super) struct DeleteConsent;

#[derive(Serialize)]
pub(in super::super::super) struct Deleted {
    deleted: bool,
}

impl Describe for DeleteConsent {
    const NAME: &'static str = "dnb.psd2_delete_consent";
    const SUMMARY: &'static str = "Ends a consent at DNB.";
    type Input = OneConsent;
    type Output = Deleted;

    fn run(input: OneConsent, context: &Context<'_>) -> Result<Deleted> {
        let (id, psu) = (&input.consent_id, &input.psu);
        bank(context)?.delete_consent(input.version, id, psu, context.call)?;
        Ok(Deleted { deleted: true })
    }
}

pub(in super::super::super) struct Accounts;

/// All accounts of a consent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super::super) struct AllAccounts {
    #[serde(default)]
    kind: AccountKind,
    consent_id: BankId,
    #[serde(default)]
    psu: Psu,
}

impl Describe for Accounts {
    const NAME: &'static str = "dnb.psd2_accounts";
    const SUMMARY: &'static str = "Lists the accounts of a consent at DNB.";
    type Input = AllAccounts;
    type Output = Json;

    fn run(input: AllAccounts, context: &Context<'_>) -> Result<Json> {
        let with = AccountUse::new(input.kind, input.consent_id, input.psu);
        let answer = bank(context)?.get(&with, &[], &[], context.call)?;
        read_accounts(&answer)?;
        Json::of(&answer)
    }
}

/// One account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super::super) struct OneAccount {
    #[serde(default)]
    kind: AccountKind,
    /// The account's `resourceId`.
    account_id: BankId,
    consent_id: BankId,
    #[serde(default)]
    psu: Psu,
}

pub(in super::super::super) struct Account;

impl Describe for Account {
    const NAME: &'static str = "dnb.psd2_account";
    const SUMMARY: &'static str = "Reads one account at DNB.";
    type Input = OneAccount;
    type Output = Json;

    fn run(input: OneAccount, context: &Context<'_>) -> Result<Json> {
        let with = AccountUse::new(input.kind, input.consent_id, input.psu);
        let below = [input.account_id.as_str()];
        let answer = bank(context)?.get(&with, &below, &[], context.call)?;
        read_account(&answer)?;
        Json::of(&answer)
    }
}

pub(in super::super::super) struct Balances;

impl Describe for Balances {
    const NAME: &'static str = "dnb.psd2_balances";
    const SUMMARY: &'static str = "Reads the balances of an account at DNB.";
    type Input = OneAccount;
    type Output = Json;

    fn run(input: OneAccount, context: &Context<'_>) -> Result<Json> {
        let with = AccountUse::new(input.kind, input.consent_id, input.psu);
        let below = [input.account_id.as_str(), "balances"];
        let answer = bank(context)?.get(&with, &below, &[], context.call)?;
        read_balances(&answer)?;
        Json::of(&answer)
    }
}

pub(in super::super::super) struct Transactions;

/// Transactions of one account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super::super) struct WantedTransactions {
    #[serde(default)]
    kind: AccountKind,
    /// The account's `resourceId`.
    account_id: BankId,
    consent_id: BankId,
    #[serde(default)]
    psu: Psu,
    #[serde(default)]
    booking_status: BookingStatus,
    /// The first day.
    date_from: Option<IsoDate>,
    /// The last day.
    date_to: Option<IsoDate>,
}

impl Describe for Transactions {
    const NAME: &'static str = "dnb.psd2_transactions";
    const SUMMARY: &'static str = "Reads the transactions of an account at DNB.";
    type Input = WantedTransactions;
    type Output = Json;

    fn run(input: WantedTransactions, context: &Context<'_>) -> Result<Json> {
        let query = TransactionQuery::new(input.booking_status, input.date_from, input.date_to)?;
        let with = AccountUse::new(input.kind, input.consent_id, input.psu);
        let account = &input.account_id;
        let answer = bank(context)?.get_transactions(&with, account, &query, context.call)?;
        read_transactions(&answer)?;
        Json::of(&answer)
    }
}

pub(in super::super::super) struct CreatePayment;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super::super) struct NewPayment {
    product: PaymentProduct,
    payment: Payment,
    psu: Psu,
    redirect_uri: RedirectUrl,
}

impl Describe for CreatePayment {
    const NAME: &'static str = "dnb.psd2_create_payment";
    const SUMMARY: &'static str = "Initiates a payment at DNB, which a person approves there.";
    type Input = NewPayment;
    type Output = Json;

    fn run(input: NewPayment, context: &Context<'_>) -> Result<Json> {
        let answer = bank(context)?.post_payment(
            &input.product,
            &input.payment,
            &input.psu,
            &input.redirect_uri,
            context.call,
        )?;
        CreatedPayment::read(&answer)?;
        Json::of(&answer)
    }
}

pub(in super::super::super) struct GetPayment;

/// One payment.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super::super) struct OnePayment {
    product: PaymentProduct,
    payment_id: BankId,
    #[serde(default)]
    psu: Psu,
}

impl Describe for GetPayment {
    const NAME: &'static str = "dnb.psd2_payment";
    const SUMMARY: &'static str = "Reads a payment at DNB, with its status.";
    type Input = OnePayment;
    type Output = Json;

    fn run(input: OnePayment, context: &Context<'_>) -> Result<Json> {
        let (product, id) = (&input.product, &input.payment_id);
        let answer = bank(context)?.get_payment(product, id, &input.psu, context.call)?;
        payments::status(&answer)?;
        Json::of(&answer)
    }
}
