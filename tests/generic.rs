//! RFC 7523 at any server.

mod support;

use serde_json::json;

use segl::{Call, ErrorCode, TokenRequest};
use support::{
    ScriptedTransport, builder, claims, header, json_answer, now, p256_key, rsa_key, signer,
};

const GOOD: &str = r#"{"access_token":"t","token_type":"Bearer","expires_in":60}"#;

/// The assertion and the form of one token request.
fn exchange(settings: &str, request: &TokenRequest) -> (String, String) {
    let transport = ScriptedTransport::answering([json_answer(200, GOOD)]);
    let client = builder(settings, signer(&p256_key()), 1_700_000_000)
        .transport(transport.clone())
        .build(&Call::none())
        .unwrap();
    client.token(request, &Call::none()).unwrap();
    let form = transport.bodies.lock().unwrap().remove(0);
    let jwt = form
        .split('&')
        .find_map(|pair| {
            pair.strip_prefix("client_assertion=")
                .or(pair.strip_prefix("assertion="))
        })
        .unwrap()
        .to_owned();
    (jwt, form)
}

#[test]
fn client_authentication_has_a_subject_and_the_scope_in_the_form() {
    let (jwt, form) = exchange(
        r#"{"profile":"generic","issuer":"https://as.example","token_endpoint":"https://as.example/token",
            "client_id":"c1","scopes":["a","b"],"send_client_id":true,"typ":"client-authentication+jwt"}"#,
        &TokenRequest::from_json(r#"{"resource":["https://api.example"]}"#).unwrap(),
    );
    assert_eq!(
        header(&jwt),
        json!({"alg":"ES256","typ":"client-authentication+jwt"})
    );
    let claims = claims(&jwt);
    assert_eq!(claims["aud"], "https://as.example");
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&json!("c1"), &json!("c1"))
    );
    assert_eq!(claims["exp"], 1_700_000_060);
    assert!(claims.get("scope").is_none());
    assert!(
        form.ends_with(
            "&client_id=c1&grant_type=client_credentials&scope=a%20b&resource=https%3A%2F%2Fapi.example"
        ),
        "{form}"
    );
}

#[test]
fn a_grant_has_the_scope_in_its_claims_and_no_subject() {
    let (jwt, form) = exchange(
        r#"{"profile":"generic","issuer":"https://as.example","token_endpoint":"https://as.example/token",
            "client_id":"c1","grant":"jwt_bearer","kid":"k","typ":"","scopes":["a"]}"#,
        &TokenRequest::default(),
    );
    assert_eq!(header(&jwt), json!({"alg":"ES256","kid":"k"}));
    let claims = claims(&jwt);
    assert_eq!(claims["scope"], "a");
    assert!(claims.get("sub").is_none());
    assert!(form.starts_with("grant_type=urn%3Aietf"), "{form}");
    assert!(form.ends_with("&scope=a"), "{form}");
}

#[test]
fn iat_is_now_unless_it_is_to_lie_back() {
    for (more, iat) in [
        ("", 1_700_000_000),
        (r#","backdate_seconds":5"#, 1_699_999_995),
    ] {
        let settings = format!(
            r#"{{"profile":"generic","issuer":"https://as.example","token_endpoint":"https://as.example/token",
                "client_id":"c1"{more}}}"#
        );
        let claims = claims(&exchange(&settings, &TokenRequest::default()).0);
        assert_eq!(
            (&claims["iat"], &claims["exp"]),
            (&json!(iat), &json!(iat + 60))
        );
    }
}

#[test]
fn missing_and_foreign_settings_are_named() {
    let base = r#""profile":"generic","client_id":"c1""#;
    let endpoint = r#""token_endpoint":"https://as.example/token","issuer":"https://as.example""#;
    for (rest, path) in [
        (
            r#""issuer":"https://as.example""#.to_owned(),
            "token_endpoint",
        ),
        (
            r#""token_endpoint":"https://as.example/token""#.to_owned(),
            "issuer",
        ),
        (format!(r#"{endpoint},"environment":"test""#), "environment"),
        (format!(r#"{endpoint},"omit_kid":true"#), "omit_kid"),
        (format!(r#"{endpoint},"orgno":"910753614""#), "orgno"),
        (format!(r#"{endpoint},"eseal":true"#), "eseal"),
        (format!(r#"{endpoint},"discovery":true"#), "token_endpoint"),
        (format!(r#"{endpoint},"x5t_s256":true"#), "x5t_s256"),
        (format!(r#"{endpoint},"alg":"ES256""#), "alg"),
    ] {
        let error = builder(&format!("{{{base},{rest}}}"), signer(&rsa_key()), now())
            .build(&Call::none())
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config, "{rest}: {error}");
        assert_eq!(
            error.details().config_path.as_deref(),
            Some(path),
            "{rest}: {error}"
        );
    }
}

#[test]
fn plain_http_to_another_machine_is_refused() {
    let error = builder(
        r#"{"profile":"generic","issuer":"i","token_endpoint":"http://as.example/token","client_id":"c1"}"#,
        signer(&rsa_key()),
        now(),
    )
    .build(&Call::none())
    .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Url, "{error}");
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("token_endpoint")
    );
}

#[test]
fn a_grants_members_are_refused_where_they_cannot_go() {
    let client = builder(
        r#"{"profile":"generic","issuer":"i","token_endpoint":"https://as.example/token","client_id":"c1"}"#,
        signer(&rsa_key()),
        now(),
    )
    .build(&Call::none())
    .unwrap();
    for json in [
        r#"{"pid":"23079422568"}"#,
        r#"{"consumer_org":"910753614"}"#,
    ] {
        let request = TokenRequest::from_json(json).unwrap();
        let error = client.assertion(&request, &Call::none()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
    }
}
