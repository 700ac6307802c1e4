//! The issuer's keys: which of them verify, how they are found, and when they are read anew.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use segl::ErrorCode;
use serde_json::{Value, json};

use crate::rows::check_rows;
use crate::support::{p256_key, rsa_key};
use crate::world::{
    Issuer, OTHER_RSA, World, assert_refused, claims, eventually, jwk, token, token_with,
};

pub const DAY: u64 = 24 * 3600;

pub fn good() -> String {
    token(
        &rsa_key(),
        &claims(|claims| claims["exp"] = 4_000_000_000i64.into()),
    )
}

/// A token of another key, under this kid.
pub fn others(kid: &str) -> String {
    token_with(
        &OTHER_RSA,
        &json!({"alg": "RS256", "kid": kid}),
        &claims(|claims| claims["exp"] = 4_000_000_000i64.into()),
    )
}

#[test]
fn keys_are_read_once_for_any_number_of_checks() {
    let world = World::new();
    for _ in 0..100 {
        world.check(&good(), "{}").unwrap();
    }
    assert_eq!(world.issuer.requests(), 2);
}

#[test]
fn who_checks_first_at_the_same_time_waits_for_one_reading() {
    let world = World::new();
    world.issuer.set_gate(false);
    let accepted = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                world.check(&good(), "{}").unwrap();
                accepted.fetch_add(1, Ordering::SeqCst);
            });
        }
        eventually("somebody asks", || world.issuer.requests() > 0);
        thread::sleep(Duration::from_millis(50));
        assert_eq!(accepted.load(Ordering::SeqCst), 0);
        world.issuer.set_gate(true);
    });
    assert_eq!(world.issuer.requests(), 2);
}

#[test]
fn a_new_key_is_read_when_it_is_first_used() {
    let world = World::new();
    world.check(&good(), "{}").unwrap();
    world
        .issuer
        .publish(&[jwk(&rsa_key(), "k"), jwk(&OTHER_RSA, "next")]);
    world.check(&others("next"), "{}").unwrap();
    world.check(&good(), "{}").unwrap();
    assert_eq!(world.issuer.fetches(), 2);
    // The old key is withdrawn, which is seen at the next reading.
    world.issuer.publish(&[jwk(&OTHER_RSA, "next")]);
    world.clock.advance(Duration::from_secs(DAY));
    world.check(&others("next"), "{}").unwrap();
    eventually("the keys are read anew", || {
        world.check(&good(), "{}").is_err()
    });
    let error = world.check(&good(), "{}").unwrap_err();
    assert_refused(&error, ErrorCode::AccessTokenKeyUnknown);
}

#[test]
fn keys_that_segl_cannot_use_are_skipped() {
    let key = jwk(&rsa_key(), "k");
    let with = |name: &str, value: Value| {
        let mut key = key.clone();
        key[name] = value;
        key
    };
    let mut without_use = key.clone();
    without_use.as_object_mut().unwrap().remove("use");
    let private = json!({"kty": "oct", "kid": "k", "k": "c2VjcmV0", "use": "sig"});
    let odd = [
        json!("text"),
        json!(null),
        json!({}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "k"}),
        json!({"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB"}),
        with("n", json!("!!")),
        private,
    ];
    for usable in [
        key.clone(),
        without_use,
        // The key's own alg is no filter: it signs what its type can sign.
        with("alg", json!("RS512")),
        with("use", json!(null)),
        with("key_ops", json!(["sign", "verify"])),
        // As some programs write what is not there.
        with("key_ops", json!([])),
        with("key_ops", json!(null)),
        with("x5c", json!(["not a certificate"])),
    ] {
        let mut keys = odd.to_vec();
        keys.push(usable);
        let world = World::of(r#"{"environment":"test"}"#, Issuer::new(&keys));
        world.check(&good(), "{}").unwrap();
    }
}

#[test]
fn keys_that_prove_nothing_are_skipped() {
    let key = jwk(&rsa_key(), "k");
    let with = |name: &str, value: Value| {
        let mut key = key.clone();
        key[name] = value;
        key
    };
    let with_exponent = |e: &[u8]| with("e", json!(URL_SAFE_NO_PAD.encode(e)));
    let mut long = [0xff; 9];
    long[0] = 1;
    let weak = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
    let weak = json!({
        "kty": "RSA", "kid": "k", "use": "sig", "e": "AQAB",
        "n": URL_SAFE_NO_PAD.encode(weak.rsa().unwrap().n().to_vec()),
    });
    let rows = [
        ("encrypts", with("use", json!("enc"))),
        ("use in capitals", with("use", json!("SIG"))),
        ("wraps keys", with("key_ops", json!(["encrypt", "wrapKey"]))),
        ("key_ops a text", with("key_ops", json!("verify"))),
        ("private", with("d", json!("AQAB"))),
        ("no EC key", with("kty", json!("EC"))),
        ("kid in capitals", with("kid", json!("K"))),
        ("exponent 1", with_exponent(&[1])),
        ("exponent 01", with_exponent(&[0, 1])),
        ("exponent 2", with_exponent(&[2])),
        ("exponent 0", with_exponent(&[0])),
        ("exponent of 65 bits", with_exponent(&long)),
        ("1024 bits", weak),
    ];
    check_rows(rows, |(_, key)| {
        let issuer = Issuer::new(&[key.clone(), jwk(&OTHER_RSA, "other")]);
        let world = World::of(r#"{"environment":"test"}"#, issuer);
        let error = world.check(&good(), "{}").unwrap_err();
        assert_refused(&error, ErrorCode::AccessTokenKeyUnknown);
        world.check(&others("other"), "{}").unwrap();
    });
}

#[test]
fn keys_with_one_kid_are_all_tried() {
    let keys = [
        jwk(&p256_key(), "k"),
        jwk(&OTHER_RSA, "k"),
        jwk(&rsa_key(), "k"),
    ];
    let world = World::of(r#"{"environment":"test"}"#, Issuer::new(&keys));
    for _ in 0..3 {
        world.check(&good(), "{}").unwrap();
        world.check(&others("k"), "{}").unwrap();
    }
}

#[test]
fn keys_without_kid_are_for_tokens_without_kid() {
    let anonymous = |key| {
        let mut jwk = jwk(key, "k");
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    };
    let claims = claims(|_| {});
    let without_kid = |key| token_with(key, &json!({"alg": "RS256"}), &claims);
    let rsa = rsa_key();

    let world = World::of(r#"{"environment":"test"}"#, Issuer::new(&[anonymous(&rsa)]));
    world.check(&without_kid(&rsa), "{}").unwrap();
    let error = world.check(&good(), "{}").unwrap_err();
    assert_refused(&error, ErrorCode::AccessTokenKeyUnknown);

    let world = World::new();
    let error = world.check(&without_kid(&rsa), "{}").unwrap_err();
    assert_refused(&error, ErrorCode::AccessTokenKeyUnknown);

    // Nothing but a wrong signature tells that such a key was replaced.
    let world = World::of(
        r#"{"environment":"test"}"#,
        Issuer::new(&[anonymous(&OTHER_RSA)]),
    );
    let error = world.check(&without_kid(&rsa), "{}").unwrap_err();
    assert_refused(&error, ErrorCode::AccessTokenSignature);
    world.clock.advance(Duration::from_secs(30));
    world.issuer.publish(&[anonymous(&rsa)]);
    world.check(&without_kid(&rsa), "{}").unwrap();
    // The same when tokens of the key that was replaced have been seen.
    world.clock.advance(Duration::from_secs(30));
    world.issuer.publish(&[anonymous(&OTHER_RSA)]);
    world.check(&without_kid(&OTHER_RSA), "{}").unwrap();
}

#[test]
fn a_set_of_keys_is_bounded() {
    let mut keys = vec![jwk(&OTHER_RSA, "other"); 64];
    keys.push(jwk(&rsa_key(), "k"));
    let world = World::of(r#"{"environment":"test"}"#, Issuer::new(&keys));
    let error = world.check(&good(), "{}").unwrap_err();
    assert_refused(&error, ErrorCode::AccessTokenKeyUnknown);
    keys.swap(0, 64);
    let world = World::of(r#"{"environment":"test"}"#, Issuer::new(&keys));
    world.check(&good(), "{}").unwrap();
}
