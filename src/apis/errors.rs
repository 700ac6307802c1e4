//! What an API's answer means when it is not the one that was asked for.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorCode, Result};
use crate::http::Response;
use crate::token::dpop;
use crate::token::oauth_error::{clean, retry_after, trace_id};

/// The JSON of an answer with a status of 2xx. `what` names the request.
///
/// # Errors
/// `API_BAD_RESPONSE` when it is not the JSON that `T` needs, otherwise what the
/// status says.
pub(super) fn json<T: DeserializeOwned>(response: &Response, what: &str) -> Result<T> {
    json_where(response, what, &[])
}

/// As [`json`], for a service whose documentation gives statuses another meaning.
pub(super) fn json_where<T: DeserializeOwned>(
    response: &Response,
    what: &str,
    meanings: &[Meaning],
) -> Result<T> {
    require_success_where(response, what, meanings)?;
    serde_json::from_slice(&response.body).map_err(|error| {
        // serde quotes values, so only the place is shown.
        bad_response(
            response,
            what,
            &format!(
                "is not the JSON that was agreed (line {} column {})",
                error.line(),
                error.column()
            ),
        )
    })
}

/// What an API's answer means: fails unless the status is 2xx. `what` names the
/// request in the message, as in `GET https://api.example/accounts`.
///
/// # Errors
/// The API numbers of [`ErrorCode`], with the server's own text. Those for HTTP 429
/// and 5xx are retryable.
pub fn require_success(response: &Response, what: &str) -> Result<()> {
    require_success_as(response, what, |_| Said::default())
}

/// What a service's own error body says, where it is not said in the usual members.
#[derive(Default)]
pub(super) struct Said {
    /// Its words.
    pub(super) text: Option<String>,
    /// Its own code.
    pub(super) provider_code: Option<String>,
    /// What it means, if that is more than the status says.
    pub(super) code: Option<ErrorCode>,
    /// What to do, if that is not the usual.
    pub(super) remedy: Option<&'static str>,
}

/// What a service's documentation says that one of its statuses means.
pub(super) struct Meaning {
    pub(super) status: u16,
    pub(super) code: ErrorCode,
    pub(super) remedy: &'static str,
}

/// As [`require_success`], for a service whose documentation gives statuses another
/// meaning.
pub(super) fn require_success_where(
    response: &Response,
    what: &str,
    meanings: &[Meaning],
) -> Result<()> {
    require_success_as(response, what, |_| {
        let mut meanings = meanings.iter();
        match meanings.find(|meaning| meaning.status == response.status) {
            None => Said::default(),
            Some(meaning) => Said {
                code: Some(meaning.code),
                remedy: Some(meaning.remedy),
                ..Said::default()
            },
        }
    })
}

/// As [`require_success`], for a service whose error bodies `read` understands.
pub(super) fn require_success_as(
    response: &Response,
    what: &str,
    read: impl FnOnce(&Value) -> Said,
) -> Result<()> {
    if (200..300).contains(&response.status) {
        return Ok(());
    }
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let said = read(&body);
    let code = said.code.unwrap_or_else(|| code(response));
    let text = said.text.or_else(|| text(&body));
    let mut message = format!("{what}: the API answered HTTP {}", response.status);
    if let Some(text) = &text {
        message.push_str(&format!(" ({})", clean(text)));
    }
    let member = |name: &str| body.get(name).and_then(Value::as_str);
    let trace = ["trace_id", "traceId", "correlation_id", "correlationId"]
        .into_iter()
        .find_map(member)
        .and_then(|id| trace_id(&format!("trace_id: {id})")))
        .or_else(|| trace_id(text.as_deref()?));
    if let Some(trace) = &trace {
        message.push_str(&format!(", trace id {trace}"));
    }
    if let Some(remedy) = said.remedy.or_else(|| remedy(code)) {
        message.push_str(&format!("; {remedy}"));
    }
    Err(Error::new(code, message).with_details(|details| {
        details.retryable = matches!(code, ErrorCode::ApiServer | ErrorCode::ApiRateLimited);
        details.retry_after = retry_after(response, SystemClock.now());
        details.http_status = Some(response.status);
        details.trace_id = trace;
        details.provider_code = said.provider_code.as_deref().map(clean);
    }))
}

/// `API_BAD_RESPONSE`: the answer `problem`.
pub(super) fn bad_response(response: &Response, what: &str, problem: &str) -> Error {
    Error::new(
        ErrorCode::ApiBadResponse,
        format!("{what}: the API's answer {problem}; is the URL right?"),
    )
    .with_details(|details| details.http_status = Some(response.status))
}

/// The same error with the identifier that the request was sent with, for a support case,
/// unless the service gave one of its own.
pub(super) fn with_request_id(error: Error, request_id: &str) -> Error {
    error.with_details(|details| {
        details
            .trace_id
            .get_or_insert_with(|| request_id.to_owned());
    })
}

fn code(response: &Response) -> ErrorCode {
    match response.status {
        401 if dpop::asks_for_nonce(response) => ErrorCode::ApiDpopNonce,
        401 if dpop::refuses_proof(response) => ErrorCode::ApiDpopProofRefused,
        401 => ErrorCode::ApiUnauthorized,
        403 => ErrorCode::ApiForbidden,
        404 => ErrorCode::ApiNotFound,
        429 => ErrorCode::ApiRateLimited,
        400..=499 => ErrorCode::ApiRefused,
        500..=599 => ErrorCode::ApiServer,
        _ => ErrorCode::ApiBadResponse,
    }
}

fn remedy(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::ApiUnauthorized => {
            "it takes no token of this client; check that both belong to the same environment"
        }
        ErrorCode::ApiDpopProofRefused => {
            "check that it takes the algorithm of the DPoP key, that this is the URL that it calls its own, \
             and this machine's clock"
        }
        ErrorCode::ApiDpopNonce => {
            "if the client has no setting \"dpop\", set it; else it asks for another nonce each time, or gives none, \
             which only its owner can mend"
        }
        ErrorCode::ApiForbidden => "check the scopes of the client whose token this is",
        ErrorCode::ApiNotFound => "check the identifier, the environment and the URL",
        ErrorCode::ApiRateLimited => "ask less often",
        ErrorCode::ApiServer => "the fault is the server's; try again later",
        ErrorCode::ApiBadResponse => "is the URL right, or is a proxy in the way?",
        _ => return None,
    })
}

/// The server's words, where one of the usual members has them.
fn text(body: &Value) -> Option<String> {
    let words = ["error_description", "message", "detail", "title", "error"];
    let found = words
        .into_iter()
        .find_map(|name| body.get(name).and_then(Value::as_str));
    found.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_proof_has_its_own_numbers() {
        for (challenge, code) in [
            (r#"DPoP error="use_dpop_nonce""#, ErrorCode::ApiDpopNonce),
            (
                r#"DPoP error="invalid_dpop_proof""#,
                ErrorCode::ApiDpopProofRefused,
            ),
            (r#"DPoP error="invalid_token""#, ErrorCode::ApiUnauthorized),
            (
                r#"Bearer error="invalid_dpop_proof""#,
                ErrorCode::ApiUnauthorized,
            ),
        ] {
            let header = ("www-authenticate".to_owned(), challenge.to_owned());
            let answer = Response::new(401, vec![header], Vec::new());
            let error = require_success(&answer, "GET it").unwrap_err();
            assert_eq!(error.code(), code, "{error}");
        }
    }
}
