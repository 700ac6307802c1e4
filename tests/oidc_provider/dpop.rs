//! Tokens that are bound to a key of the client (RFC 9449).

use std::sync::Arc;

use segl::apis::Authorized;
use segl::http::{Method, Request};
use segl::{Algorithm, Call, ErrorCode, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::certificates::Authority;
use crate::keys::{key, uri};
use crate::server::{JWT_API, OPAQUE_API, Server, registration};

const NONCE_WANTED: &str = "nonce is required in the DPoP proof";

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn a_token_is_bound_to_the_key_and_taken_with_its_proofs() {
    let server = bound(json!({}));
    for (dpop, label) in [
        (json!({}), "p256"),
        (json!({ "key": uri("p256") }), "p256"),
        (json!({ "key": uri("rsa") }), "rsa"),
        (json!({ "key": uri("rsa"), "alg": "PS256" }), "rsa"),
    ] {
        let client = Arc::new(client(&server, json!({ "dpop": dpop })));
        let token = client
            .token(&TokenRequest::default(), &Call::none())
            .unwrap();
        let claims = segl::jws::decode(token.access_token()).unwrap().claims;
        assert_eq!(claims["cnf"]["jkt"], key(label).public_key().thumbprint());

        for resource in [JWT_API, OPAQUE_API] {
            let request = json!({ "resource": [resource] }).to_string();
            let request = TokenRequest::from_json(&request).unwrap();
            let api = Authorized::new(Arc::clone(&client), request);
            for method in [Method::Get, Method::Post, Method::Get] {
                let request = Request::new(method, server.api());
                let answer = api.send(&request, &Call::none()).unwrap();
                assert_eq!(answer.status, 200, "{:?}", server.refusals());
            }
        }
    }
    let refusals = server.refusals();
    assert!(refusals.issuer.is_empty(), "{refusals:?}");
    assert!(refusals.api.is_empty(), "{refusals:?}");
}

/// Issuer and API have nonces of their own, and each asks for one once.
#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn a_nonce_is_asked_for_once_by_each_server() {
    let server = bound(json!({ "nonces": true }));
    let client = Arc::new(client(&server, json!({ "dpop": {} })));
    let api = Authorized::new(Arc::clone(&client), TokenRequest::default());
    for _ in 0..3 {
        client
            .fetch(&TokenRequest::default(), &Call::none())
            .unwrap();
        let request = Request::new(Method::Get, server.api());
        assert_eq!(api.send(&request, &Call::none()).unwrap().status, 200);
    }
    let refusals = server.refusals();
    assert_eq!(refusals.issuer, [NONCE_WANTED]);
    assert_eq!(refusals.api, [NONCE_WANTED]);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn a_bound_token_is_of_no_use_without_the_key() {
    let server = bound(json!({}));
    let client = client(&server, json!({ "dpop": {} }));
    let token = client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    for (scheme, reason) in [
        ("Bearer", "a token is not taken as Bearer"),
        ("DPoP", "there is no proof, or it is of another key"),
    ] {
        let stolen = format!("{scheme} {}", token.access_token());
        let request = Request::new(Method::Get, server.api()).header("Authorization", stolen);
        let answer = client.transport().send(&request, &Call::none()).unwrap();
        assert_eq!(answer.status, 401);
        assert_eq!(server.refusals().api.pop().as_deref(), Some(reason));
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn a_client_that_must_prove_its_key_is_refused_without() {
    let server = bound(json!({}));
    let error = client(&server, json!({}))
        .token(&TokenRequest::default(), &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenInvalidGrant, "{error}");
    assert_eq!(server.refusals().issuer, ["DPoP proof JWT not provided"]);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn proofs_go_over_mutual_tls_too() {
    let authority = Authority::new();
    let server = bound(json!({ "nonces": true, "tls": authority.server("TLSv1.3") }));
    let certificate = authority.client(&*key("rsa"));
    let tls = json!({
        "key": uri("rsa"),
        "certificate": authority.file(&certificate),
        "ca_file": authority.ca_file(),
    });
    let client = client(&server, json!({ "dpop": {}, "tls": tls }));
    let api = Authorized::new(Arc::new(client), TokenRequest::default());
    let request = Request::new(Method::Get, server.api());
    assert_eq!(api.send(&request, &Call::none()).unwrap().status, 200);
}

/// A server that wants a proof from its client, with more settings.
fn bound(mut settings: Value) -> Server {
    let mut client = registration(&*key("p256"), Algorithm::ES256);
    client["dpop_bound_access_tokens"] = json!(true);
    settings["clients"] = json!([client]);
    Server::start(&settings)
}

/// That client, with more settings.
fn client(server: &Server, more: Value) -> TokenClient {
    server
        .client(more)
        .signer(key("p256"))
        .build(&Call::none())
        .unwrap()
}
