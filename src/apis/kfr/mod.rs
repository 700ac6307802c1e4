//! KFR, Bits' register of customer relationships (kundeforholdsregisteret).
//!
//! Banks without NICS report whose accounts they have; public agencies ask which banks a
//! customer has. The wire is that of Bits' OpenAPI document 1.1.2 and of version 2.0 of
//! `customerRelationships` (dokumentasjon.dsop.no).

mod account_number;
mod answer;
mod bank;
mod batch;
mod correlation_id;
mod customer_id;
mod customer_relationships;
mod form;
pub(super) mod operations;
mod period;
mod refusals;
mod relation;
mod relationship;

use std::sync::Arc;

pub use account_number::AccountNumber;
pub use bank::{Bank, OwnershipType, Provider};
pub use batch::{
    Batch, BatchCheck, BatchOptions, MaxRelations, Progress, SentPart, WrongLine, check_batch,
};
pub use correlation_id::CorrelationId;
pub use customer_id::CustomerId;
pub use customer_relationships::{Case, RelationshipsRequest};
pub use form::{BatchForm, Boundary, FormStyle};
pub use period::Period;
pub use refusals::kfr_refusals;
pub use relation::Relation;
pub use relationship::Added;

use super::header_template::Values;
use super::service::{Known, Repeat, Service};
use crate::call::Call;
use crate::error::Result;
use crate::http::{Method, Request};
use crate::keys::OrgNumber;
use crate::profiles::{ServiceName, TokenRequest};
use crate::token::TokenClient;
use answer::Answer;

/// The scope with which a financial institution adds, removes and reads its own
/// relations (OpenAPI document, tag "Financial institution").
pub const SCOPE_WRITE: &str = "bits:kundeforhold.write";
/// The scope of [`Kfr::customer_relationships`] (tag "Govermental institution - Customer
/// relationship").
pub const SCOPE_RELATIONSHIPS: &str = "bits:kundeforhold";
/// The scope of [`Kfr::account_servicing_provider`] (tag "Govermental institution -
/// Account").
pub const SCOPE_ACCOUNT: &str = "bits:kundeforhold.konto";

/// Base URLs: `servers` of the OpenAPI document.
const KFR: Known = Known {
    name: ServiceName::Kfr,
    prod: Some("https://api.bits.no/kar-ws/api/v1"),
    test: Some("https://preprod.api.bits.no/kar-ws/api/v1"),
    headers: &[
        ("CorrelationID", "{correlation_id}"),
        ("CustomerID", "{customer_id}"),
        ("AccountID", "{account_id}"),
        ("Legal-Mandate", "{legal_mandate}"),
        ("AccountInfoRequestID", "{account_info_request_id}"),
    ],
    placeholders: &[
        "correlation_id",
        "customer_id",
        "account_id",
        "legal_mandate",
        "account_info_request_id",
    ],
};

/// The one type of relation that there is (OpenAPI document, `type`).
const RELATIONSHIP_TYPE: &str = "DSOPBANK";

/// KFR, with Maskinporten's tokens.
#[derive(Debug, Clone)]
pub struct Kfr {
    service: Service,
    correlation_id: Option<CorrelationId>,
}

impl Kfr {
    /// KFR as `client`'s settings have it, with tokens for `token_request`. Nothing is
    /// sent.
    ///
    /// # Errors
    /// `CONFIG` naming the setting.
    pub fn new(client: Arc<TokenClient>, token_request: TokenRequest) -> Result<Self> {
        Ok(Self {
            service: Service::new(&KFR, client, token_request)?,
            correlation_id: None,
        })
    }

    /// The same with this `CorrelationID` in every request, instead of a new one in each.
    /// A [`Batch`] from a file keeps to new ones.
    #[must_use]
    pub fn with_correlation_id(mut self, id: CorrelationId) -> Self {
        self.correlation_id = Some(id);
        self
    }

    /// A request below the base URL with its correlation id.
    fn request(
        &self,
        method: Method,
        segments: &[&str],
        query: &[(&str, &str)],
        values: Values,
    ) -> Result<(Request, CorrelationId)> {
        let id = self.correlation_id.unwrap_or_else(CorrelationId::random);
        let url = self.service.url(segments, query)?;
        let values = values.with("correlation_id", id.to_string());
        Ok((self.service.request(method, url, values)?, id))
    }

    /// Sends it. What is wrong with the answer is an error by KFR's own codes.
    fn send(
        &self,
        (request, id): &(Request, CorrelationId),
        repeat: Repeat,
        call: &Call,
    ) -> Result<Answer> {
        let response = self.service.send(request, repeat, call).map_err(|error| {
            error.with_details(|details| {
                details.trace_id.get_or_insert_with(|| id.to_string());
            })
        })?;
        Answer::check(response, request.named(), *id)
    }
}

/// The path of a financial institution.
fn institution_path<'a>(institution: &'a OrgNumber, rest: &[&'a str]) -> Vec<&'a str> {
    let mut path = vec!["customers", "financialInstitutions", institution.as_str()];
    path.extend_from_slice(rest);
    path
}
