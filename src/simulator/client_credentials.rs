//! Token requests with the client credentials grant (RFC 6749 section 4.4).

use axum::http::HeaderMap;

use super::form::Form;
use super::oauth_error::Refusal;

/// The form of a request with this grant.
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Form, Refusal> {
    let form = Form::parse(headers, body).map_err(Refusal::request)?;
    match form.get("grant_type") {
        Some("client_credentials") => Ok(form),
        Some(_) => Err(Refusal::grant_type()),
        None => Err(Refusal::request("grant_type is missing")),
    }
}

/// The scopes that are asked for, or all that the client has.
pub(super) fn scope(form: &Form, allowed: &[String]) -> Result<String, Refusal> {
    let Some(requested) = form.get("scope") else {
        return Ok(allowed.join(" "));
    };
    let unknown = requested
        .split(' ')
        .find(|scope| !allowed.iter().any(|allowed| allowed == scope));
    match unknown {
        Some(unknown) => Err(Refusal::scope(unknown)),
        None => Ok(requested.to_owned()),
    }
}
