//! `segl kfr relationships` and `provider`

use clap::Args;
use serde_json::json;

use super::{CaseArguments, Common, CorrelationArgument, PeriodArguments, own_customers};
use crate::apis::kfr::{AccountNumber, RelationshipsRequest};
use crate::cli::output::{Output, on_one_line};
use crate::error::Result;

#[derive(Args)]
pub(in crate::cli) struct RelationshipsArguments {
    #[command(flatten)]
    common: Common,
    /// The customer: an organisation number, @FILE, or "-" for standard input. Persons by
    /// the last two only.
    #[arg(value_name = "ORGNO|@FILE|-", default_value = "-")]
    customer: String,
    #[command(flatten)]
    period: PeriodArguments,
    #[command(flatten)]
    case: CaseArguments,
    /// The version of the API. 2 wants both dates and the case.
    #[arg(long = "api-version", value_name = "1|2", default_value_t = 1)]
    version: u8,
    /// Leaves out banks where the customer owns no account (version 2).
    #[arg(long, value_name = "BOOL")]
    only_primary_owner: Option<bool>,
    #[command(flatten)]
    correlation: CorrelationArgument,
}

#[derive(Args)]
pub(in crate::cli) struct ProviderArguments {
    #[command(flatten)]
    common: Common,
    /// The account number: @FILE, or "-" for standard input.
    #[arg(value_name = "@FILE|-", default_value = "-")]
    account: String,
    #[command(flatten)]
    case: CaseArguments,
    #[command(flatten)]
    correlation: CorrelationArgument,
}

pub(super) fn relationships(arguments: &RelationshipsArguments, output: &Output) -> Result<()> {
    let request = RelationshipsRequest::of_version(
        arguments.version,
        arguments.common.customer(&arguments.customer)?,
        arguments.period.period()?,
        arguments.case.case()?,
        arguments.only_primary_owner,
    )?;
    let (kfr, call) = arguments.common.open_with(&arguments.correlation)?;
    let banks = kfr.customer_relationships(&request, &call)?;
    own_customers::print(&banks, output)
}

pub(super) fn provider(arguments: &ProviderArguments, output: &Output) -> Result<()> {
    let account: AccountNumber = arguments.common.identifier(&arguments.account)?.parse()?;
    let case = arguments.case.case()?;
    let (kfr, call) = arguments.common.open_with(&arguments.correlation)?;
    let provider = kfr.account_servicing_provider(&account, case.as_ref(), &call)?;
    let text = format!("{}  {}", provider.organization_id, provider.bank_name);
    output.value(&json!(provider), &on_one_line(&text))
}
