//! DPoP (RFC 9449): tokens that are bound to a key, and the proofs that it is there.

mod binding;
mod challenge;
mod client;
mod nonces;
mod proof;
mod proof_key;

pub(super) use binding::key_of_token;
pub use challenge::asks_for_nonce;
pub(crate) use challenge::refuses_proof;
pub(super) use proof_key::ProofKey;

use std::sync::Arc;

use nonces::Nonces;
use proof::Claims;

use super::health::KeyHealth;
use super::skew::ClockSkew;
use crate::call::Call;
use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Response};

/// How often one request is sent again because the server wants another nonce. Under load a
/// nonce can be over before the request with it has come, and the next one too.
pub(crate) const MOST_NEW_NONCES: usize = 3;

/// Makes the proofs of one client. It has no lock: nobody waits while a key signs, and
/// a forked child meets none that is held.
#[derive(Debug)]
pub(super) struct Prover {
    key: ProofKey,
    clock: Arc<dyn Clock>,
    skew: Arc<ClockSkew>,
    /// The token endpoint's and the APIs' are kept apart, also where both have one
    /// origin (RFC 9449 section 9).
    token_nonces: Arc<Nonces>,
    api_nonces: Arc<Nonces>,
}

impl Prover {
    /// Proofs by `key`, dated by the service's clock.
    pub(super) fn new(key: ProofKey, clock: Arc<dyn Clock>, skew: Arc<ClockSkew>) -> Self {
        Self {
            key,
            clock,
            skew,
            token_nonces: Arc::default(),
            api_nonces: Arc::default(),
        }
    }

    /// The thumbprint of the key that tokens are bound to (`jkt`).
    pub(super) fn thumbprint(&self) -> &str {
        self.key.thumbprint()
    }

    /// The algorithm of the proofs.
    pub(super) fn alg(&self) -> &'static str {
        self.key.alg()
    }

    /// How the key is doing.
    pub(super) fn health(&self) -> KeyHealth {
        self.key.health()
    }

    /// A proof for one request to the token endpoint.
    pub(super) fn for_token_request(&self, endpoint: &Endpoint, call: &Call) -> Result<String> {
        let claims = Claims::new(Method::Post, endpoint);
        self.prove(claims, &self.token_nonces, endpoint, call)
    }

    /// A proof for one request to an API with `access_token`, or for one that the program
    /// sends to a token endpoint itself.
    pub(super) fn for_request(
        &self,
        method: Method,
        url: &Endpoint,
        access_token: Option<&str>,
        call: &Call,
    ) -> Result<String> {
        let claims = Claims::new(method, url);
        let claims = match access_token {
            Some(token) => claims.with_token(token),
            None => claims,
        };
        self.prove(claims, &self.api_nonces, url, call)
    }

    /// Keeps the nonce of an answer of the token endpoint. True when it has one.
    pub(super) fn note_token_answer(&self, endpoint: &Endpoint, answer: &Response) -> bool {
        note(&self.token_nonces, endpoint, answer)
    }

    /// Keeps the nonce of an API's answer. True when it has one.
    pub(super) fn note_api_answer(&self, url: &Endpoint, answer: &Response) -> bool {
        note(&self.api_nonces, url, answer)
    }

    /// Keeps a nonce that the API at `url` gave.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a text that is no nonce.
    pub(super) fn note_api_nonce(&self, url: &Endpoint, nonce: &str) -> Result<()> {
        match self.api_nonces.note(&url.origin(), nonce) {
            true => Ok(()),
            false => Err(Error::new(
                ErrorCode::InvalidArgument,
                "the DPoP nonce is not one (RFC 9449 section 8.1); pass the value of the header DPoP-Nonce as it came",
            )),
        }
    }

    /// Time and nonce are those of the signature, not of a wait for the device.
    fn prove(
        &self,
        claims: Claims,
        nonces: &Arc<Nonces>,
        url: &Endpoint,
        call: &Call,
    ) -> Result<String> {
        let (clock, skew) = (Arc::clone(&self.clock), Arc::clone(&self.skew));
        let (nonces, origin) = (Arc::clone(nonces), url.origin());
        let make = move || {
            let now = skew.service_time(clock.now());
            claims.to_json(now, nonces.of(&origin).as_deref())
        };
        self.key.sign(make, call)
    }
}

fn note(nonces: &Nonces, url: &Endpoint, answer: &Response) -> bool {
    let nonce = answer.header("dpop-nonce");
    nonce.is_some_and(|nonce| nonces.note(&url.origin(), nonce.trim()))
}
