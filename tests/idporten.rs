//! ID-porten: a client assertion for the code flow, and no token.

mod support;

use serde_json::json;

use segl::{Call, ErrorCode, TokenClient, TokenRequest};
use support::{ScriptedTransport, builder, claims, header, rsa_key, signer};

fn client(settings: &str) -> TokenClient {
    let settings = format!(r#"{{"profile":"idporten","client_id":"c1","kid":"k1",{settings}}}"#);
    builder(&settings, signer(&rsa_key()), 1_700_000_000)
        .transport(ScriptedTransport::answering([]))
        .build(&Call::none())
        .unwrap()
}

#[test]
fn the_client_assertion_has_the_documented_claims_and_no_more() {
    for (settings, aud) in [
        (r#""environment":"test""#, "https://test.idporten.no"),
        (r#""environment":"prod""#, "https://idporten.no"),
        (r#""issuer":"https://idporten.no""#, "https://idporten.no"),
    ] {
        let jwt = client(settings)
            .assertion(&TokenRequest::default(), &Call::none())
            .unwrap();
        assert_eq!(header(&jwt), json!({"alg":"RS256","kid":"k1"}));
        let mut claims = claims(&jwt);
        assert!(uuid::Uuid::parse_str(claims["jti"].as_str().unwrap()).is_ok());
        claims["jti"] = json!("");
        assert_eq!(
            claims,
            json!({"aud":aud,"exp":1_700_000_118,"iat":1_699_999_998,"iss":"c1","jti":"","sub":"c1"})
        );
    }
}

/// [`ScriptedTransport`] fails the test if anything is sent.
#[test]
fn a_token_is_unsupported_and_nothing_is_sent() {
    let error = client(r#""environment":"test""#)
        .token(&TokenRequest::default(), &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unsupported, "{error}");
    assert!(!error.retryable());
    for says in ["segl assert", "profile maskinporten"] {
        assert!(error.message().contains(says), "{error}");
    }
}

#[test]
fn what_a_client_assertion_cannot_carry_is_refused() {
    let client = client(r#""environment":"test""#);
    for json in [
        r#"{"scopes":["openid"]}"#,
        r#"{"resource":["https://api.example"]}"#,
        r#"{"consumer_org":"910753614"}"#,
        r#"{"pid":"12345678901"}"#,
        r#"{"authorization_details":[{"type":"urn:x"}]}"#,
    ] {
        let request = TokenRequest::from_json(json).unwrap();
        let error = client.assertion(&request, &Call::none()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{json}: {error}");
    }
    let null = TokenRequest::from_json(r#"{"consumer_org":null}"#).unwrap();
    client.assertion(&null, &Call::none()).unwrap();
    for (setting, value) in [
        ("scopes", r#"["openid"]"#),
        ("consumer_org", r#""910753614""#),
        ("token_endpoint", r#""https://idporten.no/token""#),
        ("discovery", "true"),
        ("grant", r#""jwt_bearer""#),
    ] {
        let settings = format!(
            r#"{{"profile":"idporten","environment":"prod","client_id":"c1","kid":"k1","{setting}":{value}}}"#
        );
        let error = builder(&settings, signer(&rsa_key()), support::now())
            .build(&Call::none())
            .unwrap_err();
        assert_eq!(error.details().config_path.as_deref(), Some(setting));
    }
}
