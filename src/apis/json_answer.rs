//! Answers whose form segl does not know.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::errors::bad_response;
use crate::error::{Error, ErrorCode, Result};
use crate::http::Response;

/// An API's JSON as it came, numbers with all their decimals. It is wiped, and `Debug`
/// does not show it, for it may be about a person.
#[derive(Clone)]
pub struct JsonAnswer(Zeroizing<String>);

impl JsonAnswer {
    /// The answer with a status of 2xx; `null` where there is nothing in it.
    pub(super) fn of(response: &Response, what: &str) -> Result<Self> {
        let text = match response.body.is_empty() {
            true => "null",
            false => serde_json::from_slice::<&RawValue>(&response.body)
                .map_err(|_| bad_response(response, what, "is not JSON"))?
                .get(),
        };
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The same of an answer that has to be an object: serde takes an array of a type's
    /// members for it too.
    pub(super) fn of_object(response: &Response, what: &str) -> Result<Self> {
        let answer = Self::of(response, what)?;
        match answer.0.starts_with('{') {
            true => Ok(answer),
            false => Err(bad_response(response, what, "is no JSON object")),
        }
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same as a type of the caller's.
    ///
    /// # Errors
    /// `API_BAD_RESPONSE` when it is not what `T` needs; nothing of it is shown.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.0).map_err(|error| {
            Error::new(
                ErrorCode::ApiBadResponse,
                format!(
                    "the API's answer is not what was wanted (line {} column {})",
                    error.line(),
                    error.column()
                ),
            )
        })
    }
}

impl Serialize for JsonAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl fmt::Debug for JsonAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonAnswer([redacted])")
    }
}
