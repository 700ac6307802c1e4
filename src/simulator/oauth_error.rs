//! Refusals of token endpoints that have no words of their own (RFC 6749 section
//! 5.2).

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::reply;

/// Why a token is not issued or a client not registered.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: String,
}

impl Refusal {
    /// The same with 400, as servers answer that tell no failed authentication from
    /// other errors.
    pub(super) fn into_bad_request(mut self) -> Self {
        if self.status == StatusCode::UNAUTHORIZED {
            self.status = StatusCode::BAD_REQUEST;
        }
        self
    }

    /// The answer: JSON.
    pub(super) fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        reply::private_json(self.status, &body)
    }

    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self {
            status,
            error,
            description: description.into(),
        }
    }

    pub(super) fn request(problem: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", problem)
    }

    pub(super) fn grant_type() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "grant_type must be client_credentials",
        )
    }

    /// Client authentication failed.
    pub(super) fn client(problem: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", problem)
    }

    pub(super) fn scope(scope: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            format!("the scope {scope} is not on the client"),
        )
    }

    /// A DPoP proof that proves nothing (RFC 9449 section 5).
    pub(super) fn dpop(error: &'static str, problem: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, problem)
    }

    /// A registration JWT that cannot be used (RFC 7591 section 3.2.2).
    pub(super) fn registration(problem: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_client_metadata", problem)
    }

    pub(super) fn overloaded() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "the simulator remembers too many assertions; start it again",
        )
    }

    pub(super) fn server() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            "the simulator cannot sign",
        )
    }
}
