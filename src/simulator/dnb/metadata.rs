//! The discovery document, as PingFederate makes it: OpenID Connect Discovery 1.0,
//! with the members of RFC 8414 and RFC 8705 section 5.

use serde_json::{Value, json};

use super::super::urls::Urls;

/// Of the listener with these `urls`; `scopes` are those that are given out.
pub(super) fn document(urls: &Urls, scopes: &[String]) -> Value {
    let mut document = json!({
        "issuer": urls.dnb_issuer,
        "token_endpoint": urls.dnb_token_endpoint,
        "jwks_uri": urls.dnb_jwks_uri,
        "scopes_supported": scopes,
        "claims_supported": [],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    });
    // Over HTTPS, the document's own endpoints take certificates too.
    let aliases = urls
        .https
        .as_deref()
        .or(Some(urls).filter(|urls| urls.is_https()));
    if let Some(https) = aliases {
        document["tls_client_certificate_bound_access_tokens"] = true.into();
        document["mtls_endpoint_aliases"] = json!({ "token_endpoint": https.dnb_token_endpoint });
    }
    document
}
