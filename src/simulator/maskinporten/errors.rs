//! Refusals, worded as Digdir's troubleshooting page and logged answers have
//! them (docs.digdir.no, `maskinporten_feilsoking`).

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use uuid::Uuid;

use super::super::dpop;
use super::super::replay::Reuse;
use super::super::reply;

/// Why a token is not issued.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: String,
    code: Option<&'static str>,
}

impl Refusal {
    /// The answer: JSON with a new trace id.
    pub(super) fn into_response(self, issuer: &str) -> Response {
        let trace_id = Uuid::new_v4().simple();
        let mut body = json!({
            "error": self.error,
            "error_description": format!("{} (trace_id: {trace_id})", self.description),
        });
        if let Some(code) = self.code {
            body["error_uri"] = format!("{issuer}errors/{code}").into();
        }
        reply::private_json(self.status, &body)
    }

    fn bad_request(
        error: &'static str,
        code: impl Into<Option<&'static str>>,
        description: impl Into<String>,
    ) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            description: description.into(),
            code: code.into(),
        }
    }

    fn authentication(code: impl Into<Option<&'static str>>, detail: &str) -> Self {
        Self::bad_request(
            "invalid_grant",
            code,
            format!("Invalid assertion. Client authentication failed. {detail}"),
        )
    }

    fn forbidden(code: &'static str, description: String) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            ..Self::bad_request("forbidden", code, description)
        }
    }

    // The request.

    pub(super) fn request(problem: impl Into<String>) -> Self {
        Self::bad_request("invalid_request", None, problem)
    }

    pub(super) fn grant_type() -> Self {
        Self::bad_request("unsupported_grant_type", None, "Unsupported grant type.")
    }

    pub(super) fn malformed() -> Self {
        Self::bad_request(
            "invalid_request",
            "MP-011",
            "Invalid assertion. Invalid parameter value.",
        )
    }

    pub(super) fn undocumented(name: &str) -> Self {
        let name = name.escape_debug();
        Self::bad_request(
            "invalid_request",
            None,
            format!("Invalid assertion. Unknown claim {name}."),
        )
    }

    pub(super) fn missing(claim: &str) -> Self {
        Self::bad_request(
            "invalid_grant",
            None,
            format!("Invalid assertion. Missing JWT claim {claim}."),
        )
    }

    pub(super) fn claim(problem: &str) -> Self {
        Self::request(format!("Validation of JWT claim failed: {problem}"))
    }

    /// A DPoP proof that proves nothing (RFC 9449 section 5).
    pub(super) fn dpop(refusal: &dpop::Refusal) -> Self {
        let description = refusal.description("Authorization server");
        Self::bad_request(refusal.error(), None, description)
    }

    // Who asks.

    pub(super) fn unknown_client() -> Self {
        Self::authentication("MP-100", "Client not found.")
    }

    pub(super) fn audience() -> Self {
        Self::authentication("MP-110", "Invalid JWT claim aud.")
    }

    pub(super) fn unknown_kid() -> Self {
        Self::authentication(None, "Unknown key identifier (kid) for client.")
    }

    pub(super) fn kid_required() -> Self {
        Self::authentication(
            None,
            "Invalid JWT. The client requires pre-registered jwk and no key identifier (kid) provided.",
        )
    }

    pub(super) fn kid_and_x5c() -> Self {
        Self::authentication(
            None,
            "Invalid JWT. Exactly one of kid and x5c must be present in the header.",
        )
    }

    pub(super) fn x5c() -> Self {
        Self::authentication("MP-123", "Invalid JWT header x5c.")
    }

    pub(super) fn certificate() -> Self {
        Self::authentication("MP-120", "The JWT is signed with an invalid certificate.")
    }

    pub(super) fn expired_key() -> Self {
        Self::authentication("MP-121", "Expired key.")
    }

    pub(super) fn organization() -> Self {
        Self::authentication(
            "MP-122",
            "Invalid JWT. Invalid organization number for client. Does not match certificate orgno.",
        )
    }

    pub(super) fn signature() -> Self {
        Self::authentication("MP-124", "Invalid JWT signature.")
    }

    // When.

    pub(super) fn too_long() -> Self {
        Self::authentication(None, "JWT has too long lifetime.")
    }

    pub(super) fn not_yet_issued() -> Self {
        Self::authentication(None, "Issue time is after now.")
    }

    pub(super) fn expired() -> Self {
        Self::authentication("MP-130", "JWT is expired.")
    }

    pub(super) fn reused(reuse: Reuse) -> Self {
        match reuse {
            Reuse::Used => Self::bad_request("invalid_grant", "MP-012", "Grant is used before."),
            Reuse::Full => Self {
                status: StatusCode::SERVICE_UNAVAILABLE,
                ..Self::bad_request(
                    "temporarily_unavailable",
                    None,
                    "The simulator remembers too many grants; start it again.",
                )
            },
        }
    }

    // What for.

    pub(super) fn scopes(invalid: &[&str]) -> Self {
        Self::bad_request(
            "invalid_scope",
            "MP-200",
            format!(
                "Token request contains invalid scopes for client, {}",
                invalid.join(", ")
            ),
        )
    }

    pub(super) fn integration_type() -> Self {
        Self::bad_request(
            "invalid_scope",
            "MP-201",
            "Token request contains scopes not allowed for maskinporten.",
        )
    }

    pub(super) fn own_consumer_org() -> Self {
        Self::claim(
            "The combination consumer_org in claim and delegation scope on client is invalid.",
        )
    }

    pub(super) fn no_access(scope: &str) -> Self {
        Self::forbidden(
            "MP-250",
            format!("Consumer has not been granted access to the scope {scope}."),
        )
    }

    pub(super) fn no_delegation(consumer: &str, scope: &str, supplier: &str) -> Self {
        Self::forbidden(
            "MP-251",
            format!(
                "Consumer {consumer} has not delegated access to the scope {scope} to supplier {supplier}."
            ),
        )
    }

    pub(super) fn target(problem: &str) -> Self {
        Self::bad_request(
            "invalid_target",
            None,
            format!("Invalid resource: {problem}."),
        )
    }

    pub(super) fn details_type() -> Self {
        Self::details("MP-301", "Unknown authorization details type.")
    }

    pub(super) fn details_fields() -> Self {
        Self::details("MP-302", "Unknown fields in the authorization details.")
    }

    pub(super) fn details_values(name: &str) -> Self {
        Self::details(
            "MP-303",
            format!("Invalid authorization details values: {name}."),
        )
    }

    /// Altinn knows no such system user, or not for this client.
    pub(super) fn customer_configuration() -> Self {
        Self::bad_request(
            "invalid_altinn_customer_configuration",
            "MP-303",
            "Invalid authorization details values: \
             no system user for this client, organization and externalRef.",
        )
    }

    fn details(code: &'static str, description: impl Into<String>) -> Self {
        Self::bad_request("invalid_authorization_details", code, description)
    }

    pub(super) fn server() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..Self::bad_request("server_error", None, "The simulator cannot sign.")
        }
    }
}
