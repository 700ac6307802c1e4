//! Altinn's error bodies (RFC 9457). Codes and titles are those of
//! Altinn/altinn-access-management, as far as they are known.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Why a request is refused.
pub(super) enum Problem {
    /// The token is for another organisation.
    NotAuthorized,
    NotFound,
    /// The same id was used between other parties.
    IdExists,
    /// A member of the body, and what is wrong with it.
    Invalid(&'static str, &'static str),
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title, code) = match self {
            Self::NotAuthorized => (
                StatusCode::FORBIDDEN,
                "Not authorized for the consent request",
                "AM-00000",
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, "Consent not found", "AM-00001"),
            Self::IdExists => (
                StatusCode::BAD_REQUEST,
                "Consent with id already exist",
                "AM-00016",
            ),
            Self::Invalid(..) => (
                StatusCode::BAD_REQUEST,
                "One or more validation errors occurred.",
                "STD-00000",
            ),
        };
        let mut body = json!({ "title": title, "status": status.as_u16(), "code": code });
        if let Self::Invalid(path, detail) = self {
            body["validationErrors"] = json!([{
                "code": "AM.VLD-00000",
                "detail": detail,
                "paths": [path],
            }]);
        }
        answer(status, &body)
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let media_type = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, media_type, body.to_string()).into_response()
}
