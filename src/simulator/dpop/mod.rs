//! Proof of possession (RFC 9449), as token endpoints and APIs check it.

mod config;
mod nonces;

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use url::Url;

pub(super) use config::{DpopConfig, DpopDefaults, DpopMode};

use super::replay::{ReplayTable, Reuse};
use super::tls::Connection;
use crate::alg::Algorithm;
use crate::clock::UnixTime;
use crate::validate::dpop_proof::{Problem, Proof, ProofRules, ProvenRequest};
use nonces::Nonces;

static DPOP: HeaderName = HeaderName::from_static("dpop");
static DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The checks of one endpoint, or of one API. Its nonces are its own.
pub(super) struct Dpop {
    mode: DpopMode,
    /// Seconds by which `iat` may differ from the time.
    window: i64,
    algorithms: Vec<Algorithm>,
    nonces: Option<Nonces>,
    used: ReplayTable,
    counted: Mutex<Proofs>,
}

/// How many proofs there were.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Proofs {
    pub(super) accepted: u64,
    /// Without those that only had no nonce, or an old one.
    pub(super) refused: u64,
    pub(super) without_nonce: u64,
}

/// The request that a proof came with.
pub(super) struct Target {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) connection: Connection,
}

impl<S: Sync> FromRequestParts<S> for Target {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
            connection: Connection::from_request_parts(parts, state).await?,
        })
    }
}

/// Why a proof is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It proves nothing.
    Invalid(String),
    /// It needs the nonce that comes with the answer.
    Nonce,
    /// Too many proofs are remembered.
    Full,
}

impl Dpop {
    pub(super) fn new(config: &DpopConfig, defaults: DpopDefaults, now: UnixTime) -> Self {
        Self {
            mode: config.mode(defaults),
            window: config.window_seconds(),
            algorithms: config.algorithms(),
            nonces: config
                .nonces(defaults)
                .then(|| Nonces::new(config.nonce_seconds(), config.nonce_uses, now)),
            used: ReplayTable::default(),
            counted: Mutex::default(),
        }
    }

    pub(super) fn counted(&self) -> Proofs {
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_off(&self) -> bool {
        self.mode == DpopMode::Off
    }

    pub(super) fn is_required(&self) -> bool {
        self.mode == DpopMode::Required
    }

    /// `alg` of the proofs that are taken.
    pub(super) fn algorithms(&self) -> Vec<&'static str> {
        self.algorithms.iter().map(|alg| alg.name()).collect()
    }

    /// The thumbprint of the key (`jkt`) that the sender of a request has; none
    /// when it sent no proof and need not. `token` is the access token beside it.
    pub(super) fn proven_key(
        &self,
        target: &Target,
        token: Option<&str>,
        now: UnixTime,
    ) -> Result<Option<String>, Refusal> {
        if self.is_off() {
            return Ok(None);
        }
        let proven = self.examine(target, token, now);
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        match &proven {
            Ok(None) => {}
            Ok(Some(_)) => counted.accepted += 1,
            Err(Refusal::Nonce) => counted.without_nonce += 1,
            Err(_) => counted.refused += 1,
        }
        proven
    }

    fn examine(
        &self,
        target: &Target,
        token: Option<&str>,
        now: UnixTime,
    ) -> Result<Option<String>, Refusal> {
        let mut proofs = target.headers.get_all(&DPOP).iter();
        let proof = match (proofs.next(), proofs.next()) {
            (None, _) if self.is_required() || token.is_some() => {
                return Err(Refusal::invalid("there is no DPoP header"));
            }
            (None, _) => return Ok(None),
            (Some(proof), None) => proof,
            (Some(_), Some(_)) => {
                return Err(Refusal::invalid("there is more than one DPoP header"));
            }
        };
        let text = proof
            .to_str()
            .map_err(|_| Refusal::invalid("the DPoP header is not ASCII"))?;
        self.check(text, target, token, now).map(Some)
    }

    fn check(
        &self,
        text: &str,
        target: &Target,
        token: Option<&str>,
        now: UnixTime,
    ) -> Result<String, Refusal> {
        let url = target
            .url()
            .ok_or_else(|| Refusal::invalid("htu is not the request's URL"))?;
        let request = ProvenRequest {
            method: target.method.as_str(),
            url: &url,
            access_token: token,
        };
        let rules = ProofRules {
            algorithms: &self.algorithms,
            past: self.window,
            future: self.window,
            whole_seconds: true,
        };
        let invalid = |Problem(problem)| Refusal::Invalid(problem);
        let proof = Proof::check(text, &request, &rules, now).map_err(invalid)?;
        if let Some(nonces) = &self.nonces {
            let given = proof.nonce().map_err(invalid)?;
            if !given.is_some_and(|given| nonces.use_once(given, now)) {
                return Err(Refusal::Nonce);
            }
        }
        proof
            .use_once(&self.used, now)
            .map_err(|reuse| match reuse {
                Reuse::Used => Refusal::invalid("jti was used before"),
                Reuse::Full => Refusal::Full,
            })?;
        Ok(proof.jkt().to_owned())
    }

    /// Gives the nonce for the next request, in `DPoP-Nonce` (RFC 9449 section 8.2).
    pub(super) fn put_nonce(&self, headers: &mut HeaderMap, now: UnixTime) {
        if self.is_off() {
            return;
        }
        let nonce = self.nonces.as_ref().map(|nonces| nonces.current(now));
        if let Some(nonce) = nonce.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
            headers.insert(DPOP_NONCE.clone(), nonce);
            // A page in a browser would not see it otherwise; caches must not keep it.
            headers
                .entry(header::CACHE_CONTROL)
                .or_insert(HeaderValue::from_static("no-store"));
        }
    }
}

impl Refusal {
    fn invalid(problem: &str) -> Self {
        Self::Invalid(problem.to_owned())
    }

    /// The word of RFC 9449 section 12.2.
    pub(super) fn error(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_dpop_proof",
            Self::Nonce => "use_dpop_nonce",
            Self::Full => "temporarily_unavailable",
        }
    }

    /// What is wrong; `server` is who wants a nonce, as the RFC's examples name it.
    pub(super) fn description(&self, server: &str) -> String {
        match self {
            Self::Invalid(problem) => problem.clone(),
            Self::Nonce => format!("{server} requires nonce in DPoP proof"),
            Self::Full => "the simulator remembers too many proofs; start it again".to_owned(),
        }
    }
}

impl Target {
    /// Where the request was sent (RFC 9110 section 7.1).
    fn url(&self) -> Option<Url> {
        let scheme = if self.connection.is_tls() {
            "https"
        } else {
            "http"
        };
        let host = self.headers.get(header::HOST)?.to_str().ok()?;
        Url::parse(&format!("{scheme}://{host}{}", self.uri.path())).ok()
    }
}
