//! Altinn's own tokens (Altinn/altinn-authentication, `AuthenticationController`).

use std::sync::Arc;

use serde::Serialize;
use zeroize::Zeroizing;

use super::errors::{bad_response, require_success};
use super::header_template::Values;
use super::operations::{Context, Describe, Nothing};
use super::service::{Known, Repeat, Service};
use crate::call::Call;
use crate::error::Result;
use crate::http::Method;
use crate::profiles::{ServiceName, TokenRequest};
use crate::secret::Secret;
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
pub struct Altinn(Service);

impl Altinn {
    /// Altinn as `client`'s settings have it, with tokens for `token_request`.
    ///
    /// # Errors
    /// `CONFIG` naming the setting.
    pub fn new(client: Arc<TokenClient>, token_request: TokenRequest) -> Result<Self> {
        Service::new(&ALTINN, client, token_request).map(Self)
    }

    /// An Altinn token for Maskinporten's. It has the same claims but for issuer and
    /// session, and lasts 30 minutes.
    ///
    /// # Errors
    /// `API_UNAUTHORIZED` when Altinn does not take the token, the other API numbers of
    /// [`crate::ErrorCode`], and those of the token endpoint.
    pub fn exchange_token(&self, call: &Call) -> Result<Secret> {
        let path = ["authentication", "api", "v1", "exchange", "maskinporten"];
        let request = self
            .0
            .request(Method::Get, self.0.url(&path, &[])?, Values::default())?;
        let answer = self.0.send(&request, Repeat::Safe, call)?;
        let what = request.named();
        require_success(&answer, &what)?;
        let text = std::str::from_utf8(&answer.body).unwrap_or_default().trim();
        // The token itself, or a JSON string of it.
        let token = text
            .strip_prefix('"')
            .and_then(|inside| inside.strip_suffix('"'))
            .unwrap_or(text);
        let is_jwt = token.split('.').count() == 3
            && token
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'"');
        match is_jwt {
            true => Ok(Secret::from(token.as_bytes())),
            false => Err(bad_response(&answer, &what, "is not a token")),
        }
    }
}

pub(super) struct ExchangeToken;

#[derive(Serialize)]
pub(super) struct Exchanged {
    token: Zeroizing<String>,
}

impl Describe for ExchangeToken {
    const NAME: &'static str = "altinn.exchange_token";
    const SUMMARY: &'static str = "Gets an Altinn token for Maskinporten's.";
    type Input = Nothing;
    type Output = Exchanged;

    fn run(_: Nothing, context: &Context<'_>) -> Result<Exchanged> {
        let altinn = Altinn::new(Arc::clone(context.client), context.token_request.clone())?;
        let token = altinn.exchange_token(context.call)?;
        let token = String::from_utf8_lossy(token.expose()).into_owned();
        Ok(Exchanged {
            token: Zeroizing::new(token),
        })
    }
}
