//! Whatever is sent: nothing panics, and nothing is accepted that the issuer did not sign.

use std::sync::LazyLock;

use proptest::prelude::*;
use segl::{Call, ErrorCode, Requirements};
use serde_json::{Value, json};

use crate::support::rsa_key;
use crate::world::{Issuer, NOW, World, claims, jwk, token, token_with};

static WORLD: LazyLock<World> = LazyLock::new(World::new);
static TOKEN: LazyLock<String> = LazyLock::new(|| token(&rsa_key(), &claims(|_| {})));

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!(NOW)),
        Just(json!("0192:910753614")),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(name(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "iss",
            "exp",
            "iat",
            "nbf",
            "jti",
            "scope",
            "aud",
            "consumer",
            "supplier",
            "authority",
            "ID",
            "pid",
            "cnf",
            "jkt",
            "alg",
            "kid",
            "crit",
            "keys",
            "kty",
            "n",
            "e",
            "use",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ]
}

/// Every refusal is one of a token.
fn is_refusal(code: ErrorCode) -> bool {
    (700..730).contains(&code.number())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_refused(text in prop_oneof![any::<String>(), "[A-Za-z0-9_.-]{0,200}", "(ey[A-Za-z0-9_-]{0,40}\\.){2}[A-Za-z0-9_-]{0,40}"]) {
        let error = WORLD.check(&text, "{}").unwrap_err();
        prop_assert!(is_refusal(error.code()), "{}", error);
    }

    #[test]
    fn a_changed_token_is_refused(at in any::<prop::sample::Index>(), with in prop::char::range('!', '~'), length in 0usize..3) {
        let mut text: Vec<char> = TOKEN.chars().collect();
        let at = at.index(text.len());
        text.splice(at..(at + length).min(text.len()), [with]);
        let text: String = text.into_iter().collect();
        if text != *TOKEN {
            let error = WORLD.check(&text, "{}").unwrap_err();
            prop_assert!(is_refusal(error.code()), "{}", error);
        }
    }

    #[test]
    fn any_signed_claims_are_read_or_refused(members in prop::collection::hash_map(name(), json_value(), 0..6)) {
        let claims = claims(|claims| {
            for (name, value) in &members {
                claims[name] = value.clone();
            }
        });
        match WORLD.check(&token(&rsa_key(), &claims), "{}") {
            Ok(token) => {
                let json = token.to_json().unwrap();
                // Numbers beyond the range of a double are read as such.
                prop_assert!(json["claims"].is_object());
                prop_assert_eq!(token.issuer(), claims["iss"].as_str().unwrap());
            }
            Err(error) => prop_assert!(is_refusal(error.code()), "{}", error),
        }
    }

    #[test]
    fn any_header_is_read_or_refused(members in prop::collection::hash_map(name(), json_value(), 0..5)) {
        let mut header = json!({"alg": "RS256", "kid": "k"});
        for (name, value) in members.into_iter().filter(|(name, _)| name != "alg" && name != "crit") {
            header[name] = value;
        }
        let is_own_kid = header["kid"] == "k";
        match WORLD.check(&token_with(&rsa_key(), &header, &claims(|_| {})), "{}") {
            Ok(_) => prop_assert!(is_own_kid),
            Err(error) => {
                prop_assert!(is_refusal(error.code()), "{}", error);
                prop_assert!(!is_own_kid, "{}", error);
            }
        }
    }

    #[test]
    fn any_set_of_keys_is_read_or_refused(keys in prop::collection::vec(json_value(), 0..5), has_good in any::<bool>()) {
        let mut keys = keys;
        if has_good {
            keys.push(jwk(&rsa_key(), "k"));
        }
        let world = World::of(r#"{"environment":"test"}"#, Issuer::new(&keys));
        match world.check(&TOKEN, "{}") {
            Ok(_) => prop_assert!(has_good),
            Err(error) => {
                prop_assert!(!has_good, "{}", error);
                prop_assert_eq!(error.code(), ErrorCode::JwksInvalid);
            }
        }
    }

    #[test]
    fn any_requirements_are_read_or_refused(text in prop_oneof![json_value().prop_map(|value| value.to_string()), any::<String>()]) {
        if let Ok(requirements) = Requirements::from_json(&text) {
            let _ = WORLD.validator.check(&TOKEN, &requirements, &Call::none());
        }
    }
}
