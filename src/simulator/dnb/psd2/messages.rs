//! `tppMessages` (Berlin Group, NextGenPSD2 section 4.13).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::super::reply;

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    text: &'static str,
    path: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, text: &'static str) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
            code,
            text,
            path: None,
        }
    }

    /// 400 `FORMAT_ERROR` about a header or a member of the body.
    pub(super) fn format(path: &'static str, text: &'static str) -> Self {
        Self {
            path: Some(path),
            ..Self::new(400, "FORMAT_ERROR", text)
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut message = json!({"category": "ERROR", "code": self.code, "text": self.text});
        if let Some(path) = self.path {
            message["path"] = path.into();
        }
        reply::json(self.status, &json!({ "tppMessages": [message] }))
    }
}
