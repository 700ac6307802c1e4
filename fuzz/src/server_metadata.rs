//! A server's metadata: only the issuer's own are taken, and their URLs are ones that a
//! secret may be sent to.

use segl::token::ServerMetadata;
use segl::{Endpoint, ErrorCode};

pub(crate) fn check(data: &[u8]) {
    let said = serde_json::from_slice::<serde_json::Value>(data)
        .ok()
        .and_then(|value| Some(value.get("issuer")?.as_str()?.to_owned()));
    let issuer = said.as_deref().unwrap_or("https://as.example");
    let metadata = match ServerMetadata::from_json(data, issuer) {
        Ok(metadata) => metadata,
        Err(error) => {
            assert_eq!(error.code(), ErrorCode::MetadataInvalid);
            assert!(!error.message().chars().any(char::is_control), "{error:?}");
            return;
        }
    };
    assert_eq!(metadata.issuer, issuer);
    for endpoint in [
        Some(metadata.token_endpoint_for(true)),
        Some(metadata.token_endpoint_for(false)),
        metadata.jwks_uri.as_ref(),
    ]
    .into_iter()
    .flatten()
    {
        assert_eq!(&endpoint.as_str().parse::<Endpoint>().unwrap(), endpoint);
    }
    let other = format!("{issuer}/");
    let refused = ServerMetadata::from_json(data, &other).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::MetadataInvalid);
}
