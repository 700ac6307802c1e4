//! One client at one service.

use std::fmt;
use std::sync::Arc;

use super::builder::TokenClientBuilder;
use super::cache::Cache;
use super::client_key::OpenKey;
use super::decryption::Decryption;
use super::dpop::Prover;
use super::exchanged::ExchangedTokens;
use super::expiry::Expiry;
use super::health::KeyHealth;
use super::obtain::Boarding;
use super::response::Token;
use super::service::{Service, to_json};
use super::statistics::TokenHealth;
use super::tls_key::TlsKey;
use super::workers::Workers;
use crate::call::Call;
use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::http::Transport;
use crate::jws::{self, PreparedHeader};
use crate::keys::Signer;
use crate::profiles::{ClientSettings, Environment, ServiceName, ServiceSettings, TokenRequest};

/// Makes assertions and gets access tokens for one client. `Send` and `Sync`:
/// share one for the life of the program.
///
/// Tokens are fetched on threads of the client's own, one fetch at a time for each
/// token, so the signer and the transport are called from those.
pub struct TokenClient {
    pub(super) service: Arc<Service>,
    pub(super) cache: Cache,
    exchanged: ExchangedTokens,
    pub(super) workers: Workers,
}

impl TokenClient {
    /// A client from settings, with parts of the program's own.
    pub fn builder(settings: ClientSettings) -> TokenClientBuilder {
        TokenClientBuilder::new(settings)
    }

    pub(super) fn new(service: Service) -> Self {
        Self {
            service: Arc::new(service),
            cache: Cache::default(),
            exchanged: ExchangedTokens::default(),
            workers: Workers::default(),
        }
    }

    /// The signer of each key, in the order of the settings; `None` for one that
    /// could not be opened yet.
    pub fn signers(&self) -> Vec<Option<Arc<dyn Signer>>> {
        self.service.keys.signers()
    }

    /// How each key is doing, in the order of the settings. Nothing is asked of a
    /// device.
    pub fn health(&self) -> Vec<KeyHealth> {
        self.service.keys.health()
    }

    /// How the key of TLS is doing; `None` when the built-in transport has no client
    /// certificate. Nothing is asked of a device.
    pub fn tls_health(&self) -> Option<KeyHealth> {
        let now = self.service.clock.now();
        self.service.tls.as_ref().map(|tls| tls.health(now))
    }

    /// How the key is doing that tokens are bound to, the client's own if it has no other;
    /// `None` when they are not bound. Nothing is asked of a device.
    pub fn dpop_health(&self) -> Option<KeyHealth> {
        self.service.dpop.as_ref().map(Prover::health)
    }

    /// The certificates and registrations that the keys' assertions depend on, in the
    /// order of the keys, then the certificate of TLS, and when they end. Those that end
    /// soon are logged too, see `warn_days` in the settings.
    pub fn expiries(&self) -> Vec<Expiry> {
        let mut expiries = self.service.keys.expiries();
        expiries.extend(self.service.tls.as_ref().and_then(TlsKey::expiry));
        expiries
    }

    /// What sends the client's requests, for APIs behind its tokens.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.service.transport
    }

    /// The base URLs of the APIs that the client's tokens may be sent to (`apis` in the
    /// settings); none stand for any.
    pub fn apis(&self) -> &[Endpoint] {
        &self.service.apis
    }

    /// The environment that the client's tokens are of, where its settings name one.
    pub fn environment(&self) -> Option<Environment> {
        self.service.environment
    }

    /// What the settings say about a service behind the client's tokens.
    pub fn service_settings(&self, name: ServiceName) -> Option<&ServiceSettings> {
        self.service.services.get(&name)
    }

    /// The keys to which services encrypt their answers; `None` when there is none.
    pub fn decryption(&self) -> Option<&Decryption> {
        self.service.decryption.as_ref()
    }

    /// The clock that the client goes by.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.service.clock
    }

    /// How the tokens are doing. Nothing is sent.
    pub fn token_health(&self) -> TokenHealth {
        let statistics = &self.service.statistics;
        TokenHealth {
            cached: self.cache.usable(self.service.clock.moment()),
            requests: statistics.requests.get(),
            failures: statistics.failures.get(),
            refreshes: statistics.refreshes.get(),
            stale: statistics.stale.get(),
            rejected: statistics.rejected.get(),
            shared: statistics.shared.get(),
            clock_skew_ms: self.service.skew.measured_ms(),
        }
    }

    /// A signed assertion for `request`, with a new `jti`. Nothing is sent. It is
    /// dated by the service's clock, as far as an earlier answer has told it.
    ///
    /// Of several keys, the first that is ready, and that the service has not just
    /// refused, signs; while it cannot, the next one does, under its own `kid` or
    /// certificate. As long as another key is left, one may use no more than its
    /// share of the call's time, see [`Call::share`]; without a deadline that is 10
    /// seconds.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a request that the service would refuse, otherwise
    /// as [`Signer::sign`]. When several keys were tried: the first one's error,
    /// with the message of each.
    pub fn assertion(&self, request: &TokenRequest, call: &Call) -> Result<String> {
        let signed = |key: &Arc<OpenKey>, share: &Call| self.service.signed_by(key, request, share);
        self.service.keys.first_that(call, signed)
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
        let key = self.service.keys.get(index, call)?;
        let (header, claims) = key.profile.registration(self.service.now())?;
        let header = PreparedHeader::new(&header)?;
        jws::sign_compact(&*key.signer, &header, &to_json(claims)?, call)
    }

    /// An access token that is good for a while: from the cache, or a new one.
    ///
    /// Before a token ends, one caller has its successor fetched while the others
    /// go on with it; near its end all wait for the successor, and get the old one
    /// while it lasts if there is none. However many callers ask for the same
    /// token, it is fetched once; each waits no longer than its own call lasts, 30
    /// seconds without a deadline. Failures that pass are tried again within that
    /// time, each time with a new assertion; a refusal is remembered for 1 to 5
    /// seconds and given to later callers at once.
    ///
    /// # Errors
    /// 400 and 500 numbers of [`crate::ErrorCode`], or those of [`TokenClient::assertion`].
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
        self.spelled_token(request.into(), call)
    }

    /// The token that [`TokenClient::token`] would return at once, if there is one. It
    /// waits for nothing and calls nothing of the program's; a successor that is due is
    /// fetched on a thread of the client's own.
    pub fn ready(&self, request: &TokenRequest) -> Option<Arc<Token>> {
        self.peek(request.into(), Arc::clone)
    }

    /// The cached token for `request`, if one may be handed out.
    pub fn cached(&self, request: &TokenRequest) -> Option<Arc<Token>> {
        let entry = self.entry(request.into()).ok()?;
        entry.usable(self.service.clock.moment())
    }

    /// A new token from the service, whatever this cache and a shared one hold. If one
    /// is being fetched already, it is that one.
    ///
    /// # Errors
    /// As [`TokenClient::token`].
    pub fn fetch(&self, request: &TokenRequest, call: &Call) -> Result<Arc<Token>> {
        let entry = self.entry(request.into())?;
        entry.outdate(self.service.clock.moment());
        match self.board(&entry, call, || None)? {
            Boarding::Seat(seat) => seat.wait(call, None, || self.workers.relieve()),
            Boarding::Ready(token) => Ok(token),
        }
    }

    /// Drops the token for `request` if it is still `rejected`, which an API did
    /// not accept; the next call then fetches another. False when it had been
    /// replaced already: however many calls meet the same rejection, the token is
    /// dropped once. False too within 10 seconds of another rejection: an API that
    /// takes no token at all would not take the next one either.
    pub fn reject(&self, request: &TokenRequest, rejected: &Token) -> bool {
        self.reject_generation(request.into(), rejected.generation())
    }

    /// Tokens of other issuers that were got for this client's.
    pub(crate) fn exchanged(&self) -> &ExchangedTokens {
        &self.exchanged
    }

    /// Drops the cached token for `request`, or every one of this client; also those that
    /// other issuers gave for them.
    pub fn forget(&self, request: Option<&TokenRequest>) {
        self.exchanged.forget(request);
        let now = self.service.clock.moment();
        match request {
            Some(request) => {
                self.cache.with(request.into(), |entry| entry.forget(now));
                if let Ok(entry) = self.entry(request.into()) {
                    entry.forget(now);
                }
            }
            None => self.cache.all().iter().for_each(|entry| entry.forget(now)),
        }
    }
}

impl fmt::Debug for TokenClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenClient")
            .field("keys", &self.service.keys)
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
