//! KFR's error responses, in the words of its OpenAPI document.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::super::reply;
use crate::clock::UnixTime;

/// Why KFR refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KfrRefusal {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    reason: String,
}

impl KfrRefusal {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// KFR's code, for example `KFR-005`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What is wrong, which the real one does not say. No identifier is in it.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) fn response(&self, now: UnixTime) -> Response {
        let body = match self.code {
            // The one answer of another form (`ErrorResponse401`).
            "" => json!({ "statusCode": self.status.as_u16(), "message": self.message }),
            code => json!({
                "errorCode": code,
                "errorMessage": self.message,
                "timestamp": now.to_string(),
            }),
        };
        reply::json(self.status, &body)
    }
}

macro_rules! refusals {
    ($($name:ident = $status:ident, $code:literal, $message:literal;)+) => {
        impl KfrRefusal {
            $(pub(super) fn $name(reason: &str) -> Self {
                Self {
                    status: StatusCode::$status,
                    code: $code,
                    message: $message,
                    reason: reason.to_owned(),
                }
            })+
        }
    };
}

refusals! {
    not_authenticated = UNAUTHORIZED, "KFR-001", "Client is not authenticated";
    no_access = FORBIDDEN, "KFR-002", "Client does not have access";
    other_organisation = FORBIDDEN, "KFR-003",
        "Client cannot manage customer relationships for the given organisation number";
    invalid_request = BAD_REQUEST, "KFR-004", "Invalid request";
    invalid_customer = BAD_REQUEST, "KFR-005", "Invalid customer identifier";
    not_found = NOT_FOUND, "KFR-008", "Customer relationship not found";
    invalid_type = BAD_REQUEST, "KFR-009", "Invalid customer relationship type";
    invalid_date = BAD_REQUEST, "KFR-010", "Invalid date format";
    lookup_not_authenticated = UNAUTHORIZED, "ERR-001", "Klient er ikke autorisert";
    lookup_no_access = FORBIDDEN, "ERR-001", "Klient er ikke autorisert";
    lookup_invalid_customer = BAD_REQUEST, "ERR-002", "Ugyldig KUNDEID";
    lookup_invalid_period = BAD_REQUEST, "ERR-003", "Ugyldig periode eller datoformat";
    invalid_account = BAD_REQUEST, "ERR-004", "Ugyldig kontonummer";
    provider_not_authenticated = UNAUTHORIZED, "", "Unauthorized. Access token is missing or invalid";
}
