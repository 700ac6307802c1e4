//! KFR's answers, and what its refusals mean.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::CorrelationId;
use super::refusals;
use crate::apis::errors::{bad_response, json, require_success};
use crate::error::{Error, Result};
use crate::http::Response;
use crate::token::oauth_error::clean;

/// An answer with a status of 2xx.
pub(super) struct Answer {
    response: Response,
    what: String,
    /// KFR's, or that of the request where the answer has none.
    correlation_id: CorrelationId,
}

impl Answer {
    /// Takes an answer to the request that `what` names.
    ///
    /// # Errors
    /// What KFR's code says (`refusals.rs`), else what the status says.
    pub(super) fn check(response: Response, what: String, sent: CorrelationId) -> Result<Self> {
        let correlation_id = correlation_id(&response).unwrap_or(sent);
        match require_success(&response, &what) {
            Ok(()) => Ok(Self {
                response,
                what,
                correlation_id,
            }),
            Err(error) => Err(refusal(&response, &what, correlation_id, error)),
        }
    }

    pub(super) fn correlation_id(&self) -> CorrelationId {
        self.correlation_id
    }

    /// The status, if it is one that the document has for this call. A page of HTML is
    /// nobody's answer here, whatever its status.
    pub(super) fn require_status(&self, documented: &[u16]) -> Result<u16> {
        let status = self.response.status;
        let is_html = self
            .response
            .header("content-type")
            .is_some_and(|media_type| media_type.trim_start().starts_with("text/html"));
        match documented.contains(&status) && !is_html {
            true => Ok(status),
            false => Err(self.with_trace(bad_response(
                &self.response,
                &self.what,
                "is not one that KFR documents",
            ))),
        }
    }

    /// Its JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T> {
        json(&self.response, &self.what).map_err(|error| self.with_trace(error))
    }

    fn with_trace(&self, error: Error) -> Error {
        error.with_details(|details| details.trace_id = Some(self.correlation_id.to_string()))
    }
}

/// `CorrelationID` of an answer, if it can be shown.
fn correlation_id(response: &Response) -> Option<CorrelationId> {
    response.header("correlationid")?.trim().parse().ok()
}

/// The error by KFR's code (`{errorCode,errorMessage,timestamp}`, or
/// `{statusCode,message}` from `accountServicingProvider`), with the rest from `by_status`.
fn refusal(
    response: &Response,
    what: &str,
    correlation_id: CorrelationId,
    by_status: Error,
) -> Error {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let code = text("errorCode").filter(|code| refusals::is_code(code));
    let said = text("errorMessage").or_else(|| text("message")).map(clean);
    let known = refusals::meaning(code, response.status, what);
    if code.is_none() && known.is_none() {
        return by_status.with_details(|details| {
            details.trace_id = Some(correlation_id.to_string());
        });
    }
    let mut message = format!("{what}: KFR answered HTTP {}", response.status);
    match (code, said) {
        (Some(code), Some(said)) => message.push_str(&format!(" ({code}: {said})")),
        (Some(code), None) => message.push_str(&format!(" ({code})")),
        (None, Some(said)) => message.push_str(&format!(" ({said})")),
        (None, None) => {}
    }
    message.push_str(&format!(", correlation id {correlation_id}"));
    let number = known.map_or(by_status.code(), |known| known.code);
    if let Some(known) = known {
        message.push_str(&format!("; {}", known.remedy));
    }
    let mut details = by_status.details().clone();
    details.retryable = known.map_or(details.retryable, |known| known.retryable);
    details.provider_code = code.map(str::to_owned);
    details.trace_id = Some(correlation_id.to_string());
    Error::new(number, message).with_details(|own| *own = details)
}
