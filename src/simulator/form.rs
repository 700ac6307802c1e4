//! The body of a token request (RFC 6749 section 3.2).

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use url::form_urlencoded;

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Form parameters, each given once. Unknown ones are kept and ignored.
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads a request's body. The error describes what is wrong with it.
    pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, String> {
        if media_type(headers) != Some(MEDIA_TYPE) {
            return Err(format!("Content-Type must be {MEDIA_TYPE}"));
        }
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            if parameters
                .insert(name.to_string(), value.into_owned())
                .is_some()
            {
                return Err(format!("Parameter {name} is given twice"));
            }
        }
        Ok(Self(parameters))
    }

    /// A parameter's value. An empty one counts as absent (RFC 6749 section 3.2).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

/// The media type of a request without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}
