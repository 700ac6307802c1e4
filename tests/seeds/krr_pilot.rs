//! The rules of Oppslagstjenesten's pilot for the JWT of a token request, which
//! Maskinporten's are still.

use std::collections::BTreeSet;

use segl::{Call, ErrorCode, TokenRequest};
use serde_json::{Value, json};

use crate::support::{OrgId, builder, certificate, claims, header, now, rsa_key, signer};
use crate::{number, sample, text};

fn names(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::Object(members) => members.keys().map(String::as_str).collect(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

#[test]
fn header_and_claims_are_those_that_are_listed() {
    let rules = sample!("krr-pilot.json");
    let own = certificate(&rsa_key(), None, &OrgId::SerialNumber("910753614"), 10);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.pem");
    std::fs::write(&path, own.to_pem().unwrap()).unwrap();
    let settings = json!({
        "profile": "maskinporten", "issuer": rules["aud"], "client_id": "c", "scopes": ["a", "b"],
        "token_endpoint": format!("{}token", text(&rules, "aud")),
        "certificate": format!("file:{}", path.display()),
    });
    let client = builder(&settings.to_string(), signer(&rsa_key()), now())
        .build(&Call::none())
        .unwrap();
    let jwts: Vec<_> = (0..2)
        .map(|_| {
            client
                .assertion(&TokenRequest::default(), &Call::none())
                .unwrap()
        })
        .collect();
    for jwt in &jwts {
        let (header, claims) = (header(jwt), claims(jwt));
        assert_eq!(names(&header), names(&rules["header"]));
        assert_eq!(header["alg"], rules["alg"]);
        let der = openssl::base64::decode_block(header["x5c"][0].as_str().unwrap()).unwrap();
        assert_eq!(der, own.to_der().unwrap());
        assert_eq!(names(&claims), names(&rules["claims"]));
        assert_eq!(claims["aud"], rules["aud"]);
        assert_eq!(
            (&claims["iss"], &claims["scope"]),
            (&json!("c"), &json!("a b"))
        );
        let life = number(&claims, "exp") - number(&claims, "iat");
        assert!((1..=number(&rules, "longest_life_seconds")).contains(&life));
        assert!(
            (now() - number(&claims, "iat")).abs() < 10,
            "seconds since 1970, UTC"
        );
    }
    // "JWTs cannot be used again": two of the same second differ.
    assert_ne!(claims(&jwts[0])["jti"], claims(&jwts[1])["jti"]);
}

#[test]
fn what_the_rules_exclude_is_no_setting() {
    let rules = sample!("krr-pilot.json");
    let too_long = number(&rules, "longest_life_seconds") + 1;
    for (setting, value) in [
        ("lifetime_seconds", json!(too_long)),
        ("alg", json!("PS256")),
        ("alg", json!("ES256")),
    ] {
        let mut settings = json!({
            "profile": "maskinporten", "environment": "test", "client_id": "c", "kid": "k",
            "scopes": ["a"],
        });
        settings[setting] = value;
        let error = builder(&settings.to_string(), signer(&rsa_key()), now())
            .build(&Call::none())
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config, "{error}");
        assert_eq!(error.details().config_path.as_deref(), Some(setting));
    }
    let blanks = r#"{"profile":"maskinporten","client_id":"c","scopes":["a b"]}"#;
    let error = segl::profiles::ClientSettings::from_json(blanks).unwrap_err();
    assert!(error.message().contains("as a list"), "{error}");
}
