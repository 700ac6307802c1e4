//! Clients that their certificate alone authenticates (RFC 8705 section 2). That a server
//! takes them is shown in `tests/oidc_provider`.

use segl::profiles::ClientSettings;
use segl::token::TokenClientBuilder;
use segl::{Call, ErrorCode, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::support::{ScriptedTransport, p256_key, pem, signer};
use crate::world;

const METHODS: [&str; 2] = ["tls_client_auth", "self_signed_tls_client_auth"];

fn builder(more: Value) -> TokenClientBuilder {
    let mut settings = json!({
        "profile": "generic",
        "token_endpoint": "https://as.example/token",
        "client_id": "c1",
        "token_endpoint_auth_method": METHODS[0],
    });
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
}

/// `tls` with a key and its certificate.
fn tls(name: &str) -> Value {
    let key = p256_key();
    let mut tls = world().tls(&*signer(&key), name);
    tls["key"] = json!(world().file(&format!("{name}.key"), &pem(&key)));
    tls
}

#[test]
fn the_key_of_the_certificate_is_all_that_it_needs() {
    for method in METHODS {
        let more = json!({ "tls": tls(method), "token_endpoint_auth_method": method });
        let client = builder(more).build(&Call::none()).unwrap();
        assert_eq!(client.health()[0].name, "tls.key");
        let request = TokenRequest::default();
        let error = client.assertion(&request, &Call::none()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unsupported, "{error}");
        assert!(
            error.message().contains("token_endpoint_auth_method"),
            "{error}"
        );
    }
}

#[test]
fn a_client_without_certificate_is_refused() {
    let no_key = json!({ "tls": { "min_version": "1.3" } });
    let own_transport = builder(json!({})).transport(ScriptedTransport::answering([]));
    let own_signer = builder(json!({ "tls": tls("own-signer") })).signer(signer(&p256_key()));
    for (builder, words) in [
        (builder(json!({})), "no client certificate"),
        (builder(no_key), "no client certificate"),
        (own_transport, "no client certificate"),
        (own_signer, "a signer of assertions was given"),
    ] {
        let error = builder.build(&Call::none()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config, "{error}");
        let path = error.details().config_path.as_deref();
        assert_eq!(path, Some("token_endpoint_auth_method"), "{error}");
        assert!(error.message().contains(words), "{error}");
    }
}

#[test]
fn settings_of_assertions_are_refused() {
    for (setting, value) in [
        ("key", json!("file:/nowhere/key.pem")),
        ("keys", json!([{ "key": "file:/nowhere/key.pem" }])),
        ("kid", json!("k")),
        ("alg", json!("ES256")),
        ("audience", json!("https://as.example")),
        ("lifetime_seconds", json!(10)),
        ("nbf", json!(true)),
        ("grant", json!("jwt_bearer")),
        ("environment", json!("test")),
    ] {
        let mut more = json!({ "tls": tls("refused") });
        more[setting] = value;
        let error = builder(more).build(&Call::none()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config, "{error}");
        assert_eq!(
            error.details().config_path.as_deref(),
            Some(setting),
            "{error}"
        );
    }
}

#[test]
fn other_services_have_no_such_method() {
    let settings =
        r#"{"profile":"dnb","client_id":"c","token_endpoint_auth_method":"private_key_jwt"}"#;
    let error = TokenClient::builder(ClientSettings::from_json(settings).unwrap())
        .signer(signer(&p256_key()))
        .build(&Call::none())
        .unwrap_err();
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("token_endpoint_auth_method"),
        "{error}"
    );
}
