//! NAV's information with consent: disability benefit (uføretrygd) and work assessment
//! allowance (arbeidsavklaringspenger, AAP). The paths are in NAV's own documentation
//! (`navikt.github.io/arena-ekstern-api-dok` for AAP, `navikt.github.io/pensjon-ekstern-api` for
//! disability benefit), so callers give them.

use std::sync::Arc;

use super::consent_query::{Answered, ConsentQuery, PLACEHOLDERS};
use super::errors::Meaning;
use super::json_answer::JsonAnswer;
use super::operations::{Context, Describe};
use super::service::{Known, Service};
use crate::call::Call;
use crate::error::{ErrorCode, Result};
use crate::profiles::{ServiceName, TokenRequest};
use crate::token::TokenClient;

/// The base URLs of AAP. No public document has that of disability benefit: it is a
/// setting.
const NAV: Known = Known {
    name: ServiceName::Nav,
    prod: Some("https://aap-api.nav.no"),
    test: Some("https://aap-api.ekstern.dev.nav.no"),
    headers: &[
        ("NAV-Samtykke-Token", "{consent_token}"),
        ("NAV-PersonIdent", "{person}"),
        ("x-callid", "{request_id}"),
    ],
    placeholders: PLACEHOLDERS,
};

const MEANINGS: &[Meaning] = &[Meaning {
    status: 403,
    code: ErrorCode::ApiForbidden,
    remedy: "check the scope, and that the consent is in time, given by this person, and to the token's consumer",
}];

/// NAV's APIs for those who have a person's consent, with Maskinporten's tokens.
#[derive(Debug, Clone)]
pub struct Nav(Service);

impl Nav {
    /// The scope for disability benefit.
    pub const DISABILITY_BENEFIT_SCOPE: &str = "nav:helse/v1/uforeopplysninger";
    /// The scope for work assessment allowance.
    pub const WORK_ASSESSMENT_ALLOWANCE_SCOPE: &str = "nav:arbeid/v1/aap";

    /// NAV as `client`'s settings have it, with tokens for `token_request`. The base URL
    /// is AAP's unless it is set.
    ///
    /// # Errors
    /// `CONFIG` naming the setting.
    pub fn new(client: Arc<TokenClient>, token_request: TokenRequest) -> Result<Self> {
        Service::new(&NAV, client, token_request).map(Self)
    }

    /// Asks for what `query` names, by GET.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the path has `{person}` and the query is about none; the API
    /// numbers of [`ErrorCode`], those of the token endpoint and the network. `trace_id` is
    /// the `x-callid` unless NAV gave another.
    pub fn get(&self, query: &ConsentQuery, call: &Call) -> Result<JsonAnswer> {
        query.ask(&self.0, MEANINGS, call)
    }
}

pub(super) struct Get;

impl Describe for Get {
    const NAME: &'static str = "nav.get";
    const SUMMARY: &'static str = "Gets information about a person who consented from NAV.";
    type Input = ConsentQuery;
    type Output = Answered;

    fn run(input: ConsentQuery, context: &Context<'_>) -> Result<Answered> {
        let nav = Nav::new(Arc::clone(context.client), context.token_request.clone())?;
        let answer = nav.get(&input, context.call)?;
        Ok(Answered { answer })
    }
}
