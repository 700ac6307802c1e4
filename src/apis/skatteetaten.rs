//! Skatteetaten's information with consent (samtykkebasert lånesøknad and others). Each API
//! has a base URL and paths of its own, so callers give them.

use std::sync::Arc;

use super::consent_query::{Answered, ConsentQuery, PLACEHOLDERS};
use super::errors::Meaning;
use super::json_answer::JsonAnswer;
use super::operations::{Context, Describe};
use super::service::{self, Known, Service};
use crate::call::Call;
use crate::error::{ErrorCode, Result};
use crate::profiles::{ServiceName, TokenRequest};
use crate::token::TokenClient;

const SKATTEETATEN: Known = Known {
    name: ServiceName::Skatteetaten,
    prod: None,
    test: None,
    headers: &[("AltinnSamtykke", "{consent_token}")],
    placeholders: PLACEHOLDERS,
};

const MEANINGS: &[Meaning] = &[Meaning {
    status: 403,
    code: ErrorCode::ApiForbidden,
    remedy: "check the scope, and that the consent is in time, given by this person, and to the token's consumer",
}];

/// Skatteetaten's APIs for those who have a person's consent, with Maskinporten's tokens.
#[derive(Debug, Clone)]
pub struct Skatteetaten(Service);

impl Skatteetaten {
    /// The scope for income.
    pub const INCOME_SCOPE: &str = "skatteetaten:inntekt";
    /// The scope for the summed basis of the tax assessment.
    pub const TAX_BASIS_SCOPE: &str = "skatteetaten:summertskattegrunnlag";

    /// Skatteetaten as `client`'s settings have it, with tokens for `token_request`.
    ///
    /// # Errors
    /// `CONFIG` naming the setting: `services.skatteetaten.base_url` must be set.
    pub fn new(client: Arc<TokenClient>, token_request: TokenRequest) -> Result<Self> {
        let name = SKATTEETATEN.name;
        let settings = client.service_settings(name);
        if settings.is_none_or(|settings| settings.base_url.is_none()) {
            return Err(service::wrong(
                name,
                "base_url",
                "is not set; Skatteetaten's documentation of the API has it",
            ));
        }
        Service::new(&SKATTEETATEN, client, token_request).map(Self)
    }

    /// Asks for what `query` names, by GET.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the path has `{person}` and the query is about none; the API
    /// numbers of [`ErrorCode`], those of the token endpoint and the network.
    pub fn get(&self, query: &ConsentQuery, call: &Call) -> Result<JsonAnswer> {
        query.ask(&self.0, MEANINGS, call)
    }
}

pub(super) struct Get;

impl Describe for Get {
    const NAME: &'static str = "skatteetaten.get";
    const SUMMARY: &'static str =
        "Gets information about a person who consented from Skatteetaten.";
    type Input = ConsentQuery;
    type Output = Answered;

    fn run(input: ConsentQuery, context: &Context<'_>) -> Result<Answered> {
        let tax = Skatteetaten::new(Arc::clone(context.client), context.token_request.clone())?;
        let answer = tax.get(&input, context.call)?;
        Ok(Answered { answer })
    }
}
