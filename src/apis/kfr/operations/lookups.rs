//! `kfr.customer_relationships` and `kfr.account_servicing_provider`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::own_customers::BanksOutput;
use super::{checked, kfr};
use crate::apis::IsoDate;
use crate::apis::kfr::{
    AccountNumber, Case, CorrelationId, CustomerId, Period, Provider, RelationshipsRequest,
};
use crate::apis::operations::{Context, Describe};
use crate::error::Result;

pub(in crate::apis) struct CustomerRelationships;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::apis) struct RelationshipsInput {
    /// An organisation number or a personal identifier.
    #[serde(deserialize_with = "checked")]
    #[schemars(with = "String")]
    customer: CustomerId,
    /// The first day, YYYY-MM-DD. Default today; version 2 wants it.
    #[serde(default)]
    from_date: Option<IsoDate>,
    /// The last day, YYYY-MM-DD. Default today; version 2 wants it.
    #[serde(default)]
    to_date: Option<IsoDate>,
    /// The case; version 2 wants it.
    #[serde(default)]
    case: Option<CaseInput>,
    /// 1 (default) or 2.
    #[serde(default)]
    version: Option<u8>,
    /// Leaves out banks where the customer owns no account. Version 2.
    #[serde(default)]
    only_primary_owner: Option<bool>,
    /// A UUID for the request, instead of a new one.
    #[serde(default)]
    correlation_id: Option<CorrelationId>,
}

/// The case that a question belongs to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::apis) struct CaseInput {
    /// The legal basis (`Legal-Mandate`), as it reads; it is encoded on the way.
    legal_mandate: String,
    /// The agency's reference to the case (`AccountInfoRequestID`).
    reference: String,
}

impl CaseInput {
    fn checked(case: Option<&Self>) -> Result<Option<Case>> {
        case.map(|case| Case::new(&case.legal_mandate, &case.reference))
            .transpose()
    }
}

impl Describe for CustomerRelationships {
    const NAME: &'static str = "kfr.customer_relationships";
    const SUMMARY: &'static str = "Lists the banks with which a customer has a relationship.";
    type Input = RelationshipsInput;
    type Output = BanksOutput;

    fn run(input: RelationshipsInput, context: &Context<'_>) -> Result<BanksOutput> {
        let request = RelationshipsRequest::of_version(
            input.version.unwrap_or(1),
            input.customer,
            Period::new(input.from_date, input.to_date)?,
            CaseInput::checked(input.case.as_ref())?,
            input.only_primary_owner,
        )?;
        let kfr = kfr(context, input.correlation_id)?;
        let banks = kfr.customer_relationships(&request, context.call)?;
        Ok(BanksOutput { banks })
    }
}

pub(in crate::apis) struct AccountServicingProvider;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::apis) struct ProviderInput {
    /// An account number, 11 digits.
    #[serde(deserialize_with = "checked")]
    #[schemars(with = "String")]
    account: AccountNumber,
    /// The case.
    #[serde(default)]
    case: Option<CaseInput>,
    /// A UUID for the request, instead of a new one.
    #[serde(default)]
    correlation_id: Option<CorrelationId>,
}

impl Describe for AccountServicingProvider {
    const NAME: &'static str = "kfr.account_servicing_provider";
    const SUMMARY: &'static str = "Tells which bank holds an account.";
    type Input = ProviderInput;
    type Output = Provider;

    fn run(input: ProviderInput, context: &Context<'_>) -> Result<Provider> {
        let case = CaseInput::checked(input.case.as_ref())?;
        let kfr = kfr(context, input.correlation_id)?;
        kfr.account_servicing_provider(&input.account, case.as_ref(), context.call)
    }
}
