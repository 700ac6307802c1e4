//! What a client offers programs that send their own requests.

use super::Prover;
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Response};
use crate::token::client::TokenClient;
use crate::token::response::{Token, TokenType};

impl TokenClient {
    /// The SHA-256 thumbprint (RFC 7638) of the key that tokens are bound to; `None`
    /// when they are not.
    pub fn dpop_thumbprint(&self) -> Option<&str> {
        self.service.bound_to()
    }

    /// A DPoP proof (RFC 9449 section 4) for one request with `method` to `url` that
    /// carries `token`, to go into the header `DPoP` beside [`Token::authorization`]. It
    /// has a new `jti`, the time of its signature, and the nonce that this API gave last;
    /// each request needs its own. [`crate::apis::Authorized`] does all of this.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a token of type Bearer, `UNSUPPORTED` when the client's
    /// tokens are not bound to a key, otherwise as [`crate::Signer::sign`].
    pub fn dpop_proof(
        &self,
        method: Method,
        url: &Endpoint,
        token: &Token,
        call: &Call,
    ) -> Result<String> {
        if token.token_type() != TokenType::Dpop {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "the token is of type Bearer, which needs no DPoP proof; send it as Authorization: Bearer",
            ));
        }
        self.dpop_proof_for(method, url, Some(token.access_token()), call)
    }

    /// As [`TokenClient::dpop_proof`], for a token that the program has from elsewhere,
    /// such as the code flow of a person; `None` for the request to the token endpoint
    /// itself, which carries none.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an empty token, `UNSUPPORTED` when the client has no DPoP
    /// key, otherwise as [`crate::Signer::sign`].
    pub fn dpop_proof_for(
        &self,
        method: Method,
        url: &Endpoint,
        access_token: Option<&str>,
        call: &Call,
    ) -> Result<String> {
        if access_token == Some("") {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "the access token is empty; a request that carries one needs it in its DPoP proof",
            ));
        }
        self.prover()?.for_request(method, url, access_token, call)
    }

    /// Keeps the nonce that the server at `url` gave the program in the header
    /// `DPoP-Nonce`, whatever the status was; it goes into the next proofs that the
    /// program asks for, for the same scheme, host and port.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a text that is no nonce, `UNSUPPORTED` when the client's
    /// tokens are not bound to a key.
    pub fn note_dpop_nonce(&self, url: &Endpoint, nonce: &str) -> Result<()> {
        self.prover()?.note_api_nonce(url, nonce)
    }

    /// Keeps the nonce of an API's answer. True when it has one.
    pub(crate) fn note_api_answer(&self, url: &Endpoint, answer: &Response) -> bool {
        let dpop = self.service.dpop.as_ref();
        dpop.is_some_and(|dpop| dpop.note_api_answer(url, answer))
    }

    fn prover(&self) -> Result<&Prover> {
        self.service.dpop.as_ref().ok_or_else(|| {
            Error::new(
                ErrorCode::Unsupported,
                "the client has no DPoP key; set \"dpop\" in its settings",
            )
        })
    }
}
