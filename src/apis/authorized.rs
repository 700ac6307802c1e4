//! Requests that carry an access token.

use std::sync::Arc;

use super::header::check_value;
use super::header_template::{ACCESS_TOKEN, HeaderTemplate, Values};
use crate::call::Call;
use crate::error::Result;
use crate::http::{Request, Response};
use crate::log::{self, Level};
use crate::token::dpop;
use crate::token::{Token, TokenClient, TokenRequest, TokenType};

/// Sends requests with an access token of one client, for one token request.
#[derive(Debug, Clone)]
pub struct Authorized {
    client: Arc<TokenClient>,
    request: TokenRequest,
    /// The headers with the token; empty for `Authorization` as the token's type has it.
    headers: Vec<(String, HeaderTemplate)>,
}

impl Authorized {
    /// Takes the tokens for `request` from `client`, and its transport.
    pub fn new(client: Arc<TokenClient>, request: TokenRequest) -> Self {
        Self {
            client,
            request,
            headers: Vec::new(),
        }
    }

    /// The same with the token in these headers, instead of `Authorization` with the
    /// token's type.
    #[must_use]
    pub(super) fn with_token_headers(mut self, headers: Vec<(String, HeaderTemplate)>) -> Self {
        self.headers = headers;
        self
    }

    /// Sends `request` with `Authorization`, and with a DPoP proof (RFC 9449) where the
    /// token is bound to a key. An answer of 401 is not the last word: a token can be
    /// revoked before its time, so the request is sent once more with a new one. Only the token that was refused is given up; one
    /// that another thread got meanwhile is used as it is. An API that refused two
    /// tokens within 10 seconds costs no third.
    ///
    /// An API that asks for a nonce in the proof gets the request again with the nonce that
    /// it gave, up to three times, as nonces can change under load; that costs no token. The
    /// nonce of every answer is kept for the next request to the same server.
    ///
    /// Every status is an answer, the last 401 too.
    ///
    /// # Errors
    /// As [`TokenClient::token`], [`TokenClient::dpop_proof`] and [`crate::http::Transport::send`].
    pub fn send(&self, request: &Request, call: &Call) -> Result<Response> {
        let token = self.client.token(&self.request, call)?;
        let answer = self.send_with(&token, request, call)?;
        if answer.status != 401 || dpop::asks_for_nonce(&answer) {
            return Ok(answer);
        }
        log::emit(
            Level::Info,
            "apis",
            format_args!("{} answered 401; a new token may help", request.named()),
        );
        self.client.reject(&self.request, &token);
        let newer = self.client.token(&self.request, call)?;
        match newer.generation() == token.generation() {
            true => Ok(answer),
            false => self.send_with(&newer, request, call),
        }
    }

    /// Sends `request` with `token`, and again while the API asks for a nonce and gives
    /// one.
    fn send_with(&self, token: &Token, request: &Request, call: &Call) -> Result<Response> {
        let (mut answer, mut has_nonce) = self.send_once(token, request, call)?;
        for _ in 0..dpop::MOST_NEW_NONCES {
            if !(has_nonce && dpop::asks_for_nonce(&answer)) {
                break;
            }
            (answer, has_nonce) = self.send_once(token, request, call)?;
        }
        Ok(answer)
    }

    /// The answer, and whether it has a nonce for the next proof.
    fn send_once(&self, token: &Token, request: &Request, call: &Call) -> Result<(Response, bool)> {
        let mut carrying = self.with_token(request.clone(), token)?;
        if token.token_type() == TokenType::Dpop {
            let proof = self
                .client
                .dpop_proof(request.method, &request.url, token, call)?;
            carrying = carrying.header("DPoP", proof);
        }
        let answer = self.client.transport().send(&carrying, call)?;
        let has_nonce = self.client.note_api_answer(&request.url, &answer);
        Ok((answer, has_nonce))
    }
    fn with_token(&self, mut request: Request, token: &Token) -> Result<Request> {
        if self.headers.is_empty() {
            return Ok(request.header("Authorization", token.authorization()));
        }
        let values = Values::default().with(ACCESS_TOKEN, token.access_token());
        for (name, template) in &self.headers {
            if let Some(value) = template.render(&values) {
                request = request.set_header(name.clone(), check_value(name, &value)?);
            }
        }
        Ok(request)
    }
}
