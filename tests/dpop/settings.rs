//! What the settings may say.

use segl::profiles::ClientSettings;
use segl::{ErrorCode, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::SETTINGS;
use crate::call;
use crate::support::{ScriptedTransport, json_answer, p256_key, signer};

fn refused(settings: &Value, with_dpop_signer: bool) -> (ErrorCode, String) {
    let mut builder =
        TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap());
    if settings.get("keys").is_none() {
        builder = builder.signer(signer(&p256_key()));
    }
    if with_dpop_signer {
        builder = builder.dpop_signer(signer(&p256_key()));
    }
    let error = builder.build(&call()).unwrap_err();
    let path = error.details().config_path.clone();
    (error.code(), path.unwrap_or_else(|| panic!("{error}")))
}

#[test]
fn what_cannot_be_is_named() {
    let base: Value = serde_json::from_str(SETTINGS).unwrap();
    let with = |name: &str, value: Value| {
        let mut settings = base.clone();
        settings[name] = value;
        settings
    };
    let mut several = with(
        "keys",
        json!([{"key": "file:/none/a", "kid": "a"}, {"key": "file:/none/b", "kid": "b"}]),
    );
    several.as_object_mut().unwrap().remove("kid");
    let named = |path: &str| (ErrorCode::Config, path.to_owned());
    assert_eq!(refused(&several, false), named("dpop.key"));
    let file = json!({"key": "file:/none/c"});
    assert_eq!(refused(&with("dpop", file), true), named("dpop.key"));
    for alg in ["RS256", "HS256", "none"] {
        let settings = with("dpop", json!({ "alg": alg }));
        assert_eq!(refused(&settings, false), named("dpop.alg"), "{alg}");
    }
}

#[test]
fn services_without_dpop_refuse_it() {
    let more = json!({"client_id": "c", "kid": "k"});
    for (profile, environment) in [
        ("maskinporten", json!("test")),
        ("skyporten", json!("test")),
        ("dnb", Value::Null),
    ] {
        let mut settings = more.clone();
        settings["profile"] = json!(profile);
        settings["environment"] = environment;
        settings["token_endpoint"] = match profile {
            "dnb" => json!("https://bank.example/token"),
            _ => Value::Null,
        };
        assert_eq!(refused(&settings, true).1, "dpop", "{profile}");
        settings["dpop"] = json!({});
        assert_eq!(refused(&settings, false).1, "dpop", "{profile}");
    }
}

#[test]
fn a_refused_proof_is_held_against_the_algorithms_of_the_metadata() {
    for (listed, is_told) in [
        (json!(["PS256", "EdDSA"]), true),
        (json!(["ES256"]), false),
        (Value::Null, false),
    ] {
        let mut settings: Value = serde_json::from_str(SETTINGS).unwrap();
        settings["token_endpoint"] = Value::Null;
        settings["discovery"] = json!(true);
        let metadata = json!({
            "issuer": "https://as.example", "token_endpoint": "https://as.example/token",
            "dpop_signing_alg_values_supported": listed,
        });
        let client =
            TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
                .signer(signer(&p256_key()))
                .transport(ScriptedTransport::answering([
                    json_answer(200, &metadata.to_string()),
                    json_answer(400, r#"{"error":"invalid_dpop_proof"}"#),
                ]))
                .build(&call())
                .unwrap();
        let error = client.token(&TokenRequest::default(), &call()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::TokenDpopProofRefused);
        let told = "signed with ES256, and the server's metadata list PS256, EdDSA";
        assert_eq!(error.message().contains(told), is_told, "{error}");
    }
}
