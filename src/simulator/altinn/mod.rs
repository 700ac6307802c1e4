//! Altinn: its own tokens for Maskinporten's, and requests for consent.

mod api;
mod consent_requests;
mod consents;
mod exchange;
mod problem;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use serde::Deserialize;

pub(super) use consents::{Consents, Given, Status};
pub(super) use exchange::EXCHANGE_PATH;

use super::issued::IssuedTokens;
use super::state::State;
use super::token_signer::TokenSigner;
use crate::error::Result;
use crate::keys::OrgNumber;

pub(super) const BASE_PATH: &str = "/altinn";
pub(super) const PREFIX: &str = "/altinn/";

/// Settings of the platform.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AltinnConfig {
    /// The short names of service owners by organisation number: `urn:altinn:org` of their
    /// tokens.
    service_owners: BTreeMap<String, String>,
}

/// The platform: its key, and what it was asked.
pub(super) struct Altinn {
    service_owners: BTreeMap<String, String>,
    signer: TokenSigner,
    pub(super) issued: IssuedTokens,
    pub(super) consents: Arc<Consents>,
}

impl Altinn {
    pub(super) fn new(config: AltinnConfig) -> Result<Self> {
        for orgno in config.service_owners.keys() {
            orgno.parse::<OrgNumber>().map_err(|error| {
                super::config::contradiction("altinn.service_owners", error.message())
            })?;
        }
        Ok(Self {
            service_owners: config.service_owners,
            signer: TokenSigner::rs256()?.with_typ("JWT"),
            issued: IssuedTokens::default(),
            consents: Arc::default(),
        })
    }
}

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .merge(api::routes())
        .merge(consent_requests::routes())
        .merge(exchange::routes())
}
