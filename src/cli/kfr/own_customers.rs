//! `segl kfr add`, `remove` and `banks`

use clap::Args;
use serde_json::json;

use super::{Common, CorrelationArgument, PeriodArguments};
use crate::apis::kfr::{Added, Bank};
use crate::cli::output::{Output, on_one_line};
use crate::error::Result;

#[derive(Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// The financial institution's organisation number.
    #[arg(long, value_name = "ORGNO")]
    institution: String,
    /// The customer: an organisation number, @FILE, or "-" for standard input. Persons by
    /// the last two only.
    #[arg(value_name = "ORGNO|@FILE|-", default_value = "-")]
    customer: String,
    #[command(flatten)]
    correlation: CorrelationArgument,
}

#[derive(Args)]
pub(in crate::cli) struct BanksArguments {
    #[command(flatten)]
    arguments: Arguments,
    #[command(flatten)]
    period: PeriodArguments,
}

pub(super) fn add(arguments: &Arguments, output: &Output) -> Result<()> {
    let institution = arguments.institution.parse()?;
    let customer = arguments.common.customer(&arguments.customer)?;
    let (kfr, call) = arguments.common.open_with(&arguments.correlation)?;
    let added = kfr.add(&institution, &customer, &call)?;
    let text = match added {
        Added::Added => "added",
        Added::AlreadyThere => "KFR had the customer already",
    };
    output.value(&json!({ "outcome": added }), text)
}

pub(super) fn remove(arguments: &Arguments, output: &Output) -> Result<()> {
    let institution = arguments.institution.parse()?;
    let customer = arguments.common.customer(&arguments.customer)?;
    let (kfr, call) = arguments.common.open_with(&arguments.correlation)?;
    kfr.remove(&institution, &customer, &call)?;
    output.value(&json!({}), "removed")
}

pub(super) fn banks(arguments: &BanksArguments, output: &Output) -> Result<()> {
    let period = arguments.period.period()?;
    let arguments = &arguments.arguments;
    let institution = arguments.institution.parse()?;
    let customer = arguments.common.customer(&arguments.customer)?;
    let (kfr, call) = arguments.common.open_with(&arguments.correlation)?;
    let banks = kfr.banks(&institution, &customer, &period, &call)?;
    print(&banks, output)
}

/// A bank a line.
pub(super) fn print(banks: &[Bank], output: &Output) -> Result<()> {
    let lines: Vec<_> = banks
        .iter()
        .map(|bank| {
            let bank = format!("{}  {}", bank.organization_id, bank.bank_name);
            on_one_line(&bank)
        })
        .collect();
    let text = match lines.is_empty() {
        true => "no bank".to_owned(),
        false => lines.join("\n"),
    };
    output.value(&json!({ "banks": banks }), &text)
}
