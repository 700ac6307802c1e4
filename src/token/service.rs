//! What a fetch needs: keys, the way to the token endpoint, and what was learned
//! about it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::cache::{CacheKey, Entry};
use super::client_key::OpenKey;
use super::decryption::Decryption;
use super::discovery::Discovery;
use super::dpop::{self, ProofKey, Prover};
use super::flight::Flight;
use super::form;
use super::key_ring::KeyRing;
use super::oauth_error;
use super::response::{self, Token};
use super::retry::{self, Hold, RetryBudget};
use super::shared::SharedCache;
use super::sharing::{self, View};
use super::skew::ClockSkew;
use super::statistics::Statistics;
use super::tls_key::TlsKey;
use crate::call::Call;
use crate::clock::{Clock, Moment, UnixTime};
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Request, Transport};
use crate::jws;
use crate::log::{self, Level};
use crate::profiles::{Environment, Profile, ServiceName, ServiceSettings, TokenRequest};

/// One client's way to its tokens, without the cache.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) keys: KeyRing,
    discovery: Discovery,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) tls: Option<TlsKey>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) skew: Arc<ClockSkew>,
    pub(super) statistics: Statistics,
    shared: Option<SharedCache>,
    /// Where tokens are bound to a key.
    pub(super) dpop: Option<Prover>,
    budget: RetryBudget,
    hold: Hold,
    /// Where tokens may be sent; empty for anywhere.
    pub(super) apis: Vec<Endpoint>,
    pub(super) environment: Option<Environment>,
    pub(super) services: BTreeMap<ServiceName, ServiceSettings>,
    pub(super) decryption: Option<Decryption>,
    /// Time for one try.
    timeout: Duration,
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
    /// The key that others encrypt to.
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
    fn assertion_of(
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

    /// Fetches the token of `entry` for `flight`, and tries again while that may
    /// help and somebody waits.
    pub(super) fn fly(&self, entry: &Entry, flight: &Flight) {
        let mut failures = 0;
        loop {
            if let Some((wait, error)) = self.hold.at(self.clock.moment())
                && let Some(error) = flight.pause(error, wait)
            {
                return self.fail(entry, flight, error);
            }
            flight.begin_try(self.timeout);
            let tried = self.try_once(entry, flight);
            let error = match tried.and_then(|token| self.unexpired(token)) {
                Ok(token) => {
                    self.budget.give_back();
                    entry.note_try(None);
                    let token = Arc::new(token);
                    entry.keep(&token, flight);
                    return flight.end(Ok(token));
                }
                Err(Failure { error, again }) => {
                    self.statistics.failures.add();
                    let level = match entry.note_try(Some(error.code())) {
                        true => Level::Warn,
                        false => Level::Debug,
                    };
                    log::emit(level, "token", format_args!("{error}"));
                    self.hold.note(&error, self.clock.moment());
                    if !again && !retry::is_transient(&error) {
                        return self.fail(entry, flight, error);
                    }
                    error
                }
            };
            if !self.budget.take(self.clock.moment()) {
                return self.fail(entry, flight, error);
            }
            // A long pause would leave time unused in which the service may answer.
            let pause = retry::backoff(failures).min(flight.time_left() / 2);
            if pause < retry::SHORTEST_PAUSE {
                return self.fail(entry, flight, error);
            }
            failures += 1;
            if let Some(error) = flight.pause(error, pause) {
                return self.fail(entry, flight, error);
            }
        }
    }

    /// Refuses a token that was over when it arrived: a caller could only ask again.
    fn unexpired(&self, token: Token) -> std::result::Result<Token, Failure> {
        if !token.has_expired(self.clock.moment()) {
            return Ok(token);
        }
        let life = token.life_ms() / 1000;
        let message = format!(
            "the service gave a token for {life} s, and it was over when it arrived; look for what is slow"
        );
        Err(Failure {
            error: Error::new(ErrorCode::Timeout, message).with_retryable(true),
            again: false,
        })
    }

    fn fail(&self, entry: &Entry, flight: &Flight, error: Error) {
        entry.failed(&error, self.clock.moment(), flight);
        flight.end(Err(error));
    }

    /// One try, through the cache that instances share if there is one, which may take
    /// half of the time of those who wait for `flight`.
    fn try_once(&self, entry: &Entry, flight: &Flight) -> std::result::Result<Token, Failure> {
        let learned = Cell::new(false);
        let call = Call::within(self.timeout);
        let fetch = || self.fetch(entry.request(), &call, &learned);
        let token = match &self.shared {
            None => fetch(),
            Some(shared) => {
                let view = || View {
                    now: self.clock.moment(),
                    skew_ms: self.skew.known_ms(),
                };
                let (time, is_urgent) = (flight.time(self.timeout), || flight.is_urgent());
                let waiting = Call::within(time);
                sharing::obtain_shared(
                    shared,
                    entry,
                    &view,
                    &fetch,
                    &waiting,
                    &is_urgent,
                    self.bound_to(),
                )
                .map(|(token, is_anothers)| {
                    if is_anothers {
                        self.statistics.shared.add();
                    }
                    token
                })
            }
        };
        token.map_err(|error| Failure {
            // Now that the service's time is known, the next assertion may do.
            again: learned.get() && error.details().http_status.is_some(),
            error,
        })
    }

    /// A token from the service. When it refuses the key, the next key's assertion is
    /// sent, and the refused one is used after the others for a minute. When it asks for
    /// a nonce in the DPoP proof, it gets another assertion with a proof that has it, at
    /// once; an error of the last of these stays.
    fn fetch(&self, request: &TokenRequest, call: &Call, learned: &Cell<bool>) -> Result<Token> {
        if let Some(tls) = &self.tls {
            tls.warn_of_expiry(self.clock.now());
        }
        // First of all: some services give programs no tokens.
        let endpoint = self
            .discovery
            .token_endpoint(&*self.transport, &*self.clock, call)?;
        self.keys.first_accepted(
            call,
            |key, share| self.assertion_of(key, request, share),
            |assertion, key| {
                let send = |assertion: String| {
                    let form = form::encode(&key.profile.form(&assertion, request));
                    let form = Request::post_form(endpoint.clone(), form);
                    self.exchange(form, &*key.profile, call, learned)
                };
                let mut answer = send(assertion)?;
                for _ in 0..dpop::MOST_NEW_NONCES {
                    if let Answer::Nonce(_) = answer {
                        answer = send(self.assertion_of(key, request, call)?)?;
                    }
                }
                match answer {
                    Answer::Token(token) => Ok(*token),
                    Answer::Nonce(error) => Err(error),
                }
            },
        )
    }

    /// A refusal of the proof, with what the server's metadata say about its algorithm.
    /// They are not asked before: a server may take more than it lists.
    fn explained(&self, error: Error) -> Error {
        if error.code() != ErrorCode::TokenDpopProofRefused {
            return error;
        }
        let algs = self
            .discovery
            .metadata()
            .and_then(|it| it.dpop_signing_algs);
        match (&self.dpop, algs) {
            (Some(dpop), Some(algs)) if !algs.iter().any(|alg| alg == dpop.alg()) => error
                .in_context(format_args!(
                    "the proof is signed with {}, and the server's metadata list {}; set \"dpop.alg\" or another \"dpop.key\"",
                    dpop.alg(),
                    oauth_error::clean(&algs.join(", "))
                )),
            _ => error,
        }
    }

    /// What the service gives for `form`, with a DPoP proof where tokens are bound to a
    /// key. `learned` becomes true when its clock is not what it was taken for.
    fn exchange(
        &self,
        mut form: Request,
        profile: &dyn Profile,
        call: &Call,
        learned: &Cell<bool>,
    ) -> Result<Answer> {
        if let Some(dpop) = &self.dpop {
            let proof = dpop.for_token_request(&form.url, call)?;
            form = form.header("DPoP", proof);
        }
        self.statistics.requests.add();
        let sent = self.clock.moment();
        let answer = self.transport.send(&form, call)?;
        if self.skew.learn(&answer, sent, self.clock.moment()) {
            learned.set(true);
        }
        let noted = |dpop: &Prover| dpop.note_token_answer(&form.url, &answer);
        let has_nonce = self.dpop.as_ref().is_some_and(noted);
        let token = match response::parse(&answer, profile, sent, self.bound_to()) {
            Ok(token) => token,
            Err(error) if has_nonce && error.code() == ErrorCode::TokenDpopNonce => {
                return Ok(Answer::Nonce(error));
            }
            Err(error) => return Err(self.explained(error)),
        };
        log::emit(
            Level::Info,
            "token",
            format_args!(
                "{} gave a token, valid until {}",
                form.url.authority(),
                token.expires_at()
            ),
        );
        Ok(Answer::Token(Box::new(token)))
    }
}

/// What the token endpoint answered.
enum Answer {
    Token(Box<Token>),
    /// It wants the request once more, with the nonce that it gave.
    Nonce(Error),
}

/// Why a try failed.
struct Failure {
    error: Error,
    /// The next try will differ.
    again: bool,
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
