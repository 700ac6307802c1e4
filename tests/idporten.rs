//! ID-porten: a client assertion for the code flow, and no token.

mod support;

use serde_json::json;

use segl::http::Method;
use segl::{Call, ErrorCode, TokenClient, TokenRequest};
use support::{ScriptedTransport, builder, claims, header, p256_key, rsa_key, signer};

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
        r#"{"pid":"23079422568"}"#,
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

/// The program sends the request for the token itself, and those to APIs (ID-porten,
/// "DPoP").
#[test]
fn proofs_are_made_for_a_code_flow_of_the_program() {
    let unbound = client(r#""environment":"test""#);
    let url = "https://test.idporten.no/token?not=here".parse().unwrap();
    let error = unbound
        .dpop_proof_for(Method::Post, &url, None, &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unsupported, "{error}");

    let settings = r#"{"profile":"idporten","client_id":"c1","kid":"k1","environment":"test"}"#;
    let client = builder(settings, signer(&rsa_key()), 1_700_000_000)
        .dpop_signer(signer(&p256_key()))
        .transport(ScriptedTransport::answering([]))
        .build(&Call::none())
        .unwrap();
    client.note_dpop_nonce(&url, "n1").unwrap();
    let for_token = client.dpop_proof_for(Method::Post, &url, None, &Call::none());
    let for_token = claims(&for_token.unwrap());
    assert_eq!(for_token["htm"], "POST");
    assert_eq!(for_token["htu"], "https://test.idporten.no/token");
    assert_eq!(for_token["nonce"], "n1");
    assert!(for_token.get("ath").is_none());

    let api = "https://api.example/me".parse().unwrap();
    let for_api = client.dpop_proof_for(Method::Get, &api, Some("abc"), &Call::none());
    let for_api = claims(&for_api.unwrap());
    assert_eq!(
        for_api["ath"],
        "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
    );
    assert!(for_api.get("nonce").is_none());
    let empty = client.dpop_proof_for(Method::Get, &api, Some(""), &Call::none());
    assert_eq!(empty.unwrap_err().code(), ErrorCode::InvalidArgument);
}
