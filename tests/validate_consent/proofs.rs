//! Tokens that are bound to a key (RFC 9449 sections 4.3 and 7).

use std::sync::LazyLock;

use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;
use proptest::prelude::*;
use segl::{Error, ErrorCode};
use serde_json::{Value, json};

use crate::rows::check_rows;
use crate::support::{ec_key, rsa_key};
use crate::world::{
    NOW, World, base64url, claims, ec_jwk, jws, jws_of, rsa_jwk, sender_key, thumbprint, token,
};

const URL: &str = "https://api.bank.example/saldo/v1";

static OTHER_KEY: LazyLock<PKey<Private>> = LazyLock::new(|| ec_key(Nid::X9_62_PRIME256V1));

/// A token that is bound to the sender's key.
fn bound() -> String {
    let mut claims = claims();
    claims["cnf"] = json!({ "jkt": thumbprint(&sender_key()) });
    claims["token_type"] = "DPoP".into();
    token(&claims)
}

fn header() -> Value {
    json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": ec_jwk(&sender_key()) })
}

fn proof_claims(token: &str) -> Value {
    json!({
        "jti": uuid::Uuid::new_v4().to_string(),
        "htm": "GET",
        "htu": URL,
        "iat": NOW,
        "ath": base64url(sha256(token.as_bytes())),
    })
}

fn required(proof: &str) -> Value {
    json!({ "dpop": { "proof": proof, "method": "GET", "url": format!("{URL}?page=2#top") } })
}

fn check(world: &World, token: &str, proof: &str) -> Result<(), Error> {
    world.check_token(token, &required(proof)).map(|_| ())
}

fn refused(error: &Error, word: &str) {
    assert_eq!(error.details().http_status, Some(401), "{error}");
    assert_eq!(
        error.details().oauth_error.as_deref(),
        Some(word),
        "{error}"
    );
}

#[test]
fn a_proof_by_the_key_that_the_token_is_bound_to() {
    let world = World::new();
    let token = bound();
    let claims = proof_claims(&token);
    check(&world, &token, &jws(&header(), &claims, &sender_key())).unwrap();
}

#[test]
fn urls_are_normalised() {
    let world = World::new();
    let token = bound();
    for htu in [
        "HTTPS://API.bank.example:443/saldo/v1",
        "https://api.bank.example/saldo/x/../v1",
        "https://api.bank.example/s%61ldo/v1",
    ] {
        let mut claims = proof_claims(&token);
        claims["htu"] = htu.into();
        check(&world, &token, &jws(&header(), &claims, &sender_key())).unwrap();
    }
}

#[test]
fn each_fault_of_a_proof_is_named() {
    let world = World::new();
    let token = bound();
    let of = |name: &str, value: Value| {
        let mut claims = proof_claims(&token);
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims
                .as_object_mut()
                .unwrap()
                .insert(name.to_owned(), value),
        };
        jws(&header(), &claims, &sender_key())
    };
    let headed = |name: &str, value: Value, key: &PKey<Private>| {
        let mut header = header();
        header[name] = value;
        jws(&header, &proof_claims(&token), key)
    };
    let mut private = ec_jwk(&sender_key());
    private["d"] = "AAAA".into();
    let good = of("x", json!(1));
    let twice = format!("{{\"jti\":\"a\",{}", &proof_claims(&token).to_string()[1..]);
    let cases = [
        (String::new(), "no header DPoP"),
        ("a.b".to_owned(), "malformed"),
        (format!("{good}, {good}"), "malformed"),
        ("x".repeat(20_000), "too long"),
        (jws_of(&header(), &twice, &sender_key()), "malformed"),
        (headed("typ", json!("JWT"), &sender_key()), "typ"),
        (headed("typ", Value::Null, &sender_key()), "typ"),
        (headed("alg", json!("none"), &sender_key()), "alg"),
        (headed("alg", json!("HS256"), &sender_key()), "alg"),
        (headed("alg", json!("ES384"), &sender_key()), "signature"),
        (headed("jwk", Value::Null, &sender_key()), "jwk is missing"),
        (headed("jwk", private, &sender_key()), "private"),
        (headed("crit", json!(["x"]), &sender_key()), "critical"),
        (
            jws(&header(), &proof_claims(&token), &OTHER_KEY),
            "signature",
        ),
        (of("htm", Value::Null), "htm is missing"),
        (of("htm", json!("get")), "htm is not"),
        (of("htm", json!("POST")), "htm is not"),
        (of("htu", Value::Null), "htu is missing"),
        (of("htu", json!("/saldo/v1")), "htu is not an absolute URL"),
        (
            of("htu", json!(format!("{URL}/"))),
            "htu is not the request's",
        ),
        (of("htu", json!(format!("{URL}?page=2"))), "query"),
        (of("htu", json!(format!("{URL}#top"))), "fragment"),
        (of("iat", Value::Null), "iat is missing"),
        (of("iat", json!("1790000000")), "a number of seconds"),
        (of("iat", json!(NOW as f64 - 70.5)), "too old"),
        (of("iat", json!(NOW as f64 + 11.0)), "future"),
        (of("iat", json!(1e300)), "future"),
        (of("iat", json!(-1e300)), "too old"),
        (of("iat", json!(NOW - 71)), "too old"),
        (of("iat", json!(NOW + 11)), "future"),
        (of("ath", Value::Null), "ath"),
        (of("ath", json!(base64url(sha256(b"another")))), "ath"),
        (of("jti", Value::Null), "jti is missing"),
        (of("jti", json!("")), "jti is missing"),
        (of("jti", json!(7)), "jti is not a string"),
    ];
    check_rows(cases, |(proof, words)| {
        let error = check(&world, &token, proof).unwrap_err();
        assert_eq!(error.code(), ErrorCode::DpopProofInvalid, "{error}");
        assert!(error.message().contains(words), "{words}: {error}");
        refused(&error, "invalid_dpop_proof");
    });
    for seconds in [-70, 10] {
        check(&world, &token, &of("iat", json!(NOW + seconds))).unwrap();
    }
    // Clocks that count parts of a second (RFC 7519 section 2).
    for seconds in [-69.5, 10.5] {
        check(&world, &token, &of("iat", json!(NOW as f64 + seconds))).unwrap();
    }
}

#[test]
fn a_proof_is_good_once() {
    let world = World::new();
    let token = bound();
    let proof = jws(&header(), &proof_claims(&token), &sender_key());
    check(&world, &token, &proof).unwrap();
    // A new signature over the same claims is another text, and the same proof.
    let (input, _) = proof.rsplit_once('.').unwrap();
    let claims: Value = Value::Object(segl::jws::decode(&proof).unwrap().claims);
    let again = jws(&header(), &claims, &sender_key());
    assert!(again.starts_with(input) && again != proof);
    for replay in [&proof, &again] {
        let error = check(&world, &token, replay).unwrap_err();
        assert_eq!(error.code(), ErrorCode::DpopProofInvalid);
        assert!(error.message().contains("used before"), "{error}");
    }
    // Until it has expired by its time too.
    world.set_time(NOW + 70);
    let error = check(&world, &token, &proof).unwrap_err();
    assert!(error.message().contains("used before"), "{error}");
    world.set_time(NOW + 71);
    let error = check(&world, &token, &proof).unwrap_err();
    assert!(error.message().contains("too old"), "{error}");
}

#[test]
fn a_proof_that_is_refused_otherwise_is_not_used_up() {
    let world = World::new();
    let token = bound();
    let proof = jws(&header(), &proof_claims(&token), &sender_key());
    let mut other = required(&proof);
    other["dpop"]["method"] = "POST".into();
    assert!(world.check_token(&token, &other).is_err());
    check(&world, &token, &proof).unwrap();
}

#[test]
fn token_and_proof_must_be_of_the_same_key() {
    let world = World::new();
    let token = bound();
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": ec_jwk(&OTHER_KEY) });
    let proof = jws(&header, &proof_claims(&token), &OTHER_KEY);
    let error = check(&world, &token, &proof).unwrap_err();
    assert_eq!(error.code(), ErrorCode::AccessTokenBinding);
    refused(&error, "invalid_token");
}

#[test]
fn a_bound_token_needs_a_proof_and_a_proof_a_bound_token() {
    let world = World::new();
    let error = world.check_token(&bound(), &json!({})).unwrap_err();
    assert_eq!(error.code(), ErrorCode::DpopProofInvalid);
    assert!(error.message().contains("without a DPoP proof"), "{error}");
    refused(&error, "invalid_token");
    let unbound = token(&claims());
    let proof = jws(&header(), &proof_claims(&unbound), &sender_key());
    let error = check(&world, &unbound, &proof).unwrap_err();
    assert_eq!(error.code(), ErrorCode::AccessTokenBinding);
    refused(&error, "invalid_token");
}

#[test]
fn a_binding_that_cannot_be_checked_is_refused() {
    let world = World::new();
    for cnf in [
        json!({}),
        json!({ "kid": "x" }),
        json!({ "jwk": {} }),
        json!({ "jkt": null }),
    ] {
        let mut claims = claims();
        claims["cnf"] = cnf;
        let error = world.refusal(&claims, &json!({}));
        assert_eq!(error.code(), ErrorCode::AccessTokenBinding, "{error}");
        refused(&error, "invalid_token");
    }
}

#[test]
fn a_nonce_that_the_api_gave() {
    let world = World::new();
    let token = bound();
    let check = |nonce: Option<&str>, taken: &[&str]| {
        let mut claims = proof_claims(&token);
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let mut required = required(&jws(&header(), &claims, &sender_key()));
        required["dpop"]["nonces"] = json!(taken);
        world.check_token(&token, &required)
    };
    check(Some("n1"), &["n2", "n1"]).unwrap();
    for nonce in [None, Some("n3"), Some("")] {
        let error = check(nonce, &["n2", "n1"]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::DpopProofInvalid);
        refused(&error, "use_dpop_nonce");
    }
    let error = check(Some("n1"), &[]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
}

#[test]
fn algorithms_and_window_can_be_set() {
    let world = World::with(json!({ "dpop_algorithms": ["RS256"], "dpop_window_seconds": 5 }));
    let jwk = rsa_jwk("ignored", &rsa_key());
    let header = json!({ "typ": "dpop+jwt", "alg": "RS256", "jwk": jwk });
    let required_members = json!({ "e": jwk["e"], "kty": "RSA", "n": jwk["n"] });
    let mut claims = claims();
    claims["cnf"] = json!({ "jkt": base64url(sha256(required_members.to_string().as_bytes())) });
    let token = token(&claims);
    let at = |iat: i64| {
        let mut claims = proof_claims(&token);
        claims["iat"] = iat.into();
        check(&world, &token, &jws(&header, &claims, &rsa_key()))
    };
    at(NOW - 15).unwrap();
    assert!(at(NOW - 16).unwrap_err().message().contains("too old"));
    let token = bound();
    let error = check(
        &world,
        &token,
        &jws(&self::header(), &proof_claims(&token), &sender_key()),
    )
    .unwrap_err();
    assert!(error.message().contains("alg"), "{error}");
}

#[test]
fn requirements_that_cannot_be_met_are_refused() {
    let world = World::new();
    for url in ["", "/saldo", "ftp://api.bank.example/", "mailto:a@b"] {
        let dpop = json!({ "proof": "x", "method": "GET", "url": url });
        let error = world
            .check_token(&bound(), &json!({ "dpop": dpop }))
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
    }
}

/// Published in RFC 9449 section 7.1, figure 13: a proof whose private key nobody here has.
#[test]
fn the_proof_of_the_rfc_is_read_up_to_its_time() {
    const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let world = World::new();
    let iat = 1_562_262_618;
    world.set_time(iat);
    let mut claims = claims();
    claims["iat"] = json!(iat);
    claims["cnf"] = json!({ "jkt": THUMBPRINT });
    let mut required = required(PROOF);
    required["dpop"]["url"] = "https://resource.example.org/protectedresource?a".into();
    // It is for the token of the RFC, which is none of an issuer here.
    let error = world.refusal(&claims, &required);
    assert!(error.message().contains("ath is not"), "{error}");
    world.set_time(iat + 71);
    let error = world.refusal(&claims, &required);
    assert!(error.message().contains("too old"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_proof_panics_or_passes(start in "\\PC{0,30}", name in "jti|htm|htu|iat|ath|nonce", text in "\\PC{0,20}", number in any::<i64>()) {
        let world = World::new();
        let token = bound();
        prop_assert!(check(&world, &token, &start).is_err());
        for value in [json!(text), json!(number), json!([text]), json!({ "x": text })] {
            let mut claims = proof_claims(&token);
            claims[&name] = value.clone();
            let outcome = check(&world, &token, &jws(&header(), &claims, &sender_key()));
            let may_be_any = name == "nonce" || name == "jti";
            let is_near = name == "iat" && value.as_i64().is_some_and(|iat| (NOW - 70..=NOW + 10).contains(&iat));
            prop_assert!(outcome.is_err() || (may_be_any && value.is_string()) || is_near);
        }
    }

    #[test]
    fn no_bit_of_a_proof_can_be_changed(index in 0_usize..600, bit in 0_u8..7) {
        let world = World::new();
        let token = bound();
        let proof = jws(&header(), &proof_claims(&token), &sender_key());
        let mut bytes = proof.clone().into_bytes();
        let index = index % bytes.len();
        bytes[index] ^= 1 << bit;
        if let Ok(changed) = String::from_utf8(bytes) {
            prop_assert!(check(&world, &token, &changed).is_err());
        }
    }
}
