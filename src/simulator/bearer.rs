//! Access tokens as an API checks them (RFC 6750, and docs.digdir.no,
//! `maskinporten_guide_apitilbyder`).

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::reply;
use super::state::State;

/// Why a request is refused.
pub(super) enum Refusal {
    /// No `Authorization: Bearer …`.
    Missing,
    /// The token is no token of Maskinporten's, expired, or rejected.
    Invalid(&'static str),
    /// The token has not this scope.
    Scope(String),
}

/// The claims of a token.
pub(super) struct Bearer(Map<String, Value>);

impl Bearer {
    /// Checks the token of a request: signature, issuer, time, and that it was not
    /// rejected.
    pub(super) fn of(state: &State, headers: &HeaderMap) -> Result<Self, Refusal> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(Refusal::Missing)?;
        let claims = state
            .maskinporten
            .verify_token(token, state.now())
            .map_err(Refusal::Invalid)?;
        Ok(Self(claims))
    }

    /// Requires one of `scopes`.
    pub(super) fn require_scope(&self, scopes: &[&str]) -> Result<(), Refusal> {
        if scopes.iter().any(|scope| self.has_scope(scope)) {
            return Ok(());
        }
        Err(Refusal::Scope(scopes.join(" or ")))
    }

    pub(super) fn has_scope(&self, wanted: &str) -> bool {
        let scopes = self.text("scope");
        scopes.split(' ').any(|scope| scope == wanted)
    }

    /// The organisation number of `consumer`; empty when it is no Norwegian one.
    pub(super) fn consumer(&self) -> &str {
        let id = self
            .0
            .get("consumer")
            .and_then(|consumer| consumer.get("ID"));
        let number = id
            .and_then(Value::as_str)
            .and_then(|id| id.strip_prefix("0192:"));
        number.unwrap_or_default()
    }

    /// A claim that is a text; empty when there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Refusal {
    /// Counts as 401 in the simulator's counters.
    pub(super) fn is_unauthorized(&self) -> bool {
        !matches!(self, Self::Scope(_))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error, description) = match &self {
            // RFC 6750 section 3.1: no error code without a token.
            Self::Missing => (
                StatusCode::UNAUTHORIZED,
                None,
                "a Bearer token is needed".to_owned(),
            ),
            Self::Invalid(problem) => (
                StatusCode::UNAUTHORIZED,
                Some("invalid_token"),
                (*problem).to_owned(),
            ),
            Self::Scope(scope) => (
                StatusCode::FORBIDDEN,
                Some("insufficient_scope"),
                format!("the token needs the scope {}", scope.escape_debug()),
            ),
        };
        let challenge = match error {
            Some(error) => format!("Bearer error=\"{error}\""),
            None => "Bearer".to_owned(),
        };
        let body = json!({
            "error": error.unwrap_or("invalid_request"),
            "error_description": description,
        });
        (
            [(header::WWW_AUTHENTICATE, challenge)],
            reply::json(status, &body),
        )
            .into_response()
    }
}
