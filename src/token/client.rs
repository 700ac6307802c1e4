//! One client at one service.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::builder::TokenClientBuilder;
use super::cache::{Cache, Entry, Spelling};
use super::client_key::OpenKey;
use super::decryption::Decryption;
use super::dpop::Prover;
use super::exchanged::ExchangedTokens;
use super::expiry::Expiry;
use super::flight::{Flight, Seat};
use super::health::KeyHealth;
use super::life::Stage;
use super::response::Token;
use super::service::{Service, to_json};
use super::statistics::TokenHealth;
use super::tls_key::TlsKey;
use super::workers::{Job, NotRun, Workers};
use crate::call::{Call, CancelToken};
use crate::clock::{Clock, Moment};
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
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
    cache: Cache,
    exchanged: ExchangedTokens,
    workers: Workers,
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

    /// The key to which services encrypt their answers; `None` when the settings name none.
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

    /// What `look` makes of the token that a call would be given without waiting.
    pub(crate) fn peek<T>(
        &self,
        spelling: Spelling<'_>,
        look: impl FnOnce(&Arc<Token>) -> T,
    ) -> Option<T> {
        let now = self.service.clock.moment();
        let seen = self.cache.with(spelling, |entry| {
            let token = entry.token();
            let token = token.as_ref()?;
            match token.stage(now) {
                Stage::Fresh => {}
                Stage::Advisory => self.refresh(entry, now),
                Stage::Mandatory if entry.is_pausing(now) => self.service.statistics.stale.add(),
                Stage::Mandatory | Stage::Over => return None,
            }
            Some(look(token))
        });
        seen.flatten()
    }

    /// As [`TokenClient::token_and_source`].
    pub(crate) fn spelled_token(
        &self,
        spelling: Spelling<'_>,
        call: &Call,
    ) -> Result<(Arc<Token>, TokenSource)> {
        if let Some(token) = self.peek(spelling, Arc::clone) {
            return Ok((token, TokenSource::Cache));
        }
        let entry = self.entry(spelling)?;
        let now = || self.service.clock.moment();
        loop {
            let fetched = match entry.refusal(now()) {
                Some(refusal) => Err(refusal),
                None => match self.board(&entry, call, || self.good(&entry)) {
                    Ok(Boarding::Ready(token)) => return Ok((token, TokenSource::Cache)),
                    Ok(Boarding::Seat(seat)) => {
                        let old_until = usable_until(&entry, now());
                        seat.wait(call, old_until, || self.workers.relieve())
                    }
                    Err(over) => Err(over),
                },
            };
            match fetched {
                // A thread that slept through a token's life waits for the next.
                Ok(token) if token.has_expired(now()) => {}
                Ok(token) => return Ok((token, TokenSource::Service)),
                Err(error) if call.cancel().is_some_and(CancelToken::is_cancelled) => {
                    return Err(error);
                }
                // The old one is better than none, as long as it lasts.
                Err(error) => {
                    let old = entry.usable(now()).ok_or(error)?;
                    self.service.statistics.stale.add();
                    return Ok((old, TokenSource::Cache));
                }
            }
        }
    }

    /// As [`TokenClient::reject`].
    pub(crate) fn reject_generation(&self, spelling: Spelling<'_>, generation: u64) -> bool {
        // A spelling may lead to an entry that others have left; the token is in either.
        let now = self.service.clock.moment();
        let reject = |entry: &Arc<Entry>| entry.reject(generation, now);
        let was_it = self.cache.with(spelling, reject) == Some(true)
            || self.entry(spelling).is_ok_and(|entry| reject(&entry));
        if was_it {
            self.service.statistics.rejected.add();
        }
        was_it
    }

    /// The entry that a spelling leads to.
    fn entry(&self, spelling: Spelling<'_>) -> Result<Arc<Entry>> {
        let now = self.service.clock.moment();
        let known = self.cache.with(spelling, Arc::clone);
        let entry = match &known {
            Some(entry) => Arc::clone(entry),
            None => {
                let request = spelling.read()?;
                Arc::new(Entry::new(self.service.cache_key(&request)?, request))
            }
        };
        let entry = self.cache.entry(entry, now);
        if !known.is_some_and(|known| Arc::ptr_eq(&known, &entry)) {
            self.cache.remember(spelling, &entry, now);
        }
        Ok(entry)
    }

    /// A token that need not be replaced now.
    fn good(&self, entry: &Entry) -> Option<Arc<Token>> {
        let now = self.service.clock.moment();
        let token = entry.usable(now)?;
        matches!(token.stage(now), Stage::Fresh | Stage::Advisory).then_some(token)
    }

    /// A place among those who wait for the token of `entry`, whose fetch begins if
    /// there is none, unless `ready` finds it just then.
    fn board(
        &self,
        entry: &Arc<Entry>,
        call: &Call,
        ready: impl FnOnce() -> Option<Arc<Token>>,
    ) -> Result<Boarding> {
        let slot = entry.flight();
        let mut present = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = ready() {
            return Ok(Boarding::Ready(token));
        }
        if let Some(flight) = &*present
            && let Some(seat) = flight.join(call)?
        {
            return Ok(Boarding::Seat(seat));
        }
        let flight = Flight::new();
        let seat = flight.board(call)?;
        *present = Some(Arc::clone(&flight));
        drop(present);
        self.launch(entry, &flight, true);
        Ok(Boarding::Seat(seat))
    }

    /// Begins to fetch a successor, if nobody does and nothing speaks against it.
    fn refresh(&self, entry: &Arc<Entry>, now: Moment) {
        if !entry.claim_refresh(now) || entry.refusal(now).is_some() || self.service.is_held(now) {
            return;
        }
        let slot = entry.flight();
        let mut present = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if present.as_ref().is_some_and(|flight| flight.is_under_way()) {
            return;
        }
        let flight = Flight::new();
        *present = Some(Arc::clone(&flight));
        drop(present);
        self.service.statistics.refreshes.add();
        self.launch(entry, &flight, false);
    }

    /// Leaves a flight to a thread. One that somebody waits for is flown here when
    /// there is none.
    fn launch(&self, entry: &Arc<Entry>, flight: &Arc<Flight>, is_awaited: bool) {
        let (service, own) = (Arc::clone(&self.service), Arc::clone(entry));
        let flown = Arc::clone(flight);
        let work = move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| service.fly(&own, &flown)));
            if outcome.is_err() {
                flown.end(Err(panicked()));
            }
            own.land(&flown);
        };
        let job = Job {
            flight: Arc::clone(flight),
            work: Box::new(work),
        };
        match self.workers.run(job) {
            Ok(()) => {}
            Err(NotRun::NoThread(job)) if is_awaited => (job.work)(),
            Err(NotRun::NoThread(_) | NotRun::Crowded) => {
                flight.end(Err(crowded()));
                entry.land(flight);
            }
        }
    }
}

/// Until when a token that may be handed out at `now` still may.
fn usable_until(entry: &Entry, now: Moment) -> Option<Instant> {
    let left = entry.usable(now)?.left_ms(now);
    // Some time is needed to hand it out.
    let left = u64::try_from(left - 20).unwrap_or(0);
    Instant::now().checked_add(Duration::from_millis(left))
}

/// How a call gets its token.
enum Boarding {
    /// It waits for a fetch.
    Seat(Seat),
    /// It is there.
    Ready(Arc<Token>),
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

fn panicked() -> Error {
    Error::new(
        ErrorCode::Panic,
        "fetching the token panicked; if the signer and the transport are segl's, this is a fault in segl, \
         please report it",
    )
}

fn crowded() -> Error {
    Error::new(
        ErrorCode::Timeout,
        "fetching the token: there is no thread for it, and too many fetches wait already; \
         look for what hangs, the network or the program's own transport",
    )
    .with_retryable(true)
}
