//! A server's metadata (RFC 8414).

use serde::Deserialize;

use super::oauth_error::retry_after;
use super::response::content_type;
use crate::clock::UnixTime;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::Response;

/// What a server says about itself (RFC 8414 section 2, RFC 8705, RFC 9449). Members that are
/// not listed here are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerMetadata {
    /// The issuer identifier.
    pub issuer: String,
    /// Where tokens are requested.
    pub token_endpoint: Endpoint,
    /// Where clients with a client certificate request them, if that is elsewhere:
    /// `mtls_endpoint_aliases.token_endpoint` (RFC 8705 section 5).
    pub mtls_token_endpoint: Option<Endpoint>,
    /// `tls_client_certificate_bound_access_tokens` (RFC 8705 section 3.3): the server
    /// can bind tokens to the client certificate. False when it does not say so.
    pub certificate_bound_tokens: bool,
    /// Where the keys are that tokens are signed with.
    pub jwks_uri: Option<Endpoint>,
    /// `grant_types_supported`.
    pub grant_types: Option<Vec<String>>,
    /// `authorization_details_types_supported` (RFC 9396 section 10).
    pub authorization_details_types: Option<Vec<String>>,
    /// `token_endpoint_auth_methods_supported`.
    pub token_endpoint_auth_methods: Option<Vec<String>>,
    /// `token_endpoint_auth_signing_alg_values_supported`.
    pub token_endpoint_auth_signing_algs: Option<Vec<String>>,
    /// `dpop_signing_alg_values_supported` (RFC 9449 section 5.1).
    pub dpop_signing_algs: Option<Vec<String>>,
    /// `scopes_supported`.
    pub scopes: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Wire {
    issuer: String,
    token_endpoint: String,
    mtls_endpoint_aliases: Option<WireAliases>,
    tls_client_certificate_bound_access_tokens: Option<bool>,
    jwks_uri: Option<String>,
    grant_types_supported: Option<Vec<String>>,
    authorization_details_types_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
    dpop_signing_alg_values_supported: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
}

/// RFC 8705 section 5: endpoints without an alias are the usual ones.
#[derive(Deserialize)]
struct WireAliases {
    token_endpoint: Option<String>,
}

impl ServerMetadata {
    /// The metadata of `issuer` from their JSON.
    ///
    /// # Errors
    /// `METADATA_INVALID` when it is no JSON object with `issuer` and
    /// `token_endpoint`, when a URL in it is not https, or when it is another
    /// issuer's: both must be equal letter for letter (RFC 8414 section 3.3).
    pub fn from_json(json: &[u8], issuer: &str) -> Result<Self> {
        let wire: Wire = serde_json::from_slice(json).map_err(|source| {
            let problem = match source.is_data() {
                true => "lacks a member, or one is of another type",
                false => "is not JSON",
            };
            invalid(format!(
                "{problem}; it needs \"issuer\" and \"token_endpoint\""
            ))
            .with_source(source)
        })?;
        if wire.issuer != issuer {
            return Err(invalid(format!(
                "is that of \"{}\" and not of \"{issuer}\"; set \"issuer\" to exactly what the server calls itself, \
                 if that is the server you mean",
                shown(&wire.issuer)
            )));
        }
        let url = |name: &str, url: &str| -> Result<Endpoint> {
            url.parse()
                .map_err(|error: Error| invalid(format!("has a bad \"{name}\": {error}")))
        };
        Ok(Self {
            token_endpoint: url("token_endpoint", &wire.token_endpoint)?,
            mtls_token_endpoint: wire
                .mtls_endpoint_aliases
                .and_then(|aliases| aliases.token_endpoint)
                .map(|text| url("mtls_endpoint_aliases.token_endpoint", &text))
                .transpose()?,
            certificate_bound_tokens: wire
                .tls_client_certificate_bound_access_tokens
                .unwrap_or(false),
            jwks_uri: wire
                .jwks_uri
                .map(|text| url("jwks_uri", &text))
                .transpose()?,
            issuer: wire.issuer,
            grant_types: wire.grant_types_supported,
            authorization_details_types: wire.authorization_details_types_supported,
            token_endpoint_auth_methods: wire.token_endpoint_auth_methods_supported,
            token_endpoint_auth_signing_algs: wire.token_endpoint_auth_signing_alg_values_supported,
            dpop_signing_algs: wire.dpop_signing_alg_values_supported,
            scopes: wire.scopes_supported,
        })
    }

    /// Where a client requests tokens that has a client certificate, or has none.
    pub fn token_endpoint_for(&self, has_certificate: bool) -> &Endpoint {
        self.mtls_token_endpoint
            .as_ref()
            .filter(|_| has_certificate)
            .unwrap_or(&self.token_endpoint)
    }

    /// The metadata in a server's answer, which came at `now`.
    pub(crate) fn from_response(response: &Response, issuer: &str, now: UnixTime) -> Result<Self> {
        let status = response.status;
        let code = match status {
            200 => {
                return Self::from_json(&response.body, issuer).map_err(|error| {
                    error.with_details(|details| details.http_status = Some(200))
                });
            }
            429 => ErrorCode::TokenRateLimited,
            500..=599 => ErrorCode::TokenServer,
            _ => ErrorCode::MetadataInvalid,
        };
        let message = format!(
            "the server answered HTTP {status} with {}; set \"metadata\" or \"token_endpoint\" if its metadata \
             is elsewhere",
            content_type(response)
        );
        Err(Error::new(code, message).with_details(|details| {
            details.retryable = code != ErrorCode::MetadataInvalid;
            details.retry_after = retry_after(response, now);
            details.http_status = Some(status);
        }))
    }
}

fn invalid(problem: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorCode::MetadataInvalid,
        format!("the server's metadata {problem}"),
    )
}

/// A server's text as a message may have it.
fn shown(text: &str) -> String {
    text.chars()
        .take(200)
        .collect::<String>()
        .escape_debug()
        .to_string()
}
