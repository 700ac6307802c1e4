//! DNB's published samples, rebuilt.

use serde_json::{Value, json};

use crate::support::{builder, claims, header, now, p256_key, rsa_key, signer};
use segl::keys::ForeignSigner;
use segl::keys::foreign::SignCallback;
use segl::{Algorithm, Call, ErrorCode, PublicJwk, Result, TokenRequest};

pub fn samples() -> Value {
    serde_json::from_str(include_str!("../data/dnb.json")).unwrap()
}

pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).unwrap().as_str().unwrap()
}

/// Returns the sample's own signature: its private key is DNB's customer's.
struct KnownSignature(Vec<u8>);

impl SignCallback for KnownSignature {
    fn sign(&self, _alg: Algorithm, _message: &[u8], _call: &Call) -> Result<Vec<u8>> {
        Ok(self.0.clone())
    }
}

#[test]
fn the_registration_sample_is_rebuilt_to_the_byte() {
    let samples = samples();
    let token = text(&samples, "/registration/token");
    let jwk = samples.pointer("/registration/jwk").unwrap();
    let key = PublicJwk::from_json(&jwk.to_string()).unwrap();
    assert_eq!(
        jwk["kid"],
        key.thumbprint(),
        "the sample's kid is the thumbprint"
    );

    // The foreign signer releases a signature only after it verified it.
    let signature = segl::jws::decode(token).unwrap().signature;
    let signer = std::sync::Arc::new(ForeignSigner::new(key, Box::new(KnownSignature(signature))));
    let client = builder(
        r#"{"profile":"dnb"}"#,
        signer,
        samples["registration"]["iat"].as_i64().unwrap(),
    )
    .build(&Call::none())
    .unwrap();
    assert_eq!(client.registration(&Call::none()).unwrap(), token);
}

#[test]
fn a_changed_time_changes_the_payload_and_the_signature_is_not_released() {
    let samples = samples();
    let token = text(&samples, "/registration/token");
    let key = PublicJwk::from_json(&samples["registration"]["jwk"].to_string()).unwrap();
    let signature = segl::jws::decode(token).unwrap().signature;
    let signer = std::sync::Arc::new(ForeignSigner::new(key, Box::new(KnownSignature(signature))));
    let client = builder(
        r#"{"profile":"dnb"}"#,
        signer,
        samples["registration"]["iat"].as_i64().unwrap() + 1,
    )
    .build(&Call::none())
    .unwrap();
    let error = client.registration(&Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::SignatureFault);
}

#[test]
fn the_client_assertion_sample_can_be_made_by_settings() {
    let samples = samples();
    let sample = text(&samples, "/client_assertion/token");
    let client = builder(
        r#"{"profile":"dnb","client_id":"76aec8f8-8ef8-4ea6-a087-51cdacd53953","omit_kid":true,
            "audience":"https://mtls.auth.dnb.no/as/token.oauth2","audience_form":"string",
            "lifetime_seconds":1200,"nbf":true,"jti":"base64url"}"#,
        signer(&p256_key()),
        samples["client_assertion"]["iat"].as_i64().unwrap(),
    )
    .build(&Call::none())
    .unwrap();
    let ours = client
        .assertion(&TokenRequest::default(), &Call::none())
        .unwrap();
    assert_eq!(header(&ours), header(sample));
    let (mut ours, mut theirs) = (claims(&ours), claims(sample));
    assert_eq!(text(&ours, "/jti").len(), text(&theirs, "/jti").len());
    ours["jti"] = json!("");
    theirs["jti"] = json!("");
    assert_eq!(ours.to_string(), theirs.to_string());
}

#[test]
fn the_documented_client_assertion_is_the_default() {
    let samples = samples();
    let documented = &samples["documented_client_assertion"];
    let iat = documented["payload"]["iat"].as_i64().unwrap();
    let client = builder(
        r#"{"profile":"dnb","client_id":"{client id}","kid":"VT8VpJCLznY5Hn304q4OHCQq0FVCaX"}"#
            .replace("{client id}", "76aec8f8-8ef8-4ea6-a087-51cdacd53953")
            .as_str(),
        signer(&p256_key()),
        iat,
    )
    .build(&Call::none())
    .unwrap();
    let jwt = client
        .assertion(&TokenRequest::default(), &Call::none())
        .unwrap();
    assert_eq!(header(&jwt), documented["header"]);
    let claims = claims(&jwt);
    for name in ["aud", "exp", "iat"] {
        assert_eq!(claims[name], documented["payload"][name], "{name}");
    }
    assert_eq!(claims["iss"], claims["sub"]);
    assert!(uuid::Uuid::parse_str(text(&claims, "/jti")).is_ok());
    assert!(claims.get("nbf").is_none());
}

#[test]
fn a_registration_jwt_is_no_client_assertion() {
    let client = builder(
        r#"{"profile":"dnb","client_id":"c"}"#,
        signer(&p256_key()),
        now(),
    )
    .build(&Call::none())
    .unwrap();
    let claims = claims(&client.registration(&Call::none()).unwrap());
    for name in ["iss", "sub", "jti"] {
        assert!(
            claims.get(name).is_none(),
            "{name} would let it pass for a client assertion"
        );
    }
    assert_eq!(claims["aud"], "https://api.ciam.dnb.no/clients/v1");
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        2_592_000
    );
}

#[test]
fn an_assertion_needs_the_client_id_that_registration_gives() {
    let client = builder(r#"{"profile":"dnb"}"#, signer(&p256_key()), now())
        .build(&Call::none())
        .unwrap();
    assert!(client.registration(&Call::none()).is_ok());
    let error = client
        .assertion(&TokenRequest::default(), &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config, "{error}");
    assert_eq!(error.details().config_path.as_deref(), Some("client_id"));
}

#[test]
fn what_dnb_would_refuse_is_refused_here() {
    let cases = [
        (
            r#"{"profile":"dnb","client_id":"c","registration_lifetime_seconds":2592001}"#,
            "registration_lifetime_seconds",
        ),
        (
            r#"{"profile":"dnb","client_id":"c","lifetime_seconds":1201}"#,
            "lifetime_seconds",
        ),
        (
            r#"{"profile":"dnb","client_id":"c","environment":"test"}"#,
            "environment",
        ),
        (r#"{"profile":"dnb","client_id":"c","x5c":"leaf"}"#, "x5c"),
        (
            r#"{"profile":"dnb","client_id":"c","consumer_org":"910753614"}"#,
            "consumer_org",
        ),
    ];
    for (settings, path) in cases {
        let error = builder(settings, signer(&p256_key()), now())
            .build(&Call::none())
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config, "{settings}: {error}");
        assert_eq!(
            error.details().config_path.as_deref(),
            Some(path),
            "{error}"
        );
    }
    let error = builder(
        r#"{"profile":"dnb","client_id":"c"}"#,
        signer(&rsa_key()),
        now(),
    )
    .build(&Call::none())
    .unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyType, "{error}");
}
