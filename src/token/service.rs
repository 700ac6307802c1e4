//! What a fetch needs: keys, the way to the token endpoint, and what was learned
//! about it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::cache::{CacheKey, Entry};
use super::client_key::OpenKey;
use super::flight::Flight;
use super::form;
use super::key_ring::KeyRing;
use super::response::{self, Token};
use super::retry::{self, Hold, RetryBudget};
use super::skew::ClockSkew;
use super::statistics::Statistics;
use crate::call::Call;
use crate::clock::{Clock, Moment};
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Request, Transport};
use crate::jws;
use crate::log::{self, Level};
use crate::profiles::TokenRequest;

/// One client's way to its tokens, without the cache.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) keys: KeyRing,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) skew: ClockSkew,
    pub(super) statistics: Statistics,
    budget: RetryBudget,
    hold: Hold,
    /// Time for one try.
    timeout: Duration,
}

impl Service {
    pub(super) fn new(
        keys: KeyRing,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        timeout: Duration,
    ) -> Self {
        Self {
            keys,
            transport,
            skew: ClockSkew::default(),
            statistics: Statistics::default(),
            budget: RetryBudget::new(clock.moment()),
            hold: Hold::default(),
            clock,
            timeout,
        }
    }

    /// An assertion and the key that signed it.
    pub(super) fn signed(
        &self,
        request: &TokenRequest,
        call: &Call,
    ) -> Result<(String, Arc<OpenKey>)> {
        self.keys.first_that(call, |key, call| {
            let now = self.skew.service_time(self.clock.now());
            let claims = key.profile.claims(request, now)?;
            jws::sign_compact(&*key.signer, &key.header, &to_json(claims)?, call)
        })
    }

    /// What `request` asks for, in full.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a request that the service would refuse.
    pub(super) fn cache_key(&self, request: &TokenRequest) -> Result<CacheKey> {
        let key = self.keys.any_open()?;
        let now = self.skew.service_time(self.clock.now());
        CacheKey::new(&*key.profile, key.signer.public_key(), request, now)
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
            self.statistics.requests.add();
            let error = match self.exchange(entry.request(), &Call::within(self.timeout)) {
                Ok(token) => {
                    self.budget.give_back();
                    let token = Arc::new(token);
                    entry.keep(&token);
                    return flight.end(Ok(token));
                }
                Err(Failure { error, again }) => {
                    self.statistics.failures.add();
                    log::emit(Level::Warn, "token", format_args!("{error}"));
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
            let pause = retry::backoff(failures);
            failures += 1;
            if let Some(error) = flight.pause(error, pause) {
                return self.fail(entry, flight, error);
            }
        }
    }

    fn fail(&self, entry: &Entry, flight: &Flight, error: Error) {
        entry.failed(&error, self.clock.moment());
        flight.end(Err(error));
    }

    /// One request to the token endpoint, with an assertion of its own.
    fn exchange(&self, request: &TokenRequest, call: &Call) -> std::result::Result<Token, Failure> {
        let (assertion, key) = self.signed(request, call)?;
        let form = form::encode(&key.profile.form(&assertion, request));
        let endpoint = key.profile.token_endpoint().clone();
        let sent = self.clock.moment();
        let answer = self
            .transport
            .send(&Request::post_form(endpoint, form), call)?;
        let learned = self.skew.learn(&answer, sent, self.clock.moment());
        let token = response::parse(&answer, &*key.profile, sent).map_err(|error| Failure {
            // Now that the service's time is known, the next assertion may do.
            again: learned && (400..500).contains(&answer.status),
            error,
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
        Ok(token)
    }
}

/// Why a try failed.
struct Failure {
    error: Error,
    /// The next try will differ.
    again: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            again: false,
        }
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
