//! What becomes of registered keys.

use segl::apis::{KeyAction, KeyChange, RegisteredKeys, WantedKey};
use segl::clock::UnixTime;
use segl::{Algorithm, Call, ErrorCode, Result};
use serde_json::{Value, json};

use crate::registration::scripted;
use crate::support::{p256_key, signer};
use crate::world::{DAY, NEW_KEY, OLD_KEY, bank, jwk, wanted};

const NOW: i64 = 1_790_000_000;

/// What the API shows: each `kid` with the days that its key has left.
fn registered(keys: &[(&str, i64)]) -> RegisteredKeys {
    let keys: Vec<Value> = keys
        .iter()
        .map(|(kid, days)| {
            let mut jwk = jwk(kid, &OLD_KEY);
            jwk["exp"] = json!(NOW + days * DAY);
            jwk
        })
        .collect();
    let body = json!({ "keys": keys }).to_string();
    scripted(&[(200, &body)])
        .registered_keys(&bank(), &Call::none())
        .unwrap()
}

fn plan(registered: &RegisteredKeys, wanted: &[WantedKey], remove: &[&str]) -> Result<KeyChange> {
    let remove: Vec<_> = remove.iter().map(|kid| (*kid).to_owned()).collect();
    KeyChange::plan(registered, wanted, &remove, UnixTime::from_seconds(NOW))
}

fn refusal(registered: &RegisteredKeys, wanted: &[WantedKey], remove: &[&str]) -> String {
    let error = plan(registered, wanted, remove).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(!error.message().contains("  "), "{error}");
    error.message().to_owned()
}

fn actions(change: &KeyChange) -> Vec<(&str, KeyAction)> {
    let keys = change.keys().iter();
    keys.map(|key| (key.kid.as_str(), key.action)).collect()
}

#[test]
fn every_key_has_its_fate() {
    let before = registered(&[("a", 10), ("b", -10), ("c", 20)]);
    let change = plan(
        &before,
        &[wanted("c", &OLD_KEY), wanted("d", &NEW_KEY)],
        &["b"],
    )
    .unwrap();
    assert_eq!(
        actions(&change),
        [
            ("a", KeyAction::Kept),
            ("b", KeyAction::Removed),
            ("c", KeyAction::Renewed),
            ("d", KeyAction::Added),
        ]
    );
    let sent: Vec<_> = change.jwks().into_iter().map(Value::Object).collect();
    assert_eq!(
        sent,
        [jwk("a", &OLD_KEY), jwk("c", &OLD_KEY), jwk("d", &NEW_KEY)]
    );
    assert_eq!(change.keys()[0].exp.unwrap().seconds(), NOW + 10 * DAY);
    assert_eq!(change.keys()[3].exp, None);
}

#[test]
fn a_kept_key_is_sent_with_all_that_the_api_wants_today() {
    let mut old = jwk("a", &OLD_KEY);
    for member in ["use", "alg"] {
        old.as_object_mut().unwrap().remove(member);
    }
    old["x5c"] = json!(["AA=="]);
    old["exp"] = json!(NOW);
    let body = json!({ "keys": [old] }).to_string();
    let before = scripted(&[(200, &body)])
        .registered_keys(&bank(), &Call::none())
        .unwrap();
    let change = plan(&before, &[wanted("n", &NEW_KEY)], &[]).unwrap();
    let mut expected = jwk("a", &OLD_KEY);
    expected["x5c"] = json!(["AA=="]);
    assert_eq!(Value::Object(change.jwks()[0].clone()), expected);
}

#[test]
fn a_key_on_two_tokens_is_registered_once() {
    let twice = [wanted("a", &OLD_KEY), wanted("a", &OLD_KEY)];
    for before in [registered(&[]), registered(&[("a", 10)])] {
        assert_eq!(plan(&before, &twice, &[]).unwrap().jwks().len(), 1);
    }
}

#[test]
fn more_than_five_keys_are_refused_with_those_that_could_go() {
    let before = registered(&[
        ("young", 300),
        ("expired", -3),
        ("old", 20),
        ("own", 5),
        ("older", 10),
    ]);
    let keys = [wanted("own", &OLD_KEY), wanted("new", &NEW_KEY)];
    let text = refusal(&before, &keys, &[]);
    assert!(
        text.contains("remove 1 of these with --remove: expired (expired 20"),
        "{text}"
    );
    let places: Vec<_> = ["expired (", "older (", "old (", "young ("]
        .map(|kid| text.find(kid).unwrap())
        .to_vec();
    assert!(places.is_sorted(), "{text}");
    assert!(
        !text.contains("own ("),
        "the client's own key is not offered: {text}"
    );
    assert_eq!(plan(&before, &keys, &["expired"]).unwrap().jwks().len(), 5);
}

#[test]
fn contradictions_are_refused() {
    let before = registered(&[("a", 10), ("b", 10)]);
    let clash = refusal(&before, &[wanted("a", &NEW_KEY)], &[]);
    assert!(
        clash.contains("\"a\" is registered with another key"),
        "{clash}"
    );
    let two = refusal(
        &before,
        &[wanted("n", &NEW_KEY), wanted("n", &OLD_KEY)],
        &[],
    );
    assert!(two.contains("two of the client's keys"), "{two}");
    let none = refusal(&before, &[wanted("n", &NEW_KEY)], &["typo"]);
    assert!(
        none.contains("no registered key \"typo\"") && none.contains("a, b"),
        "{none}"
    );
    let both = refusal(&before, &[wanted("a", &OLD_KEY)], &["a"]);
    assert!(both.contains("is to be removed"), "{both}");
    let nothing = refusal(&before, &[], &["a", "b"]);
    assert!(nothing.contains("no key would be left"), "{nothing}");
}

#[test]
fn keys_that_maskinporten_cannot_use_are_no_wanted_keys() {
    let rsa = signer(&OLD_KEY).public_key().clone();
    let ec = signer(&p256_key()).public_key().clone();
    let code = |kid: &str, key, alg| WantedKey::new(kid, key, alg).unwrap_err().code();
    assert_eq!(code("a", ec, Algorithm::ES256), ErrorCode::KeyType);
    assert_eq!(
        code("a", rsa.clone(), Algorithm::PS256),
        ErrorCode::Algorithm
    );
    for kid in ["", "a b", "a/b", "æ"] {
        assert_eq!(
            code(kid, rsa.clone(), Algorithm::RS256),
            ErrorCode::InvalidArgument,
            "{kid}"
        );
    }
    assert!(WantedKey::new("A.b_c-9", rsa, Algorithm::RS512).is_ok());
}
