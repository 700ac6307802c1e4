//! Texts that are no token, and headers that lie.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use segl::ErrorCode;
use serde_json::{Value, json};

use crate::rows::check_rows;
use crate::support::{p256_key, rsa_key};
use crate::world::{Issuer, World, assert_refused, claims, jwk, token, token_with};

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// A token with this header and no good signature.
fn unsigned(header: &str, signature: &str) -> String {
    let claims = claims(|_| {}).to_string();
    format!("{}.{}.{signature}", encode(header), encode(&claims))
}

#[test]
fn texts_that_are_no_token_are_malformed() {
    let world = World::new();
    let good = token(&rsa_key(), &claims(|_| {}));
    let (input, signature) = good.rsplit_once('.').unwrap();
    for text in [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        "a.b".into(),
        format!("{good}.x"),
        format!("Bearer {good}"),
        format!("{good} "),
        format!("{good}="),
        format!("{input}.{signature}AAA"),
        format!("{input}.{}", "A".repeat(2000)),
        unsigned("[]", "AAAA"),
        unsigned("\"alg\"", "AAAA"),
        unsigned("{\"alg\":\"RS256\"", "AAAA"),
        unsigned("{\"kid\":\"k\"}", "AAAA"),
        unsigned("{\"alg\":1}", "AAAA"),
        unsigned(
            "{\"alg\":\"RS256\",\"alg\":\"RS256\",\"kid\":\"k\"}",
            "AAAA",
        ),
        unsigned("{\"alg\":\"RS256\",\"kid\":7}", "AAAA"),
        format!("{}.{}", "é".repeat(10), "a.b"),
        "a".repeat(40_000),
    ] {
        let error = world.check(&text, "{}").unwrap_err();
        assert_refused(&error, ErrorCode::AccessTokenMalformed);
    }
}

#[test]
fn a_payload_that_is_signed_but_no_claims_is_malformed() {
    let world = World::new();
    let signer = crate::support::signer(&rsa_key());
    for payload in [
        &b"[]"[..],
        b"",
        b"7",
        b"{",
        b"\xff",
        b"{\"iss\":\"\xff\"}",
        b"{} {}",
    ] {
        let token = segl::jws::sign_json(
            signer.as_ref(),
            r#"{"alg":"RS256","kid":"k"}"#,
            payload,
            &segl::Call::none(),
        )
        .unwrap();
        let error = world.check(&token, "{}").unwrap_err();
        assert_refused(&error, ErrorCode::AccessTokenMalformed);
    }
}

#[test]
fn algorithms_that_prove_nothing_are_refused() {
    let world = World::new();
    for alg in [
        "none", "None", "NONE", "", "HS256", "HS512", "RS1", "EdDSA", "rs256", "RS256 ", "ES256",
    ] {
        let header = json!({"alg": alg, "kid": "k"}).to_string();
        let error = world.check(&unsigned(&header, ""), "{}").unwrap_err();
        assert_refused(&error, ErrorCode::AccessTokenAlgorithm);
    }
    assert_eq!(world.issuer.requests(), 0);
}

#[test]
fn the_public_key_is_no_secret_to_sign_with() {
    let world = World::new();
    let public = rsa_key().public_key_to_pem().unwrap();
    let header = encode(r#"{"alg":"HS256","kid":"k"}"#);
    let input = format!("{header}.{}", encode(&claims(|_| {}).to_string()));
    let key = PKey::hmac(&public).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    signer.update(input.as_bytes()).unwrap();
    let token = format!(
        "{input}.{}",
        URL_SAFE_NO_PAD.encode(signer.sign_to_vec().unwrap())
    );
    let error = world.check(&token, "{}").unwrap_err();
    assert_refused(&error, ErrorCode::AccessTokenAlgorithm);
}

#[test]
fn a_key_in_the_header_is_not_the_issuers() {
    let world = World::new();
    let forger = &crate::world::OTHER_RSA;
    let own = jwk(forger, "k");
    for extra in [
        json!({"jwk": own}),
        json!({"jku": "https://forger.example/jwk"}),
        json!({"x5u": "https://forger.example/x"}),
    ] {
        let mut header = json!({"alg": "RS256", "kid": "k"});
        for (name, value) in extra.as_object().unwrap() {
            header[name] = value.clone();
        }
        let error = world
            .check(&token_with(forger, &header, &claims(|_| {})), "{}")
            .unwrap_err();
        assert_refused(&error, ErrorCode::AccessTokenSignature);
        // What it says beside a right signature makes no difference.
        world
            .check(&token_with(&rsa_key(), &header, &claims(|_| {})), "{}")
            .unwrap();
    }
}

#[test]
fn extensions_of_jws_are_refused() {
    let world = World::new();
    for extra in [
        json!({"crit": ["exp"]}),
        json!({"crit": null}),
        json!({"b64": false}),
        json!({"b64": true}),
    ] {
        let mut header = json!({"alg": "RS256", "kid": "k"});
        for (name, value) in extra.as_object().unwrap() {
            header[name] = value.clone();
        }
        let error = world
            .check(&unsigned(&header.to_string(), "AAAA"), "{}")
            .unwrap_err();
        assert_refused(&error, ErrorCode::AccessTokenMalformed);
        assert!(error.message().contains("crit"), "{error}");
    }
}

#[test]
fn a_jwt_of_another_kind_is_no_access_token() {
    let world = World::new();
    let check = |typ: &Value| {
        let header = json!({"alg": "RS256", "kid": "k", "typ": typ});
        world.check(&token_with(&rsa_key(), &header, &claims(|_| {})), "{}")
    };
    for typ in [
        json!("JWT"),
        json!("jwt"),
        json!("application/jwt"),
        json!("at+jwt"),
        json!("AT+JWT"),
        json!("application/at+jwt"),
        json!("JOSE"),
        Value::Null,
    ] {
        check(&typ).unwrap();
    }
    // What issuers sign with the same keys (RFC 8725 section 3.11).
    for typ in [
        json!("logout+jwt"),
        json!("dpop+jwt"),
        json!("secevent+jwt"),
        json!("application/token-introspection+jwt"),
        json!("client-authentication+jwt"),
        json!(""),
        json!(7),
        json!(["at+jwt"]),
    ] {
        let error = check(&typ).unwrap_err();
        assert_refused(&error, ErrorCode::AccessTokenMalformed);
        assert!(error.message().contains("typ"), "{error}");
    }
}

#[test]
fn a_key_of_another_type_signs_nothing() {
    let issuer = Issuer::new(&[jwk(&p256_key(), "k")]);
    let world = World::of(
        r#"{"environment":"test","algorithms":["RS256","ES256"]}"#,
        issuer,
    );
    let error = world
        .check(&token(&rsa_key(), &claims(|_| {})), "{}")
        .unwrap_err();
    assert_refused(&error, ErrorCode::AccessTokenSignature);
}

#[test]
fn signatures_of_another_form_are_wrong() {
    let issuer = Issuer::new(&[jwk(&p256_key(), "k")]);
    let world = World::of(r#"{"environment":"test","algorithms":["ES256"]}"#, issuer);
    let header = json!({"alg": "ES256", "kid": "k"});
    let good = token_with(&p256_key(), &header, &claims(|_| {}));
    let (input, signature) = good.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (r, s) = signature.split_at(32);
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order = BigNum::from_hex_str(order).unwrap().to_vec();
    let number = |octets: &[u8]| BigNum::from_slice(octets).unwrap();
    let der = EcdsaSig::from_private_components(number(r), number(s)).unwrap();
    let zero = [0; 32];
    let rows = [
        ("none", Vec::new()),
        ("zeros", [zero, zero].concat()),
        ("r is 0", [&zero, s].concat()),
        ("s is 0", [r, &zero].concat()),
        ("r is the order", [&order, s].concat()),
        ("s is the order", [r, &order].concat()),
        ("one octet less", signature[..63].to_vec()),
        ("one octet more", [&signature[..], &[0]].concat()),
        ("r alone", r.to_vec()),
        ("changed places", [s, r].concat()),
        ("padded to 48", [&[0; 16], r, &[0; 16], s].concat()),
        ("DER", der.to_der().unwrap()),
    ];
    world.check(&good, "{}").unwrap();
    check_rows(rows, |(_, signature)| {
        let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature));
        let error = world.check(&token, "{}").unwrap_err();
        assert_refused(&error, ErrorCode::AccessTokenSignature);
    });
}

#[test]
fn each_text_of_a_token_is_the_only_one() {
    let world = World::new();
    // 256 octets are 342 characters, the last of which has four bits that say nothing.
    let good = token(&rsa_key(), &claims(|_| {}));
    let (start, last) = good.split_at(good.len() - 1);
    let alphabet = ('A'..='Z')
        .chain('a'..='z')
        .chain('0'..='9')
        .chain(['-', '_', '+', '/', '=']);
    let accepted: String = alphabet
        .filter(|other| world.check(&format!("{start}{other}"), "{}").is_ok())
        .collect();
    assert_eq!(accepted, last);
}

#[test]
fn depth_is_bounded_where_it_is_kept() {
    let world = World::new();
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    for depth in [200, 15_000] {
        let header = format!(r#"{{"alg":"RS256","kid":"k","jwk":{}}}"#, deep(depth));
        let error = world.check(&unsigned(&header, "AAAA"), "{}").unwrap_err();
        let code = match encode(&header).len() < 32_000 {
            true => ErrorCode::AccessTokenSignature,
            false => ErrorCode::AccessTokenMalformed,
        };
        assert_refused(&error, code);
    }
    let payload = claims(|_| {}).to_string();
    let payload = payload.strip_suffix('}').unwrap();
    for name in ["authorization_details", "cnf", "consumer", "aud"] {
        let payload = format!("{payload},\"{name}\":{}}}", deep(5_000));
        let token = segl::jws::sign_json(
            crate::support::signer(&rsa_key()).as_ref(),
            r#"{"alg":"RS256","kid":"k"}"#,
            payload.as_bytes(),
            &segl::Call::none(),
        );
        let error = world.check(&token.unwrap(), "{}").unwrap_err();
        assert_refused(&error, ErrorCode::AccessTokenMalformed);
    }
}
