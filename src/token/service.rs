//! What a fetch needs: keys, the way to the token endpoint, and what was learned
//! about it. `fetch.rs` fetches with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::cache::CacheKey;
use super::client_key::OpenKey;
use super::decryption::Decryption;
use super::discovery::Discovery;
use super::dpop::{ProofKey, Prover};
use super::key_ring::KeyRing;
use super::retry::{Hold, RetryBudget};
use super::shared::SharedCache;
use super::skew::ClockSkew;
use super::statistics::Statistics;
use super::tls_key::TlsKey;
use crate::call::Call;
use crate::clock::{Clock, Moment, UnixTime};
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::Transport;
use crate::jws;
use crate::profiles::{Environment, ServiceName, ServiceSettings, TokenRequest};

/// One client's way to its tokens, without the cache.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) keys: KeyRing,
    pub(super) discovery: Discovery,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) tls: Option<TlsKey>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) skew: Arc<ClockSkew>,
    pub(super) statistics: Statistics,
    pub(super) shared: Option<SharedCache>,
    /// Where tokens are bound to a key.
    pub(super) dpop: Option<Prover>,
    pub(super) budget: RetryBudget,
    pub(super) hold: Hold,
    /// Where tokens may be sent; empty for anywhere.
    pub(super) apis: Vec<Endpoint>,
    pub(super) environment: Option<Environment>,
    pub(super) services: BTreeMap<ServiceName, ServiceSettings>,
    pub(super) decryption: Option<Decryption>,
    /// Time for one try.
    pub(super) timeout: Duration,
}

/// What a service is made of.
pub(super) struct Parts {
    pub(super) keys: KeyRing,
    pub(super) discovery: Discovery,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) tls: Option<TlsKey>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) shared: Option<SharedCache>,
    /// The key that tokens are bound to.
    pub(super) dpop: Option<ProofKey>,
    /// The base URLs of the APIs that tokens may be sent to; none stand for any.
    pub(super) apis: Vec<Endpoint>,
    /// The environment that the client's tokens are of.
    pub(super) environment: Option<Environment>,
    /// The services behind the client's tokens, where they are not as usual.
    pub(super) services: BTreeMap<ServiceName, ServiceSettings>,
    /// The keys that others encrypt to.
    pub(super) decryption: Option<Decryption>,
    /// Time for one try.
    pub(super) timeout: Duration,
}

impl Service {
    pub(super) fn new(parts: Parts) -> Self {
        let skew: Arc<ClockSkew> = Arc::default();
        let prover = |key| Prover::new(key, Arc::clone(&parts.clock), Arc::clone(&skew));
        Self {
            dpop: parts.dpop.map(prover),
            keys: parts.keys,
            discovery: parts.discovery,
            transport: parts.transport,
            tls: parts.tls,
            skew,
            statistics: Statistics::default(),
            shared: parts.shared,
            budget: RetryBudget::new(parts.clock.moment()),
            hold: Hold::default(),
            clock: parts.clock,
            apis: parts.apis,
            environment: parts.environment,
            services: parts.services,
            decryption: parts.decryption,
            timeout: parts.timeout,
        }
    }

    /// The service's time, as far as it is known.
    pub(super) fn now(&self) -> UnixTime {
        self.skew.service_time(self.clock.now())
    }

    /// An assertion signed by `key`. Services take an `iat` of the last seconds only,
    /// so the claims are made when the key is ready to sign them, and again for each
    /// try.
    pub(super) fn signed_by(
        &self,
        key: &Arc<OpenKey>,
        request: &TokenRequest,
        call: &Call,
    ) -> Result<String> {
        if !key.profile.has_assertion() {
            return Err(Error::new(
                ErrorCode::Unsupported,
                "the client has no assertions: its client certificate says who it is \
                 (setting \"token_endpoint_auth_method\")",
            ));
        }
        // A request that the service would refuse asks nothing of a device.
        key.profile.claims(request, self.now())?;
        let (own, clock, skew) = (key.clone(), self.clock.clone(), self.skew.clone());
        let request = request.clone();
        let claims = move || {
            let now = skew.service_time(clock.now());
            to_json(own.profile.claims(&request, now)?)
        };
        jws::sign_compact_when_ready(&*key.signer, &key.header, claims, call)
    }

    /// As [`Service::signed_by`]; empty for a client that has no assertions.
    pub(super) fn assertion_of(
        &self,
        key: &Arc<OpenKey>,
        request: &TokenRequest,
        call: &Call,
    ) -> Result<String> {
        match key.profile.has_assertion() {
            true => self.signed_by(key, request, call),
            false => Ok(String::new()),
        }
    }

    /// What `request` asks for, in full.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a request that the service would refuse.
    pub(super) fn cache_key(&self, request: &TokenRequest) -> Result<CacheKey> {
        // The certificate of the first key may have ended.
        let tls = self.tls.as_ref().map(TlsKey::thumbprint);
        self.keys.first_open(|key| {
            let public_key = key.signer.public_key();
            CacheKey::new(
                &*key.profile,
                public_key,
                tls,
                self.bound_to(),
                request,
                self.now(),
            )
        })
    }

    /// The thumbprint of the key that tokens are bound to, if they are.
    pub(super) fn bound_to(&self) -> Option<&str> {
        self.dpop.as_ref().map(Prover::thumbprint)
    }

    /// True while the service wants no requests.
    pub(super) fn is_held(&self, now: Moment) -> bool {
        self.hold.at(now).is_some()
    }
}

/// The claims in alphabetical order, whatever order a program's other crates give
/// `serde_json`'s maps.
pub(super) fn to_json(mut claims: Map<String, Value>) -> Result<Vec<u8>> {
    claims.sort_keys();
    serde_json::to_vec(&claims).map_err(|source| {
        Error::new(
            ErrorCode::InvalidArgument,
            "the claims cannot be written as JSON",
        )
        .with_source(source)
    })
}
