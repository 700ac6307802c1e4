//! HelseID: the assertion, the form, and DPoP.

#[path = "support/dpop_server.rs"]
mod dpop_server;
mod support;

use std::sync::Arc;

use segl::clock::{FixedClock, UnixTime};
use segl::profiles::{ClientSettings, TokenEndpoint};
use segl::token::TokenType;
use segl::{Call, ErrorCode, Signer, TokenClient, TokenRequest};
use serde_json::{Value, json};

use dpop_server::{Nonces, StrictServer};
use support::{claims, header, p256_key, rsa_key, signer};

fn settings(more: Value) -> ClientSettings {
    let mut settings = json!({
        "profile": "helseid", "environment": "test", "client_id": "c1", "kid": "k1", "scopes": ["nhn:a/b"],
    });
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    ClientSettings::from_json(&settings.to_string()).unwrap()
}

fn client(more: Value, signer: Arc<dyn Signer>) -> segl::Result<TokenClient> {
    TokenClient::builder(settings(more))
        .signer(signer)
        .clock(Arc::new(FixedClock::new(UnixTime::from_seconds(
            1_700_000_000,
        ))))
        .build(&Call::none())
}

fn assertion(more: Value, request: &str) -> String {
    let request = TokenRequest::from_json(request).unwrap();
    let client = client(more, signer(&rsa_key())).unwrap();
    client.assertion(&request, &Call::none()).unwrap()
}

#[test]
fn the_assertion_is_that_of_nhns_library() {
    let jwt = assertion(json!({}), "{}");
    let typ = "client-authentication+jwt";
    assert_eq!(
        header(&jwt),
        json!({"alg": "PS256", "kid": "k1", "typ": typ})
    );
    let mut claims = claims(&jwt);
    assert!(claims["jti"].as_str().unwrap().len() >= 32);
    claims.as_object_mut().unwrap().remove("jti");
    assert_eq!(
        claims,
        json!({
            "aud": "https://helseid-sts.test.nhn.no", "iss": "c1", "sub": "c1",
            "iat": 1_700_000_000, "nbf": 1_700_000_000, "exp": 1_700_000_010,
        })
    );
}

#[test]
fn details_go_into_the_assertion() {
    let one = json!({"type": "helseid_authorization", "practitioner_role": {"organization": {"identifier":
        {"system": "urn:oid:1.0.6523", "type": "ENH", "value": "NO:ORGNR:910753614:"}}}});
    let two = json!({"type": "nhn:sfm:journal-id", "value": {"journal_id": "j"}});
    let with = |details: Value| {
        let request = json!({ "authorization_details": details }).to_string();
        claims(&assertion(json!({}), &request))["assertion_details"].clone()
    };
    assert_eq!(with(json!([one])), one);
    assert_eq!(with(json!([one, two])), json!([one, two]));
    assert_eq!(with(json!([])), Value::Null);
}

#[test]
fn environments_have_their_addresses() {
    for (environment, host) in [
        ("test", "helseid-sts.test.nhn.no"),
        ("prod", "helseid-sts.nhn.no"),
    ] {
        let at = |more: Value| segl::profiles::token_endpoint(&settings(more)).unwrap();
        let known = at(json!({"environment": environment}));
        assert_eq!(known.to_string(), format!("https://{host}/connect/token"));
        match at(json!({"environment": environment, "discovery": true})) {
            TokenEndpoint::InMetadata {
                metadata,
                otherwise: None,
                issuer,
            } => {
                let path = ".well-known/openid-configuration";
                assert_eq!(metadata.as_str(), format!("https://{host}/{path}"));
                assert_eq!(issuer, format!("https://{host}"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_helseid_would_refuse_is_refused_here() {
    for (more, path) in [
        (json!({"kid": null}), "kid"),
        (json!({"environment": null}), "environment"),
        (json!({"lifetime_seconds": 61}), "lifetime_seconds"),
        (json!({"alg": "RS512"}), "alg"),
        (json!({"issuer": "https://helseid-sts.nhn.no"}), "issuer"),
        (
            json!({"issuer": "https://helseid-sts.test.nhn.no/"}),
            "issuer",
        ),
        (json!({"resource": ["https://a.example"]}), "resource"),
        (json!({"consumer_org": "910753614"}), "consumer_org"),
    ] {
        let error = client(more, signer(&rsa_key())).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config, "{error}");
        assert_eq!(
            error.details().config_path.as_deref(),
            Some(path),
            "{error}"
        );
    }
    let client = client(json!({}), signer(&p256_key())).unwrap();
    for request in [
        r#"{"resource":["https://a.example"]}"#,
        r#"{"consumer_org":"910753614"}"#,
    ] {
        let request = TokenRequest::from_json(request).unwrap();
        let error = client.assertion(&request, &Call::none()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
    }
}

#[test]
fn tokens_are_bound_to_the_clients_key_without_being_asked() {
    let server = StrictServer::new(Nonces::NewAfter(100), Nonces::Unasked);
    let client = TokenClient::builder(settings(
        json!({"token_endpoint": dpop_server::TOKEN_ENDPOINT}),
    ))
    .signer(signer(&p256_key()))
    .transport(server.clone())
    .build(&Call::none())
    .unwrap();
    let token = client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    assert_eq!(token.token_type(), TokenType::Dpop);
    assert_eq!(server.statuses(), [400, 200]);
    assert_eq!(
        client.dpop_thumbprint(),
        Some(signer(&p256_key()).public_key().thumbprint())
    );
}

#[test]
fn the_form_names_the_client() {
    let answer = r#"{"access_token":"t","token_type":"DPoP","expires_in":60}"#;
    let transport = support::ScriptedTransport::answering([support::json_answer(200, answer)]);
    let client = TokenClient::builder(settings(json!({})))
        .signer(signer(&p256_key()))
        .transport(transport.clone())
        .build(&Call::none())
        .unwrap();
    client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    let form = transport.bodies.lock().unwrap()[0].clone();
    let end = "&client_id=c1&grant_type=client_credentials&scope=nhn%3Aa%2Fb";
    assert!(form.ends_with(end), "{form}");
}
