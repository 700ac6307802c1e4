//! What the server refuses, and what segl makes of it.

use std::sync::Arc;

use segl::clock::{Clock, FixedClock, SystemClock};
use segl::{Algorithm, Call, Error, ErrorCode, TokenRequest};
use serde_json::{Value, json};

use crate::keys::key;
use crate::server::{Server, registration};

/// Settings at fault, and what comes of them: segl's code, OAuth's, and the reasons
/// that the server noted.
type Case = (Value, ErrorCode, &'static str, &'static [&'static str]);

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn each_refusal_has_its_code() {
    let signer = key("p256");
    let server = Server::for_key(&*signer, Algorithm::ES256);
    let cases: [Case; 7] = [
        (
            json!({ "audience": "https://as.example" }),
            ErrorCode::TokenInvalidClient,
            "invalid_client",
            &[
                "audience (aud) must equal the endpoint url, issuer identifier or token endpoint url",
            ],
        ),
        (
            json!({ "kid": "of-nobody" }),
            ErrorCode::TokenInvalidClient,
            "invalid_client",
            &["no applicable key found in the JSON Web Key Set"],
        ),
        (
            json!({ "client_id": "nobody" }),
            ErrorCode::TokenInvalidClient,
            "invalid_client",
            &["client not found"],
        ),
        (
            json!({ "scopes": ["write"] }),
            ErrorCode::TokenInvalidScope,
            "invalid_scope",
            &["requested scope is not allowed"],
        ),
        (
            json!({ "resource": ["https://of-nobody.example"] }),
            ErrorCode::TokenInvalidTarget,
            "invalid_target",
            &["resource indicator is missing, or unknown"],
        ),
        (
            json!({ "grant": "jwt_bearer" }),
            ErrorCode::TokenInvalidRequest,
            "invalid_request",
            &["no client authentication mechanism provided"],
        ),
        (
            json!({ "token_endpoint": server.url("/nothing") }),
            ErrorCode::TokenInvalidRequest,
            "invalid_request",
            &[],
        ),
    ];
    for (more, code, oauth_error, reasons) in cases {
        let before = server.refusals().issuer.len();
        let client = server
            .client(more.clone())
            .signer(signer.clone())
            .build(&Call::none())
            .unwrap();
        let error = client
            .token(&TokenRequest::default(), &Call::none())
            .expect_err(&more.to_string());
        let told = server.refusals().issuer.split_off(before);
        assert_eq!(error.code(), code, "{more}: {error}");
        assert_eq!(
            error.details().oauth_error.as_deref(),
            Some(oauth_error),
            "{more}: {error}"
        );
        assert!(!error.retryable(), "{more}: {error}");
        assert_eq!(told, reasons, "{more}");
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn a_key_that_is_not_registered_is_refused() {
    let server = Server::for_key(&*key("p256"), Algorithm::ES256);
    let other = key("p384");
    let client = server
        .client(json!({}))
        .signer(other)
        .build(&Call::none())
        .unwrap();
    let error = refused(client.token(&TokenRequest::default(), &Call::none()));
    assert_eq!(error.code(), ErrorCode::TokenInvalidClient, "{error}");
    assert_eq!(server.refusals().issuer, ["alg mismatch"]);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn a_client_without_the_grant_is_refused() {
    let signer = key("p256");
    let mut client = registration(&*signer, Algorithm::ES256);
    client["grant_types"] = json!(["authorization_code"]);
    client["response_types"] = json!(["code"]);
    client["redirect_uris"] = json!(["https://client.example/"]);
    let server = Server::start(&json!({ "clients": [client] }));
    let client = server
        .client(json!({}))
        .signer(signer)
        .build(&Call::none())
        .unwrap();
    let error = refused(client.token(&TokenRequest::default(), &Call::none()));
    assert_eq!(error.code(), ErrorCode::TokenInvalidRequest, "{error}");
    assert_eq!(
        server.refusals().issuer,
        ["requested grant type is not allowed for this client"]
    );
}

/// The server's `Date` heals a clock that drifted. One that is hours off makes
/// assertions that are over, and they are refused.
#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn a_clock_that_drifted_is_healed_and_one_that_is_wrong_is_refused() {
    let signer = key("p256");
    let server = Server::for_key(&*signer, Algorithm::ES256);
    let behind = |seconds: i64| {
        let clock = FixedClock::new(SystemClock.now().plus(-seconds));
        server
            .client(json!({}))
            .signer(signer.clone())
            .clock(Arc::new(clock))
            .build(&Call::none())
            .unwrap()
    };
    let drifted = behind(120);
    drifted
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    assert_eq!(server.refusals().issuer, ["jwt expired"]);

    let error = refused(behind(7200).token(&TokenRequest::default(), &Call::none()));
    assert_eq!(error.code(), ErrorCode::TokenInvalidClient, "{error}");
    assert_eq!(server.refusals().issuer, ["jwt expired", "jwt expired"]);
}

fn refused<T>(answer: Result<T, Error>) -> Error {
    match answer {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error,
    }
}
