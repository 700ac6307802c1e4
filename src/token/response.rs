//! The token endpoint's answer (RFC 6749 section 5.1).

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::life::{Life, Stage};
use super::oauth_error;
use crate::clock::{Moment, UnixTime};
use crate::error::{Error, ErrorCode, Result};
use crate::http::Response;
use crate::profiles::Profile;

/// An access token. Its memory is wiped; `Debug` shows nothing of it.
pub struct Token {
    access_token: Zeroizing<String>,
    response_json: Zeroizing<String>,
    scope: Option<String>,
    expires_at: UnixTime,
    life: Life,
    generation: u64,
    shared_at: Option<i64>,
}

#[derive(Deserialize)]
struct Wire {
    access_token: Option<Zeroizing<String>>,
    token_type: Option<String>,
    expires_in: Option<serde_json::Value>,
    scope: Option<String>,
}

/// The life of a token whose answer has no `expires_in`, in seconds: too short
/// to be wrong for any server that segl knows.
const UNKNOWN_LIFETIME: i64 = 60;

impl Token {
    /// The token itself.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// The whole answer, JSON as received.
    pub fn response_json(&self) -> &str {
        &self.response_json
    }

    /// The granted scope, if the answer names it.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// When it expires, by this machine's clock.
    pub fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// Tells this token from every other that this process was given; never 0.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn stage(&self, now: Moment) -> Stage {
        self.life.stage(now)
    }

    /// True when its whole life is over, by the service's own count.
    pub(super) fn has_expired(&self, now: Moment) -> bool {
        self.life.has_expired(now)
    }

    /// When it was requested.
    pub(super) fn requested(&self) -> Moment {
        self.life.requested()
    }

    /// Its whole life in milliseconds, by the service's own count.
    pub(super) fn life_ms(&self) -> i64 {
        self.life.whole_ms()
    }

    /// A token from an answer that was kept, requested at `requested`.
    ///
    /// # Errors
    /// `TOKEN_BAD_RESPONSE` when it is no answer with a token.
    pub(super) fn from_json(json: &str, requested: Moment) -> Result<Self> {
        read(json, requested, &|| "text".to_owned()).map_err(|problem| {
            let message = format!("a token response was kept {problem}");
            Error::new(ErrorCode::TokenBadResponse, message)
        })
    }

    /// When it was requested, in milliseconds since 1970 by the service's clock, as the
    /// instance that fetched it told the others; all of them have the same number.
    pub(super) fn shared_at(&self) -> Option<i64> {
        self.shared_at
    }

    pub(super) fn with_shared_at(mut self, shared_at: i64) -> Self {
        self.shared_at = Some(shared_at);
        self
    }

    /// For how many milliseconds it may be handed out after `now`.
    pub(super) fn left_ms(&self, now: Moment) -> i64 {
        self.life.left(now)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("scope", &self.scope)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Reads the answer to a token request that was sent at `sent`.
pub(super) fn parse(response: &Response, profile: &dyn Profile, sent: Moment) -> Result<Token> {
    if response.status != 200 {
        let requested = UnixTime::from_seconds(sent.wall_ms().div_euclid(1000));
        return Err(oauth_error::from_response(response, profile, requested));
    }
    let json = std::str::from_utf8(&response.body);
    let json = json.map_err(|_| "with text that is not UTF-8".to_owned());
    let token = json.and_then(|json| read(json, sent, &|| content_type(response)));
    token.map_err(|problem| {
        Error::new(
            ErrorCode::TokenBadResponse,
            format!(
                "{} answered HTTP 200 {problem}; is the token endpoint right?",
                profile.token_endpoint()
            ),
        )
        .with_details(|details| details.http_status = Some(200))
    })
}

/// The token in the JSON of an answer, or what is wrong with it.
fn read(
    json: &str,
    sent: Moment,
    content: &dyn Fn() -> String,
) -> std::result::Result<Token, String> {
    let wire: Wire = serde_json::from_str(json)
        .map_err(|_| format!("with {}, not a JSON token response", content()))?;
    let access_token = wire
        .access_token
        .filter(|token| !token.is_empty())
        .ok_or("without \"access_token\"")?;
    match wire.token_type.as_deref() {
        Some(kind) if kind.eq_ignore_ascii_case("Bearer") => {}
        Some(_) => {
            return Err("with a \"token_type\" other than Bearer, which segl cannot use".into());
        }
        None => return Err("without \"token_type\"".into()),
    }
    let lifetime = match wire.expires_in {
        None => UNKNOWN_LIFETIME,
        Some(value) => value
            .as_i64()
            .or_else(|| value.as_str()?.parse().ok())
            .filter(|seconds| *seconds > 0)
            .ok_or("with an \"expires_in\" that is no positive number of seconds")?,
    };
    let requested = UnixTime::from_seconds(sent.wall_ms().div_euclid(1000));
    Ok(Token {
        access_token,
        response_json: Zeroizing::new(json.to_owned()),
        scope: wire.scope,
        expires_at: requested.plus(lifetime),
        life: Life::new(sent, lifetime, fastrand::f64()),
        generation: next_generation(),
        shared_at: None,
    })
}

fn next_generation() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

pub(super) fn content_type(response: &Response) -> String {
    match response.header("content-type") {
        Some(kind) => format!(
            "content of type {}",
            kind.chars().take(60).collect::<String>().escape_debug()
        ),
        None => "content of no stated type".to_owned(),
    }
}
