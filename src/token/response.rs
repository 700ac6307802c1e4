//! The token endpoint's answer (RFC 6749 section 5.1).

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::dpop;
use super::life::{Life, Stage};
use super::oauth_error;
use crate::clock::{Moment, UnixTime};
use crate::error::{Error, ErrorCode, Result};
use crate::http::Response;
use crate::profiles::Profile;

/// An access token. Its memory is wiped; `Debug` shows nothing of it.
pub struct Token {
    access_token: Zeroizing<String>,
    token_type: TokenType,
    response_json: Zeroizing<String>,
    scope: Option<String>,
    expires_at: UnixTime,
    life: Life,
    generation: u64,
    shared_at: Option<i64>,
}

/// How an access token is used (RFC 6749 section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenType {
    /// Whoever has it can use it (RFC 6750).
    Bearer,
    /// Only with proofs by the key that it is bound to (RFC 9449).
    Dpop,
}

impl TokenType {
    /// The name, which is that of the scheme in `Authorization` too: `"Bearer"` or
    /// `"DPoP"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

impl fmt::Display for TokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
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

    /// How it is used.
    pub fn token_type(&self) -> TokenType {
        self.token_type
    }

    /// The value of the header `Authorization` for it; a secret as the token is. One
    /// of the type DPoP needs the header `DPoP` too, see
    /// [`TokenClient::dpop_proof`](super::TokenClient::dpop_proof).
    pub fn authorization(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{} {}", self.token_type, self.access_token()))
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

    /// A token from an answer that was kept, requested at `requested`. `bound_to` is as
    /// in [`parse`].
    ///
    /// # Errors
    /// As [`parse`] of the same answer.
    pub(super) fn from_json(json: &str, requested: Moment, bound_to: Option<&str>) -> Result<Self> {
        read(json, requested, bound_to, &|| "text".to_owned()).map_err(|problem| {
            let message = format!("a token response was kept {}", problem.text);
            Error::new(problem.code, message)
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
            .field("token_type", &self.token_type)
            .field("scope", &self.scope)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Reads the answer to a token request that was sent at `sent`. `bound_to` is the
/// thumbprint of the key that the token is to be bound to, if to any.
///
/// # Errors
/// What the service refused; `TOKEN_TYPE_MISMATCH` and `TOKEN_BOUND_TO_ANOTHER_KEY` for
/// a token that is not bound as it was asked for; `TOKEN_BAD_RESPONSE`.
pub(super) fn parse(
    response: &Response,
    profile: &dyn Profile,
    sent: Moment,
    bound_to: Option<&str>,
) -> Result<Token> {
    if response.status != 200 {
        let requested = UnixTime::from_seconds(sent.wall_ms().div_euclid(1000));
        return Err(oauth_error::from_response(response, profile, requested));
    }
    let json = std::str::from_utf8(&response.body);
    let json = json.map_err(|_| Problem::from("with text that is not UTF-8"));
    let token = json.and_then(|json| read(json, sent, bound_to, &|| content_type(response)));
    token.map_err(|problem| {
        Error::new(
            problem.code,
            format!(
                "{} answered HTTP 200 {}; {}",
                profile.token_endpoint(),
                problem.text,
                problem.remedy
            ),
        )
        .with_details(|details| details.http_status = Some(200))
    })
}

/// What is wrong with an answer.
struct Problem {
    code: ErrorCode,
    text: String,
    remedy: &'static str,
}

impl<T: Into<String>> From<T> for Problem {
    fn from(text: T) -> Self {
        Self {
            code: ErrorCode::TokenBadResponse,
            text: text.into(),
            remedy: "is the token endpoint right?",
        }
    }
}

/// The type of a token that is to be bound to a key, or to none.
fn token_type(
    name: &str,
    access_token: &str,
    bound_to: Option<&str>,
) -> std::result::Result<TokenType, Problem> {
    let mismatch = |text: &str, remedy| Problem {
        code: ErrorCode::TokenTypeMismatch,
        text: text.to_owned(),
        remedy,
    };
    let types = [TokenType::Bearer, TokenType::Dpop];
    let known = types
        .into_iter()
        .find(|known| name.eq_ignore_ascii_case(known.name()));
    match (known, bound_to) {
        (None, _) => {
            Err("with a \"token_type\" other than Bearer and DPoP, which segl cannot use".into())
        }
        (Some(TokenType::Bearer), Some(_)) => Err(mismatch(
            "with a token of type Bearer, and a DPoP proof was sent",
            "such a token works for whoever steals it, so it is not used; turn DPoP on for this client at the server",
        )),
        (Some(TokenType::Dpop), None) => Err(mismatch(
            "with a token of type DPoP, and no DPoP proof was sent",
            "no API would take it from this client; set \"dpop\"",
        )),
        (Some(TokenType::Dpop), Some(own)) => match dpop::key_of_token(access_token) {
            Some(other) if other != own => Err(Problem {
                code: ErrorCode::TokenBoundToAnotherKey,
                text: format!(
                    "with a token that is bound to another key (cnf.jkt {}) than that of the DPoP proof ({own})",
                    oauth_error::clean(&other)
                ),
                remedy: "it is not used; the fault is the server's, or of what stands between",
            }),
            _ => Ok(TokenType::Dpop),
        },
        (Some(TokenType::Bearer), None) => Ok(TokenType::Bearer),
    }
}

/// The token in the JSON of an answer, or what is wrong with it.
fn read(
    json: &str,
    sent: Moment,
    bound_to: Option<&str>,
    content: &dyn Fn() -> String,
) -> std::result::Result<Token, Problem> {
    let wire: Wire = serde_json::from_str(json)
        .map_err(|_| format!("with {}, not a JSON token response", content()))?;
    let access_token = wire
        .access_token
        .filter(|token| !token.is_empty())
        .ok_or("without \"access_token\"")?;
    if !access_token.bytes().all(is_visible) {
        return Err("with an \"access_token\" that is not printable ASCII".into());
    }
    let name = wire.token_type.ok_or("without \"token_type\"")?;
    let token_type = token_type(&name, &access_token, bound_to)?;
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
        token_type,
        response_json: Zeroizing::new(json.to_owned()),
        scope: wire.scope,
        expires_at: requested.plus(lifetime),
        life: Life::new(sent, lifetime, fastrand::f64()),
        generation: next_generation(),
        shared_at: None,
    })
}

/// `VSCHAR` (RFC 6749 appendix A.12). A line break would go on in the next header.
fn is_visible(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte)
}

fn next_generation() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

pub(super) fn content_type(response: &Response) -> String {
    match response.header("content-type") {
        Some(kind) => format!(
            "content of type {}",
            oauth_error::clean(kind)
                .chars()
                .take(60)
                .collect::<String>()
                .escape_debug()
        ),
        None => "content of no stated type".to_owned(),
    }
}
