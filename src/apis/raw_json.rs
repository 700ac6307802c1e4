//! An API's JSON as it came, and bodies that are wiped.

use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::errors::bad_response;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Request, Response};

/// A JSON value as it came, numbers to the digit. Its memory is wiped, for it may be
/// about a person.
pub(super) struct RawJson(Zeroizing<String>);

impl RawJson {
    /// The body of `response`; `null` for an empty one. `what` names the request.
    ///
    /// # Errors
    /// `API_BAD_RESPONSE` when it is no JSON.
    pub(super) fn of(response: &Response, what: &str) -> Result<Self> {
        if response.body.is_empty() {
            return Ok(Self(Zeroizing::new("null".to_owned())));
        }
        let text = std::str::from_utf8(&response.body).ok();
        match text.filter(|text| serde_json::from_str::<&RawValue>(text).is_ok()) {
            Some(text) => Ok(Self(Zeroizing::new(text.trim().to_owned()))),
            None => Err(bad_response(response, what, "is no JSON")),
        }
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// `request` with `body` as its JSON. No other copy of it stays.
///
/// # Errors
/// `INVALID_ARGUMENT` for what JSON cannot say.
pub(super) fn with_json(mut request: Request, body: &impl Serialize) -> Result<Request> {
    // A buffer that grows would leave pieces behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 * 1024));
    serde_json::to_writer(&mut *bytes, body).map_err(|source| {
        Error::new(
            ErrorCode::InvalidArgument,
            "the body cannot be written as JSON",
        )
        .with_source(source)
    })?;
    request.body = bytes;
    Ok(request.header("Content-Type", "application/json"))
}
