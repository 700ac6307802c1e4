//! A fetch: its tries, and what one try asks of the token endpoint.

use std::cell::Cell;
use std::sync::Arc;

use super::cache::Entry;
use super::dpop::{self, Prover};
use super::flight::Flight;
use super::form;
use super::oauth_error;
use super::response::{self, Token};
use super::retry;
use super::service::Service;
use super::sharing::{self, View};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::http::Request;
use crate::log::{self, Level};
use crate::profiles::{Profile, TokenRequest};

impl Service {
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
                    let form = form::encode(key.profile.form(&assertion, request));
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
