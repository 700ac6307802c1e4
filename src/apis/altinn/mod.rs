//! Altinn: its own tokens, and requests for consent.

mod consent_request;
mod consent_requests;
mod consent_right;
mod party;
mod problem;
mod token_exchange;

use std::sync::Arc;

pub use consent_request::{ConsentId, ConsentRequest, PortalViewMode};
pub use consent_requests::{ConsentEvent, CreatedConsentRequest};
pub use consent_right::{ConsentRight, MessageLanguage};
pub use party::AltinnParty;
pub use token_exchange::TokenExchange;

pub(super) use consent_requests::{CreateConsentRequest, GetConsentRequest};
pub(super) use token_exchange::ExchangeToken;

use super::operations::Context;
use super::service::{Known, Service};
use crate::error::Result;
use crate::profiles::{ServiceName, TokenRequest};
use crate::token::TokenClient;

const ALTINN: Known = Known {
    name: ServiceName::Altinn,
    prod: Some("https://platform.altinn.no"),
    test: Some("https://platform.tt02.altinn.no"),
    headers: &[],
    placeholders: &[],
};

/// Altinn's platform, with Maskinporten's tokens.
#[derive(Debug, Clone)]
pub struct Altinn {
    service: Service,
    client: Arc<TokenClient>,
    token_request: TokenRequest,
}

impl Altinn {
    /// Altinn as `client`'s settings have it, with tokens for `token_request`.
    ///
    /// # Errors
    /// `CONFIG` naming the setting.
    pub fn new(client: Arc<TokenClient>, token_request: TokenRequest) -> Result<Self> {
        Ok(Self {
            service: Service::new(&ALTINN, Arc::clone(&client), token_request.clone())?,
            client,
            token_request,
        })
    }

    fn of(context: &Context<'_>) -> Result<Self> {
        Self::new(Arc::clone(context.client), context.token_request.clone())
    }
}
