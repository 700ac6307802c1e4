//! Access tokens as an API checks them (RFC 6750 and RFC 9449 section 7).

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::dpop::{self, Dpop, Target};
use super::reply;
use crate::clock::UnixTime;

/// The claims of a token that was issued here and is good.
pub(super) struct AccessToken(Map<String, Value>);

/// How a token is sent (RFC 9110 section 11.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

/// Why a request is refused.
pub(super) struct Refusal {
    scheme: Scheme,
    /// `alg` of the proofs that are taken, for the challenge.
    algorithms: Vec<&'static str>,
    problem: Problem,
}

enum Problem {
    /// No `Authorization` with a token.
    Missing,
    /// The token is no token of the issuer's, expired, rejected, or somebody else's.
    Invalid(&'static str),
    /// The token has not this scope.
    Scope(String),
    Proof(dpop::Refusal),
}

impl AccessToken {
    pub(super) fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    pub(super) fn claims(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The token of a request to an API that knows nothing of DPoP. `verify` checks
    /// what the issuer says about it.
    pub(super) fn bearer(
        headers: &HeaderMap,
        verify: impl FnOnce(&str) -> Result<Self, &'static str>,
    ) -> Result<Self, Refusal> {
        let (_, token) = presented(headers)
            .filter(|(scheme, _)| *scheme == Scheme::Bearer)
            .ok_or_else(|| Refusal::bearer(Problem::Missing))?;
        let token = verify(token).map_err(|problem| Refusal::bearer(Problem::Invalid(problem)))?;
        match token.bound_key() {
            None => Ok(token),
            Some(_) => Err(Refusal::bearer(Problem::Invalid(
                "the token is bound to a key and needs DPoP, which is not taken here",
            ))),
        }
    }

    /// The token of a request whose sender has the key that it is bound to, if it is
    /// bound to one or must be.
    pub(super) fn with_proof(
        target: &Target,
        dpop: &Dpop,
        verify: impl FnOnce(&str) -> Result<Self, &'static str>,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        let refusal = |problem| Refusal {
            scheme: Scheme::Dpop,
            algorithms: dpop.algorithms(),
            problem,
        };
        let Some((scheme, text)) = presented(&target.headers) else {
            return Err(if dpop.is_required() {
                refusal(Problem::Missing)
            } else {
                Refusal::bearer(Problem::Missing)
            });
        };
        let token = verify(text).map_err(|problem| Refusal {
            scheme,
            ..refusal(Problem::Invalid(problem))
        })?;
        match (scheme, token.bound_key()) {
            (Scheme::Bearer, None) if !dpop.is_required() => Ok(token),
            (Scheme::Bearer, Some(_)) => Err(refusal(Problem::Invalid(
                "the token is bound to a key; send it with the scheme DPoP and a proof",
            ))),
            (_, None) => Err(refusal(Problem::Invalid("the token is bound to no key"))),
            (Scheme::Dpop, Some(bound)) => {
                let proven = dpop
                    .proven_key(target, Some(text), now)
                    .map_err(|problem| refusal(Problem::Proof(problem)))?;
                if proven.as_deref() != Some(bound) {
                    let problem = "the token is bound to another key than the proof's";
                    return Err(refusal(Problem::Invalid(problem)));
                }
                Ok(token)
            }
        }
    }

    /// Requires one of `scopes`.
    pub(super) fn require_scope(&self, scopes: &[&str]) -> Result<(), Refusal> {
        if scopes.iter().any(|scope| self.has_scope(scope)) {
            return Ok(());
        }
        Err(Refusal {
            scheme: match self.bound_key() {
                Some(_) => Scheme::Dpop,
                None => Scheme::Bearer,
            },
            algorithms: Vec::new(),
            problem: Problem::Scope(scopes.join(" or ")),
        })
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

    /// The elements of `authorization_details`.
    pub(super) fn authorization_details(&self) -> &[Value] {
        let details = self.0.get("authorization_details");
        details.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// `jkt`: the thumbprint of the key that it is bound to (RFC 9449 section 6.1).
    pub(super) fn bound_key(&self) -> Option<&str> {
        self.0.get("cnf")?.get("jkt")?.as_str()
    }

    /// `x5t#S256` of the certificate that it is bound to (RFC 8705 section 3.1).
    pub(super) fn bound_certificate(&self) -> Option<&str> {
        self.0.get("cnf")?.get("x5t#S256")?.as_str()
    }
}

/// The scheme and the token of `Authorization`.
fn presented(headers: &HeaderMap) -> Option<(Scheme, &str)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Scheme::Bearer,
        "dpop" => Scheme::Dpop,
        _ => return None,
    };
    Some((scheme, token.trim()))
}

impl Refusal {
    fn bearer(problem: Problem) -> Self {
        Self {
            scheme: Scheme::Bearer,
            algorithms: Vec::new(),
            problem,
        }
    }

    /// A token that is no good for who sends it.
    pub(super) fn invalid(problem: &'static str) -> Self {
        Self::bearer(Problem::Invalid(problem))
    }

    /// Counts as 401 in the simulator's counters.
    pub(super) fn is_unauthorized(&self) -> bool {
        !matches!(self.problem, Problem::Scope(_))
    }

    fn status(&self) -> StatusCode {
        match self.problem {
            Problem::Scope(_) => StatusCode::FORBIDDEN,
            Problem::Proof(dpop::Refusal::Full) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// RFC 6750 section 3.1: no error code without a token.
    fn error(&self) -> Option<&'static str> {
        match &self.problem {
            Problem::Missing => None,
            Problem::Invalid(_) => Some("invalid_token"),
            Problem::Scope(_) => Some("insufficient_scope"),
            Problem::Proof(refusal) => Some(refusal.error()),
        }
    }

    fn description(&self) -> String {
        match &self.problem {
            Problem::Missing => match self.scheme {
                Scheme::Bearer => "a Bearer token is needed".to_owned(),
                Scheme::Dpop => "a DPoP token is needed".to_owned(),
            },
            Problem::Invalid(problem) => (*problem).to_owned(),
            Problem::Scope(scope) => format!("the token needs the scope {}", scope.escape_debug()),
            Problem::Proof(refusal) => refusal.description("Resource server"),
        }
    }

    /// `WWW-Authenticate`.
    fn challenge(&self) -> String {
        let error = self.error().map(|error| format!("error=\"{error}\""));
        let (scheme, algorithms) = match self.scheme {
            Scheme::Bearer => ("Bearer", None),
            Scheme::Dpop if self.algorithms.is_empty() => ("DPoP", None),
            Scheme::Dpop => (
                "DPoP",
                Some(format!("algs=\"{}\"", self.algorithms.join(" "))),
            ),
        };
        let parameters: Vec<_> = error.into_iter().chain(algorithms).collect();
        format!("{scheme} {}", parameters.join(", "))
            .trim_end()
            .to_owned()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "error": self.error().unwrap_or("invalid_request"),
            "error_description": self.description(),
        });
        (
            [(header::WWW_AUTHENTICATE, self.challenge())],
            reply::json(self.status(), &body),
        )
            .into_response()
    }
}
