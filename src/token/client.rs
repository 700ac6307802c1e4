//! One client at one service.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::builder::TokenClientBuilder;
use super::cache::Cache;
use super::client_key::OpenKey;
use super::form;
use super::health::KeyHealth;
use super::key_ring::KeyRing;
use super::response::{self, Token};
use crate::call::Call;
use crate::clock::Clock;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Request, Transport};
use crate::jws::{self, PreparedHeader};
use crate::keys::Signer;
use crate::log::{self, Level};
use crate::profiles::{ClientSettings, TokenRequest};

/// Makes assertions and gets access tokens for one client. `Send` and `Sync`:
/// share one for the life of the program.
pub struct TokenClient {
    pub(super) keys: KeyRing,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) cache: Cache,
}

impl TokenClient {
    /// A client from settings, with parts of the program's own.
    pub fn builder(settings: ClientSettings) -> TokenClientBuilder {
        TokenClientBuilder::new(settings)
    }

    /// The signer of each key, in the order of the settings; `None` for one that
    /// could not be opened yet.
    pub fn signers(&self) -> Vec<Option<Arc<dyn Signer>>> {
        self.keys.signers()
    }

    /// How each key is doing, in the order of the settings. Nothing is asked of a
    /// device.
    pub fn health(&self) -> Vec<KeyHealth> {
        self.keys.health()
    }

    /// What sends the client's requests, for APIs behind its tokens.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// A signed assertion for `request`, with a new `jti`. Nothing is sent.
    ///
    /// Of several keys, the first that is ready signs; while it cannot, the next
    /// one does, under its own `kid` or certificate. As long as another key is
    /// left, one may use no more than its share of the call's time, see
    /// [`Call::share`]; without a deadline that is 10 seconds.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a request that the service would refuse, otherwise
    /// as [`Signer::sign`]. When several keys were tried: the first one's error,
    /// with the message of each.
    pub fn assertion(&self, request: &TokenRequest, call: &Call) -> Result<String> {
        self.signed(request, call).map(|(assertion, _)| assertion)
    }

    /// The JWT that registers the client's key with the service (DNB). Of several
    /// keys it is the first one's; see [`TokenClient::registration_of`].
    ///
    /// # Errors
    /// `UNSUPPORTED` when the service has none, otherwise as [`Signer::sign`].
    pub fn registration(&self, call: &Call) -> Result<String> {
        self.registration_of(0, call)
    }

    /// The JWT that registers the key with this `index`, counted from 0 as in
    /// `keys[0]`. It is signed by that key and no other.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when there is no such key, why the key is not open,
    /// otherwise as [`TokenClient::registration`].
    pub fn registration_of(&self, index: usize, call: &Call) -> Result<String> {
        let key = self.keys.get(index, call)?;
        let (header, claims) = key.profile.registration(self.clock.now())?;
        let header = PreparedHeader::new(&header)?;
        jws::sign_compact(&*key.signer, &header, &to_json(claims)?, call)
    }

    /// An access token: from the cache while it is fresh, else a new one.
    ///
    /// # Errors
    /// 400 and 500 numbers of [`ErrorCode`], or those of [`TokenClient::assertion`].
    pub fn token(&self, request: &TokenRequest, call: &Call) -> Result<Arc<Token>> {
        self.token_and_source(request, call).map(|(token, _)| token)
    }

    /// As [`TokenClient::token`], with where the token came from.
    ///
    /// # Errors
    /// As [`TokenClient::token`].
    pub fn token_and_source(
        &self,
        request: &TokenRequest,
        call: &Call,
    ) -> Result<(Arc<Token>, TokenSource)> {
        match self.cached(request) {
            Some(token) => Ok((token, TokenSource::Cache)),
            None => Ok((self.fetch(request, call)?, TokenSource::Service)),
        }
    }

    /// The cached token for `request`, if there is a fresh one.
    pub fn cached(&self, request: &TokenRequest) -> Option<Arc<Token>> {
        self.cache.get(request, self.clock.now())
    }

    /// A new token from the service, whatever the cache holds.
    ///
    /// # Errors
    /// As [`TokenClient::token`].
    pub fn fetch(&self, request: &TokenRequest, call: &Call) -> Result<Arc<Token>> {
        let (assertion, key) = self.signed(request, call)?;
        let form = form::encode(&key.profile.form(&assertion, request));
        let sent_at = self.clock.now();
        let endpoint = key.profile.token_endpoint().clone();
        let answer = self
            .transport
            .send(&Request::post_form(endpoint, form), call)?;
        let token = response::parse(&answer, &*key.profile, sent_at).inspect_err(|error| {
            log::emit(Level::Warn, "token", format_args!("{error}"));
        })?;
        log::emit(
            Level::Info,
            "token",
            format_args!(
                "{} gave a token, valid until {}",
                key.profile.token_endpoint().authority(),
                token.expires_at()
            ),
        );
        let token = Arc::new(token);
        self.cache.put(request, &token, self.clock.now());
        Ok(token)
    }

    /// Drops the cached token for `request`, or every one of this client.
    pub fn forget(&self, request: Option<&TokenRequest>) {
        self.cache.forget(request);
    }

    /// An assertion and the key that signed it.
    fn signed(&self, request: &TokenRequest, call: &Call) -> Result<(String, Arc<OpenKey>)> {
        self.keys.first_that(call, |key, call| {
            let claims = key.profile.claims(request, self.clock.now())?;
            jws::sign_compact(&*key.signer, &key.header, &to_json(claims)?, call)
        })
    }
}

impl fmt::Debug for TokenClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenClient")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// Where a token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenSource {
    /// From this client's cache.
    Cache,
    /// From the service, just now.
    Service,
}

/// The claims in alphabetical order, whatever order a program's other crates give
/// `serde_json`'s maps.
fn to_json(mut claims: Map<String, Value>) -> Result<Vec<u8>> {
    claims.sort_keys();
    serde_json::to_vec(&claims).map_err(|source| {
        Error::new(
            ErrorCode::InvalidArgument,
            "the claims cannot be written as JSON",
        )
        .with_source(source)
    })
}
