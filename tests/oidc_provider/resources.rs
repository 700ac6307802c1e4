//! An API that checks the server's tokens.

use std::sync::Arc;

use segl::apis::Authorized;
use segl::http::{Method, Request};
use segl::{Algorithm, Call, TokenRequest};
use serde_json::{Value, json};

use crate::keys::key;
use crate::server::{CLIENT, JWT_API, OPAQUE_API, Server};

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn a_resource_is_reached_with_either_form_of_token() {
    let signer = key("p256");
    let server = Server::for_key(&*signer, Algorithm::ES256);
    let client = server
        .client(json!({}))
        .signer(signer)
        .build(&Call::none())
        .unwrap();
    let client = Arc::new(client);
    for (resource, form) in [(JWT_API, "jwt"), (OPAQUE_API, "opaque")] {
        let request = TokenRequest::from_json(&json!({ "resource": [resource] }).to_string());
        let api = Authorized::new(Arc::clone(&client), request.unwrap());
        for method in [Method::Get, Method::Post] {
            let request = Request::new(method, server.api());
            let answer = api.send(&request, &Call::none()).unwrap();
            assert_eq!(answer.status, 200, "{resource}");
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(
                body,
                json!({ "method": method.name(), "client_id": CLIENT, "scope": "read", "form": form, "tls": null, "resumed": null })
            );
        }
    }
    assert_eq!(client.token_health().requests, 2);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn a_token_that_was_revoked_is_replaced() {
    let signer = key("p256");
    let server = Server::for_key(&*signer, Algorithm::ES256);
    let client = server
        .client(json!({ "resource": [OPAQUE_API] }))
        .signer(signer)
        .build(&Call::none())
        .unwrap();
    let client = Arc::new(client);
    let request = TokenRequest::default();
    let first = client.token(&request, &Call::none()).unwrap();
    let assertion = client.assertion(&request, &Call::none()).unwrap();
    let revoked = server.post(
        "/token/revocation",
        &[
            ("token", first.access_token()),
            ("client_assertion", &assertion),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
        ],
    );
    assert_eq!(revoked.status, 200);

    let api = Authorized::new(Arc::clone(&client), request.clone());
    let get = Request::new(Method::Get, server.api());
    assert_eq!(api.send(&get, &Call::none()).unwrap().status, 200);
    let second = client.token(&request, &Call::none()).unwrap();
    assert_ne!(first.access_token(), second.access_token());
}
