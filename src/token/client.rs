//! One client at one service.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::cache::Cache;
use super::form;
use super::response::{self, Token};
use crate::call::Call;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Request, Transport, TransportSettings, UreqTransport};
use crate::jws::{self, PreparedHeader};
use crate::keys::uri::PinPolicy;
use crate::keys::{self, KeyUri, Signer, x509};
use crate::log::{self, Level};
use crate::profiles::{self, ClientSettings, Profile, TokenRequest};
use crate::secret::Secret;

/// Makes assertions and gets access tokens for one client. `Send` and `Sync`:
/// share one for the life of the program.
pub struct TokenClient {
    profile: Box<dyn Profile>,
    signer: Arc<dyn Signer>,
    header: PreparedHeader,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    cache: Cache,
}

impl TokenClient {
    /// A client from settings, with parts of the program's own.
    pub fn builder(settings: ClientSettings) -> TokenClientBuilder {
        TokenClientBuilder {
            settings,
            signer: None,
            secret: None,
            pin_policy: PinPolicy::default(),
            transport: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// The key that signs.
    pub fn signer(&self) -> &Arc<dyn Signer> {
        &self.signer
    }

    /// A signed assertion for `request`, with a new `jti`. Nothing is sent.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a request that the service would refuse, otherwise
    /// as [`Signer::sign`].
    pub fn assertion(&self, request: &TokenRequest, call: &Call) -> Result<String> {
        let claims = self.profile.claims(request, self.clock.now())?;
        jws::sign_compact(&*self.signer, &self.header, &to_json(claims)?, call)
    }

    /// The JWT that registers the client's key with the service (DNB).
    ///
    /// # Errors
    /// `UNSUPPORTED` when the service has none.
    pub fn registration(&self, call: &Call) -> Result<String> {
        let (header, claims) = self.profile.registration(self.clock.now())?;
        let header = PreparedHeader::new(&header)?;
        jws::sign_compact(&*self.signer, &header, &to_json(claims)?, call)
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
        let assertion = self.assertion(request, call)?;
        let form = form::encode(&self.profile.form(&assertion, request));
        let sent_at = self.clock.now();
        let endpoint = self.profile.token_endpoint().clone();
        let answer = self
            .transport
            .send(&Request::post_form(endpoint, form), call)?;
        let token = response::parse(&answer, &*self.profile, sent_at).inspect_err(|error| {
            log::emit(Level::Warn, "token", format_args!("{error}"));
        })?;
        log::emit(
            Level::Info,
            "token",
            format_args!(
                "{} gave a token, valid until {}",
                self.profile.token_endpoint().authority(),
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
}

impl fmt::Debug for TokenClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenClient")
            .field("profile", &self.profile)
            .field("signer", &self.signer)
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

/// Puts a [`TokenClient`] together.
#[derive(Debug)]
#[must_use]
pub struct TokenClientBuilder {
    settings: ClientSettings,
    signer: Option<Arc<dyn Signer>>,
    secret: Option<Secret>,
    pin_policy: PinPolicy,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
}

impl TokenClientBuilder {
    /// Signs with `signer` instead of the key in the settings.
    pub fn signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// The PIN or passphrase of the key in the settings.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Which risky PIN sources the key URI may name.
    pub fn pin_policy(mut self, policy: PinPolicy) -> Self {
        self.pin_policy = policy;
        self
    }

    /// Sends with `transport` instead of the built-in one.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Reads `clock` instead of the operating system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Opens the key and checks the settings against it.
    ///
    /// # Errors
    /// `CONFIG` naming the setting, otherwise what opening the key reports.
    pub fn build(self, call: &Call) -> Result<TokenClient> {
        let certificates = profiles::certificates(&self.settings)?;
        let signer = match (self.signer, &self.settings.key) {
            (Some(signer), None) => signer,
            (None, Some(uri)) => {
                let uri = KeyUri::parse(uri.expose(), self.pin_policy)?;
                let public_key = certificates.as_deref().and_then(x509::leaf_key);
                keys::open_expecting(&uri, self.secret, public_key, call)?
            }
            (Some(_), Some(_)) => {
                return Err(no_single_key(
                    "is set, and a signer was given too; use one of them",
                ));
            }
            (None, None) => {
                return Err(no_single_key(
                    "is missing; set it to a pkcs11: or file: URI",
                ));
            }
        };
        let profile = profiles::build(
            &self.settings,
            certificates.as_deref(),
            &*signer,
            self.clock.now(),
        )?;
        let mut bounds = TransportSettings::default();
        if let Some(timeout) = self.settings.timeout_ms {
            bounds.timeout = Duration::from_millis(timeout.max(1).into());
        }
        if let Some(timeout) = self.settings.connect_timeout_ms {
            bounds.connect_timeout = Duration::from_millis(timeout.max(1).into());
        }
        Ok(TokenClient {
            header: PreparedHeader::new(profile.header())?,
            profile,
            signer,
            transport: self
                .transport
                .unwrap_or_else(|| Arc::new(UreqTransport::new(bounds))),
            clock: self.clock,
            cache: Cache::default(),
        })
    }
}

fn no_single_key(problem: &str) -> Error {
    Error::new(ErrorCode::Config, format!("setting \"key\" {problem}"))
        .with_details(|details| details.config_path = Some("key".into()))
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
