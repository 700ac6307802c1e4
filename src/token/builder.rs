//! Putting a [`TokenClient`] together.

use std::sync::Arc;

use super::client::TokenClient;
use super::decryption::Decryption;
use super::discovery::Discovery;
use super::dpop::ProofKey;
use super::key_ring::KeyRing;
use super::opener::{KeyOpener, UriOpener};
use super::service::{Parts, Service};
use super::shared::{SharedCache, SharedStore};
use super::tls_key::TlsKey;
use super::transport;
use crate::call::Call;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorCode, Result};
use crate::http::Transport;
use crate::keys::uri::PinPolicy;
use crate::keys::{Decrypter, Signer};
use crate::profiles::{self, ClientSettings, DpopSettings};
use crate::secret::Secret;

/// Puts a [`TokenClient`] together.
#[derive(Debug)]
#[must_use]
pub struct TokenClientBuilder {
    name: Option<String>,
    settings: ClientSettings,
    signer: Option<Arc<dyn Signer>>,
    dpop_signer: Option<Arc<dyn Signer>>,
    opener: Option<Arc<dyn KeyOpener>>,
    secret: Option<Secret>,
    pin_policy: PinPolicy,
    transport: Option<Arc<dyn Transport>>,
    tls_signer: Option<Arc<dyn Signer>>,
    decrypters: Vec<Arc<dyn Decrypter>>,
    shared_store: Option<Arc<dyn SharedStore>>,
    clock: Arc<dyn Clock>,
}

impl TokenClientBuilder {
    pub(super) fn new(settings: ClientSettings) -> Self {
        Self {
            name: None,
            settings,
            signer: None,
            dpop_signer: None,
            opener: None,
            secret: None,
            pin_policy: PinPolicy::default(),
            transport: None,
            tls_signer: None,
            decrypters: Vec::new(),
            shared_store: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// What the client is called in the configuration; errors name it.
    pub(crate) fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Signs with `signer` instead of the key in the settings.
    pub fn signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Binds tokens to `signer` (DPoP, RFC 9449) instead of the key in the settings'
    /// `dpop`, which may be left out then.
    pub fn dpop_signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.dpop_signer = Some(signer);
        self
    }

    /// The PIN or passphrase of the key in the settings. Several keys name each
    /// its own `pin-source`.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Which risky PIN sources the key URI may name.
    pub fn pin_policy(mut self, policy: PinPolicy) -> Self {
        self.pin_policy = policy;
        self
    }

    /// Sends with `transport` instead of the built-in one. `tls` in the settings has no
    /// meaning then, and is refused. What bounds a request, `timeout_ms`, is handed to it
    /// with the call; a body longer than `max_response_bytes` is refused.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Shows servers that ask for it the client certificate of `signer`'s key, instead
    /// of that in the settings: `tls.certificate` or, without it, the one beside the
    /// key. `tls` in the settings says the rest.
    pub fn tls_signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.tls_signer = Some(signer);
        self
    }

    /// Decrypts answers with `decrypters` instead of the keys in the settings'
    /// `decryption`, which may be left out then, or say the algorithms only. An answer
    /// names one of several by its RFC 7638 thumbprint; else the first that can decrypts it.
    pub fn decrypters(mut self, decrypters: Vec<Arc<dyn Decrypter>>) -> Self {
        self.decrypters = decrypters;
        self
    }

    /// Shares tokens in `store` instead of the Redis in the settings. What seals them
    /// stands in the settings, under `shared_cache`.
    pub fn shared_store(mut self, store: Arc<dyn SharedStore>) -> Self {
        self.shared_store = Some(store);
        self
    }

    /// Reads `clock` instead of the operating system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Opens the keys of the settings with `opener` instead of segl's own ways.
    pub fn key_opener(mut self, opener: Arc<dyn KeyOpener>) -> Self {
        self.opener = Some(opener);
        self
    }

    /// Opens the keys and checks the settings against them. Of several keys one is
    /// enough: those whose home is away for now are opened when it is their turn
    /// to sign, at most every 5 seconds. As in [`TokenClient::assertion`], none of
    /// them may use more than its share of the call's time.
    ///
    /// # Errors
    /// `CONFIG` naming the setting, otherwise what opening the key reports. When
    /// no key can be opened: the first one's error, with the message of each.
    pub fn build(mut self, call: &Call) -> Result<TokenClient> {
        let name = self.name.take();
        self.assemble(call).map_err(|error| match &name {
            Some(name) => error.in_client(name),
            None => error,
        })
    }

    fn assemble(self, call: &Call) -> Result<TokenClient> {
        let policy = self.pin_policy;
        let opener = self
            .opener
            .unwrap_or_else(|| Arc::new(UriOpener { pin_policy: policy }));
        let settings = self.settings;
        let (transport, tls) = match self.transport {
            Some(_) if settings.tls.is_some() => {
                return Err(wrong(
                    "tls",
                    "is set, and a transport was given, which speaks its own TLS; leave one of them out",
                ));
            }
            Some(_) if self.tls_signer.is_some() => {
                return Err(wrong(
                    "tls",
                    "cannot use the signer that was given for it, as a transport was given too; leave one of them out",
                ));
            }
            Some(transport) => {
                let bounded = transport::Bounded::new(transport, &settings);
                (Arc::new(bounded) as Arc<dyn Transport>, None)
            }
            None => {
                let built = transport::built_in(
                    &settings,
                    &*opener,
                    self.tls_signer.as_ref(),
                    &self.clock,
                    call,
                )?;
                let tls = built.certificate.map(|certificate| {
                    TlsKey::new(certificate, self.tls_signer.is_some(), &settings)
                });
                (Arc::new(built.transport) as Arc<dyn Transport>, tls)
            }
        };
        let timeout = transport::bounds(&settings).timeout;
        let discovery = Discovery::new(profiles::token_endpoint(&settings)?)
            .with_client_certificate(tls.is_some());
        let apis = profiles::apis(&settings)?;
        let (environment, services) = (settings.environment, settings.services.clone());
        let decryption = profiles::decryption(&settings, !self.decrypters.is_empty())?;
        let decryption = decryption.map(|decryption| {
            let (opener, clock) = (Arc::clone(&opener), Arc::clone(&self.clock));
            Decryption::new(decryption, self.decrypters, opener, clock)
        });
        let decryption = decryption.transpose()?;
        let clock = Arc::clone(&self.clock);
        let shared = match (&settings.shared_cache, self.shared_store) {
            (None, None) => None,
            (Some(described), None) => Some(SharedCache::from_settings(described)?),
            (Some(described), Some(store)) => Some(SharedCache::with_store(described, store)?),
            (None, Some(_)) => {
                return Err(wrong(
                    "shared_cache",
                    "is missing, and a store was given; its \"key\" seals what goes into it",
                ));
            }
        };
        let dpop = profiles::dpop(&settings, self.dpop_signer.is_some())?;
        let dpop = dpop.map(|dpop| DpopKey::of(dpop, self.dpop_signer, &settings));
        let dpop = dpop.transpose()?;
        let dpop_opener = Arc::clone(&opener);
        let keys = match self.signer {
            Some(_) if settings.key.is_some() => {
                return Err(wrong(
                    "key",
                    "is set, and a signer was given too; use one of them",
                ));
            }
            Some(_) if !settings.keys.is_empty() => {
                return Err(wrong(
                    "keys",
                    "is set, and a signer was given too; use one of them",
                ));
            }
            given if settings.authenticates_by_tls() => {
                let key = tls_client_key(given, tls.as_ref())?;
                KeyRing::given(
                    settings,
                    key.name(),
                    Arc::clone(key.signer()),
                    opener,
                    clock,
                )?
            }
            Some(signer) => KeyRing::given(settings, "signer", signer, opener, clock)?,
            None if self.secret.is_some() && settings.keys.len() > 1 => {
                return Err(wrong(
                    "keys",
                    "names several keys, and one PIN was given beside them; \
                     name a pin-source in the URI of each",
                ));
            }
            None => KeyRing::open(&settings, opener, self.secret, clock, call)?,
        };
        let dpop = dpop.map(|key| key.open(&*dpop_opener, &keys, call));
        let dpop = dpop.transpose()?;
        let service = Service::new(Parts {
            keys,
            discovery,
            transport,
            tls,
            clock: self.clock,
            shared,
            apis,
            environment,
            services,
            decryption,
            dpop,
            timeout,
        });
        Ok(TokenClient::new(service))
    }
}

/// The one key of a client that its client certificate authenticates.
fn tls_client_key(given: Option<Arc<dyn Signer>>, tls: Option<&TlsKey>) -> Result<&TlsKey> {
    let method = "token_endpoint_auth_method";
    match (given, tls) {
        (Some(_), _) => Err(wrong(
            method,
            "is a method of TLS, and a signer of assertions was given; give it for TLS instead, or change the method",
        )),
        (None, Some(tls)) => Ok(tls),
        (None, None) => Err(wrong(
            method,
            "is a method of TLS, and the client has no client certificate; set \"tls.key\" and \"tls.certificate\"",
        )),
    }
}

/// Which key tokens are to be bound to.
struct DpopKey {
    settings: DpopSettings,
    given: Option<Arc<dyn Signer>>,
}

impl DpopKey {
    /// # Errors
    /// `CONFIG` when two keys are named, or none and the client has several.
    fn of(
        settings: DpopSettings,
        given: Option<Arc<dyn Signer>>,
        client: &ClientSettings,
    ) -> Result<Self> {
        if settings.key.is_some() && given.is_some() {
            return Err(wrong(
                "dpop.key",
                "is set, and a signer for DPoP was given too; use one of them",
            ));
        }
        if settings.key.is_none() && given.is_none() && client.keys.len() > 1 {
            return Err(wrong(
                "dpop.key",
                "is missing, and the client has several keys; tokens are bound to one key, so name it here",
            ));
        }
        Ok(Self { settings, given })
    }

    fn open(self, opener: &dyn KeyOpener, keys: &KeyRing, call: &Call) -> Result<ProofKey> {
        let own = match (self.given, &self.settings.key) {
            (Some(given), _) => Some(("dpop_signer", given)),
            (None, Some(uri)) => {
                let opened = opener.open(uri.expose(), None, None, call);
                let opened = opened.map_err(|error| error.in_context("setting \"dpop.key\""));
                Some(("dpop.key", opened?))
            }
            (None, None) => None,
        };
        let (name, signer, usual) = match own {
            Some((name, signer)) => {
                let usual = signer.algorithms().first().copied();
                let usual =
                    usual.ok_or_else(|| wrong("dpop.key", "is a key that makes no signatures"))?;
                (name, signer, usual)
            }
            None => {
                let client_key = keys.get(0, call)?;
                let usual = client_key.profile.header().alg;
                (keys.name(0), Arc::clone(&client_key.signer), usual)
            }
        };
        ProofKey::new(name, signer, self.settings.alg.as_deref(), usual)
    }
}

fn wrong(setting: &str, problem: &str) -> Error {
    Error::new(
        ErrorCode::Config,
        format!("setting \"{setting}\" {problem}"),
    )
    .with_details(|details| details.config_path = Some(setting.to_owned()))
}
