//! The token endpoint's answer (RFC 6749 section 5.1).

use std::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::oauth_error;
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::http::Response;
use crate::profiles::Profile;

/// An access token. Its memory is wiped; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Token {
    access_token: Zeroizing<String>,
    response_json: Zeroizing<String>,
    scope: Option<String>,
    expires_at: UnixTime,
    lifetime: i64,
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

    /// True while the token may be handed out at `now`: until a tenth of its
    /// life, at most 30 seconds, is left, so that it lives through the call it
    /// is used for.
    pub(super) fn is_fresh(&self, now: UnixTime) -> bool {
        let margin = (self.lifetime / 10).clamp(1, 30);
        now < self.expires_at.plus(-margin)
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

/// Reads the answer to a token request that was sent at `sent_at`.
pub(super) fn parse(
    response: &Response,
    profile: &dyn Profile,
    sent_at: UnixTime,
) -> Result<Token> {
    if response.status != 200 {
        return Err(oauth_error::from_response(response, profile, sent_at));
    }
    let bad = |problem: &str| {
        Error::new(
            ErrorCode::TokenBadResponse,
            format!(
                "{} answered HTTP 200 {problem}; is the token endpoint right?",
                profile.token_endpoint()
            ),
        )
        .with_details(|details| details.http_status = Some(200))
    };
    let json = std::str::from_utf8(&response.body)
        .map_err(|source| bad("with text that is not UTF-8").with_source(source))?;
    let wire: Wire = serde_json::from_str(json).map_err(|_| {
        bad(&format!(
            "with {}, not a JSON token response",
            content_type(response)
        ))
    })?;
    let access_token = wire
        .access_token
        .filter(|token| !token.is_empty())
        .ok_or_else(|| bad("without \"access_token\""))?;
    match wire.token_type.as_deref() {
        Some(kind) if kind.eq_ignore_ascii_case("Bearer") => {}
        Some(_) => {
            return Err(bad(
                "with a \"token_type\" other than Bearer, which segl cannot use",
            ));
        }
        None => return Err(bad("without \"token_type\"")),
    }
    let lifetime = match wire.expires_in {
        None => UNKNOWN_LIFETIME,
        Some(value) => value
            .as_i64()
            .or_else(|| value.as_str()?.parse().ok())
            .filter(|seconds| *seconds > 0)
            .ok_or_else(|| bad("with an \"expires_in\" that is no positive number of seconds"))?,
    };
    Ok(Token {
        access_token,
        response_json: Zeroizing::new(json.to_owned()),
        scope: wire.scope,
        expires_at: sent_at.plus(lifetime),
        lifetime,
    })
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
