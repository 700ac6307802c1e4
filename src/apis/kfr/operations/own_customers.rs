//! `kfr.add`, `kfr.remove` and `kfr.banks`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{checked, kfr};
use crate::apis::IsoDate;
use crate::apis::kfr::{Added, Bank, CorrelationId, CustomerId, Period};
use crate::apis::operations::{Context, Describe};
use crate::error::Result;
use crate::keys::OrgNumber;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::apis) struct CustomerInput {
    /// The financial institution's organisation number.
    #[serde(deserialize_with = "checked")]
    #[schemars(with = "String")]
    institution: OrgNumber,
    /// An organisation number or a personal identifier.
    #[serde(deserialize_with = "checked")]
    #[schemars(with = "String")]
    customer: CustomerId,
    /// A UUID for the request, instead of a new one.
    #[serde(default)]
    correlation_id: Option<CorrelationId>,
}

pub(in crate::apis) struct Add;

#[derive(Serialize)]
pub(in crate::apis) struct AddOutput {
    outcome: Added,
}

impl Describe for Add {
    const NAME: &'static str = "kfr.add";
    const SUMMARY: &'static str = "Adds a customer to KFR, from today on.";
    type Input = CustomerInput;
    type Output = AddOutput;

    fn run(input: CustomerInput, context: &Context<'_>) -> Result<AddOutput> {
        let kfr = kfr(context, input.correlation_id)?;
        let outcome = kfr.add(&input.institution, &input.customer, context.call)?;
        Ok(AddOutput { outcome })
    }
}

pub(in crate::apis) struct Remove;

#[derive(Serialize)]
pub(in crate::apis) struct RemoveOutput {}

impl Describe for Remove {
    const NAME: &'static str = "kfr.remove";
    const SUMMARY: &'static str = "Removes a customer from KFR.";
    type Input = CustomerInput;
    type Output = RemoveOutput;

    fn run(input: CustomerInput, context: &Context<'_>) -> Result<RemoveOutput> {
        let kfr = kfr(context, input.correlation_id)?;
        kfr.remove(&input.institution, &input.customer, context.call)?;
        Ok(RemoveOutput {})
    }
}

pub(in crate::apis) struct Banks;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::apis) struct BanksInput {
    /// The financial institution's organisation number.
    #[serde(deserialize_with = "checked")]
    #[schemars(with = "String")]
    institution: OrgNumber,
    /// An organisation number or a personal identifier.
    #[serde(deserialize_with = "checked")]
    #[schemars(with = "String")]
    customer: CustomerId,
    /// The first day, YYYY-MM-DD. Default today.
    #[serde(default)]
    from_date: Option<IsoDate>,
    /// The last day, YYYY-MM-DD. Default today.
    #[serde(default)]
    to_date: Option<IsoDate>,
    /// A UUID for the request, instead of a new one.
    #[serde(default)]
    correlation_id: Option<CorrelationId>,
}

#[derive(Serialize)]
pub(in crate::apis) struct BanksOutput {
    pub(super) banks: Vec<Bank>,
}

impl Describe for Banks {
    const NAME: &'static str = "kfr.banks";
    const SUMMARY: &'static str =
        "Tells whether a customer has a relationship with the institution.";
    type Input = BanksInput;
    type Output = BanksOutput;

    fn run(input: BanksInput, context: &Context<'_>) -> Result<BanksOutput> {
        let period = Period::new(input.from_date, input.to_date)?;
        let kfr = kfr(context, input.correlation_id)?;
        let banks = kfr.banks(&input.institution, &input.customer, &period, context.call)?;
        Ok(BanksOutput { banks })
    }
}
