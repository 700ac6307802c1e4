//! The token endpoint out of the server's metadata.

use segl::{Algorithm, Call, ErrorCode, TokenRequest};
use serde_json::json;

use crate::keys::key;
use crate::server::Server;

/// The server has metadata where OpenID Connect Discovery 1.0 puts them, and not
/// where RFC 8414 does.
#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn the_token_endpoint_is_found_in_the_metadata() {
    let signer = key("p256");
    let server = Server::for_key(&*signer, Algorithm::ES256);
    let metadata = server.url("/.well-known/openid-configuration");
    let found = server
        .client(json!({ "token_endpoint": null, "metadata": metadata }))
        .signer(signer.clone())
        .build(&Call::none())
        .unwrap();
    found
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();

    let sought = server
        .client(json!({ "token_endpoint": null, "discovery": true }))
        .signer(signer)
        .build(&Call::none())
        .unwrap();
    sought
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn metadata_of_another_issuer_are_refused() {
    let signer = key("p256");
    let server = Server::for_key(&*signer, Algorithm::ES256);
    let client = server
        .client(json!({
            "token_endpoint": null,
            "issuer": server.url("/"),
            "metadata": server.url("/.well-known/openid-configuration"),
        }))
        .signer(signer)
        .build(&Call::none())
        .unwrap();
    let error = client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::MetadataInvalid, "{error}");
}
