//! Answers.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use time::OffsetDateTime;

use crate::clock::UnixTime;

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(body) => {
            let media_type = [(header::CONTENT_TYPE, "application/json")];
            (status, media_type, body).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A JSON answer that nobody may store (RFC 6749 section 5.1).
pub(super) fn private_json(status: StatusCode, body: &impl Serialize) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
    ];
    (headers, json(status, body)).into_response()
}

/// `Date` (RFC 9110 section 5.6.7) by the simulator's clock, so that a client
/// that learns the time from it agrees with the checks.
pub(super) fn http_date(now: UnixTime) -> Option<HeaderValue> {
    let time = OffsetDateTime::from_unix_timestamp(now.seconds()).ok()?;
    let (weekday, month) = (time.weekday().to_string(), time.month().to_string());
    let date = format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        weekday.get(..3)?,
        time.day(),
        month.get(..3)?,
        time.year(),
        time.hour(),
        time.minute(),
        time.second()
    );
    HeaderValue::from_str(&date).ok()
}
