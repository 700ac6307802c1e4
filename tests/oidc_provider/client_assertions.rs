//! Tokens for assertions (`private_key_jwt`) that a key in an HSM signed.

use segl::{Algorithm, Call, TokenRequest};
use serde_json::json;

use crate::keys::{PAIRS, key};
use crate::server::{CLIENT, JWT_API, Server};

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn every_algorithm_gets_a_token() {
    for (label, _, algorithms) in PAIRS {
        for alg in algorithms {
            let signer = key(label);
            let server = Server::for_key(&*signer, *alg);
            let client = server
                .client(json!({ "alg": alg.name() }))
                .signer(signer)
                .build(&Call::none())
                .unwrap();
            let token = client
                .token(&TokenRequest::default(), &Call::none())
                .unwrap_or_else(|error| panic!("{alg}: {error}; {:?}", server.refusals().issuer));
            let claims = segl::jws::decode(token.access_token()).unwrap().claims;
            assert_eq!(claims["client_id"], CLIENT, "{alg}");
            assert_eq!(claims["aud"], JWT_API, "{alg}");
            assert_eq!(claims["scope"], "read", "{alg}");
            assert_eq!(token.scope(), Some("read"), "{alg}");
        }
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn the_audience_may_be_the_issuer_or_the_token_endpoint() {
    let signer = key("p256");
    let server = Server::for_key(&*signer, Algorithm::ES256);
    for audience in [server.issuer().to_owned(), server.url("/token")] {
        for form in ["string", "array"] {
            let client = server
                .client(json!({ "audience": audience, "audience_form": form }))
                .signer(signer.clone())
                .build(&Call::none())
                .unwrap();
            let token = client.token(&TokenRequest::default(), &Call::none());
            token.unwrap_or_else(|error| panic!("{audience} as {form}: {error}"));
        }
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn each_way_to_name_key_and_client_is_understood() {
    let signer = key("rsa");
    let server = Server::for_key(&*signer, Algorithm::PS256);
    let kid = signer.public_key().thumbprint();
    for more in [
        json!({}),
        json!({ "kid": kid }),
        json!({ "kid": kid, "send_client_id": true }),
        json!({ "typ": "", "jti": "base64url", "nbf": true }),
        json!({ "typ": "client-authentication+jwt", "backdate_seconds": 5 }),
    ] {
        let mut settings = more.clone();
        settings["alg"] = json!("PS256");
        let client = server
            .client(settings)
            .signer(signer.clone())
            .build(&Call::none())
            .unwrap();
        let token = client.token(&TokenRequest::default(), &Call::none());
        token.unwrap_or_else(|error| panic!("{more}: {error}"));
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn an_assertion_is_taken_once_and_each_token_has_its_own() {
    let signer = key("p256");
    let server = Server::for_key(&*signer, Algorithm::ES256);
    let client = server
        .client(json!({}))
        .signer(signer)
        .build(&Call::none())
        .unwrap();
    let request = TokenRequest::default();
    let assertion = client.assertion(&request, &Call::none()).unwrap();
    let form = [
        ("client_assertion", assertion.as_str()),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("grant_type", "client_credentials"),
    ];
    assert_eq!(server.post("/token", &form).status, 200);
    assert_eq!(server.post("/token", &form).status, 401);
    assert_eq!(
        server.refusals().issuer,
        ["client assertion tokens must only be used once"]
    );

    for _ in 0..20 {
        client.fetch(&request, &Call::none()).unwrap();
    }
    assert_eq!(server.refusals().issuer.len(), 1);
}
