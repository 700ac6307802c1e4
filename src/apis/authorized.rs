//! Requests that carry an access token.

use std::sync::Arc;

use crate::call::Call;
use crate::error::Result;
use crate::http::{Request, Response};
use crate::log::{self, Level};
use crate::token::{Token, TokenClient, TokenRequest};

/// Sends requests with an access token of one client, for one token request.
#[derive(Debug, Clone)]
pub struct Authorized {
    client: Arc<TokenClient>,
    request: TokenRequest,
}

impl Authorized {
    /// Takes the tokens for `request` from `client`, and its transport.
    pub fn new(client: Arc<TokenClient>, request: TokenRequest) -> Self {
        Self { client, request }
    }

    /// Sends `request` with `Authorization: Bearer`. An answer of 401 is not the
    /// last word: a token can be revoked before its time, so the request is sent
    /// once more with a new one. Only the token that was refused is given up; one
    /// that another thread got meanwhile is used as it is. An API that refused two
    /// tokens within 10 seconds costs no third.
    ///
    /// Every status is an answer, the second 401 too.
    ///
    /// # Errors
    /// As [`TokenClient::token`] and [`crate::http::Transport::send`].
    pub fn send(&self, request: &Request, call: &Call) -> Result<Response> {
        let token = self.client.token(&self.request, call)?;
        let answer = self.send_with(&token, request, call)?;
        if answer.status != 401 {
            return Ok(answer);
        }
        log::emit(
            Level::Info,
            "apis",
            format_args!(
                "{} {} answered 401; a new token may help",
                request.method, request.url
            ),
        );
        self.client.reject(&self.request, &token);
        let newer = self.client.token(&self.request, call)?;
        match newer.generation() == token.generation() {
            true => Ok(answer),
            false => self.send_with(&newer, request, call),
        }
    }

    fn send_with(&self, token: &Token, request: &Request, call: &Call) -> Result<Response> {
        let bearer = format!("Bearer {}", token.access_token());
        let request = request.clone().header("Authorization", bearer);
        self.client.transport().send(&request, call)
    }
}
