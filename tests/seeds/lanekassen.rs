//! Lånekassen's samples of grants.

use segl::profiles::{self, ClientSettings};
use segl::{Call, ErrorCode, TokenRequest};
use serde_json::{Value, json};

use crate::support::{builder, claims, rsa_key, signer};
use crate::{number, sample, text};

/// The first sample with its commas where JSON wants them.
pub(crate) fn corrected() -> Value {
    let wrong = text(&sample!("lanekassen.json"), "grant").to_owned();
    let right = wrong
        .replace("saldoopplysninger\"\n", "saldoopplysninger\",\n")
        .replace("\",\n  }", "\"\n  }");
    serde_json::from_str(&right).unwrap()
}

fn settings(sample: &Value, more: Value) -> String {
    let mut settings = json!({
        "profile": "maskinporten", "environment": "test", "kid": "k", "client_id": sample["iss"],
        "scopes": [sample["scope"]], "backdate_seconds": 0,
    });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    settings.to_string()
}

#[test]
fn the_suppliers_grant_is_made_again_to_the_claim() {
    let sample = &sample!("lanekassen.json")["grant_of_supplier"];
    let more = json!({"consumer_org": sample["consumer_org"]});
    let client = builder(
        &settings(sample, more),
        signer(&rsa_key()),
        number(sample, "iat"),
    )
    .build(&Call::none())
    .unwrap();
    let jwt = client
        .assertion(&TokenRequest::default(), &Call::none())
        .unwrap();
    let mut ours = claims(&jwt);
    assert_ne!(ours["jti"], sample["jti"]);
    ours["jti"] = sample["jti"].clone();
    assert_eq!(&ours, sample);
}

#[test]
fn the_first_sample_is_no_json() {
    let grant = text(&sample!("lanekassen.json"), "grant").to_owned();
    assert!(serde_json::from_str::<Value>(&grant).is_err());
    let part = |text: &str| openssl::base64::encode_block(text.as_bytes()).replace('=', "");
    let jwt = format!(
        "{}.{}.",
        part("{}"),
        part(&grant).replace('+', "-").replace('/', "_")
    );
    let error = segl::jws::decode(&jwt).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(
        error.message().contains("payload is not a JSON object"),
        "{error}"
    );
}

#[test]
fn its_life_of_33_hours_is_no_setting() {
    let sample = corrected();
    let life = number(&sample, "exp") - number(&sample, "iat");
    assert_eq!(life, 120_000);
    let wrong = settings(&sample, json!({"lifetime_seconds": life}));
    let error = builder(&wrong, signer(&rsa_key()), number(&sample, "iat"))
        .build(&Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("lifetime_seconds")
    );
    assert!(error.message().contains("120"), "{error}");
}

#[test]
fn all_else_of_it_is_made_again() {
    let sample = corrected();
    let iat = number(&sample, "iat");
    let client = builder(&settings(&sample, json!({})), signer(&rsa_key()), iat)
        .build(&Call::none())
        .unwrap();
    let jwt = client
        .assertion(&TokenRequest::default(), &Call::none())
        .unwrap();
    let mut ours = claims(&jwt);
    assert_eq!(ours["exp"], iat + 120);
    ours["exp"] = sample["exp"].clone();
    ours["jti"] = sample["jti"].clone();
    assert_eq!(ours, sample);
}

#[test]
fn the_endpoint_that_is_shown_is_the_issuer() {
    let sample = sample!("lanekassen.json");
    let endpoint = text(&sample, "shown_token_endpoint");
    assert_eq!(corrected()["aud"], endpoint);
    let settings = ClientSettings::from_json(&settings(&corrected(), json!({}))).unwrap();
    let ours = profiles::token_endpoint(&settings).unwrap().to_string();
    assert_eq!(ours, format!("{endpoint}token"));
}

#[test]
fn the_endpoint_that_is_shown_is_no_setting() {
    let shown = &sample!("lanekassen.json")["shown_token_endpoint"];
    let wrong = settings(&corrected(), json!({"token_endpoint": shown}));
    let error = builder(&wrong, signer(&rsa_key()), 0)
        .build(&Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("token_endpoint")
    );
    assert!(
        error
            .message()
            .contains("https://test.maskinporten.no/token"),
        "{error}"
    );
}
