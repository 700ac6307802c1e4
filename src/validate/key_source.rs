//! Where an issuer's keys are, and reading them once.

use std::fmt;

use serde::Deserialize;

use super::jwks::KeySet;
use super::refusal::undecided;
use super::wire::Object;
use crate::call::Call;
use crate::clock::UnixTime;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Request, Response, Transport};
use crate::token::ServerMetadata;
use crate::token::oauth_error::retry_after;

/// Where the keys of an issuer are.
#[derive(Debug, Clone)]
pub(super) enum KeySource {
    /// Here.
    Jwks(Endpoint),
    /// Where the issuer's metadata say (`jwks_uri`, RFC 8414 section 2).
    Metadata { url: Endpoint, issuer: String },
    /// Where the member `jwks_uri` of this document says, whoever it says to be: Altinn 2's
    /// names another issuer than its tokens do.
    NamedIn(Endpoint),
}

#[derive(Deserialize)]
struct Named {
    jwks_uri: String,
}

/// No issuer has more of them.
const MAX_LEN: usize = 512 * 1024;

impl KeySource {
    /// Reads the keys.
    ///
    /// # Errors
    /// `JWKS_UNAVAILABLE`, `JWKS_INVALID`, and `METADATA_INVALID` for the metadata.
    pub(super) fn read(
        &self,
        transport: &dyn Transport,
        now: UnixTime,
        call: &Call,
    ) -> Result<KeySet> {
        match self {
            Self::Jwks(url) => read_keys(url, transport, now, call),
            Self::Metadata { url, issuer } => {
                let metadata = read_metadata(url, issuer, transport, now, call)?;
                let jwks_uri = metadata.jwks_uri.ok_or_else(|| without_jwks_uri(url))?;
                read_keys(&jwks_uri, transport, now, call)
            }
            Self::NamedIn(url) => {
                let answer = get(url, transport, now, call)?;
                let named = serde_json::from_slice::<Object<Named>>(&answer.body).ok();
                let jwks_uri = named.and_then(|Object(named)| named.jwks_uri.parse().ok());
                let jwks_uri = jwks_uri.ok_or_else(|| without_jwks_uri(url))?;
                read_keys(&jwks_uri, transport, now, call)
            }
        }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jwks(url) | Self::Metadata { url, .. } | Self::NamedIn(url) => url.fmt(f),
        }
    }
}

fn read_metadata(
    url: &Endpoint,
    issuer: &str,
    transport: &dyn Transport,
    now: UnixTime,
    call: &Call,
) -> Result<ServerMetadata> {
    let answer = transport
        .send(&Request::new(Method::Get, url.clone()), call)
        .map_err(|error| unavailable(url, error))?;
    ServerMetadata::from_response(&answer, issuer, now).map_err(|error| match error.retryable() {
        true => unavailable(url, error),
        false => error.in_context(format_args!("GET {url}")),
    })
}

fn read_keys(
    url: &Endpoint,
    transport: &dyn Transport,
    now: UnixTime,
    call: &Call,
) -> Result<KeySet> {
    let answer = get(url, transport, now, call)?;
    if answer.body.len() > MAX_LEN {
        return Err(undecided(
            ErrorCode::JwksInvalid,
            format!(
                "GET {url}: the issuer's keys have more than {MAX_LEN} bytes; this is no JWK set"
            ),
        ));
    }
    KeySet::from_json(&answer.body).map_err(|error| error.in_context(format_args!("GET {url}")))
}

fn get(url: &Endpoint, transport: &dyn Transport, now: UnixTime, call: &Call) -> Result<Response> {
    let answer = transport
        .send(&Request::new(Method::Get, url.clone()), call)
        .map_err(|error| unavailable(url, error))?;
    if answer.status == 200 {
        return Ok(answer);
    }
    let error = Error::new(
        ErrorCode::JwksUnavailable,
        format!("the server answered HTTP {}", answer.status),
    );
    Err(unavailable(
        url,
        error.with_details(|details| details.retry_after = retry_after(&answer, now)),
    ))
}

fn without_jwks_uri(url: &Endpoint) -> Error {
    Error::new(
        ErrorCode::MetadataInvalid,
        format!(
            "GET {url}: the server's metadata lack \"jwks_uri\"; set \"jwks_uri\" to where its keys are"
        ),
    )
}

/// `error` says why `url` could not be read.
fn unavailable(url: &Endpoint, error: Error) -> Error {
    let retry_after = error.details().retry_after;
    // A transport may have said it.
    let request = format!("GET {url}");
    let error = match error.message().starts_with(&request) {
        true => error,
        false => error.in_context(request),
    };
    undecided(
        ErrorCode::JwksUnavailable,
        format!("the issuer's keys cannot be had: {error}"),
    )
    .with_details(|details| {
        details.retryable = true;
        details.retry_after = retry_after;
    })
    .with_source(error)
}
