//! Every point on which DNB's documents disagree is a setting, and what they leave to
//! chance is exact.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::EcGroup;
use openssl::ecdsa::EcdsaSig;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;
use segl::clock::{Clock, UnixTime};
use segl::keys::ForeignSigner;
use segl::keys::foreign::SignCallback;
use segl::{Algorithm, Call, ErrorCode, Result, Signer, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::support::{builder, claims, header, now, p256_key, signer};

fn client(more: Value, key: Arc<dyn Signer>) -> TokenClient {
    settings(more, key).build(&Call::none()).unwrap()
}

fn settings(more: Value, key: Arc<dyn Signer>) -> segl::token::TokenClientBuilder {
    let mut settings = json!({"profile": "dnb", "client_id": "c"});
    let members = settings.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    builder(&settings.to_string(), key, now())
}

fn assertion(more: Value) -> String {
    client(more, signer(&p256_key()))
        .assertion(&TokenRequest::default(), &Call::none())
        .unwrap()
}

#[test]
fn each_point_of_disagreement_is_a_setting() {
    let key = signer(&p256_key());
    let thumbprint = key.public_key().thumbprint();
    let endpoint = "https://api.ciam.dnb.no/as/token.oauth2";
    let older = "https://mtls.auth.dnb.no/as/token.oauth2";
    for (setting, member, value) in [
        (json!({}), "aud", json!([endpoint])),
        (json!({"audience_form": "string"}), "aud", json!(endpoint)),
        (json!({"audience": older}), "aud", json!([older])),
        (
            json!({"audience": older, "audience_form": "string"}),
            "aud",
            json!(older),
        ),
        // The coming rule: the issuer, as one string.
        (
            json!({"issuer": "https://api.ciam.dnb.no", "audience_form": "string"}),
            "aud",
            json!("https://api.ciam.dnb.no"),
        ),
        (json!({}), "nbf", Value::Null),
    ] {
        assert_eq!(
            claims(&assertion(setting.clone()))[member],
            value,
            "{setting}"
        );
    }
    for (setting, expected) in [
        (
            json!({}),
            json!({"alg": "ES256", "kid": thumbprint, "typ": "JWT"}),
        ),
        (
            json!({"kid": "VT8VpJCLznY5Hn304q4OHCQq0FVCaX"}),
            json!({"alg": "ES256", "kid": "VT8VpJCLznY5Hn304q4OHCQq0FVCaX", "typ": "JWT"}),
        ),
        (
            json!({"omit_kid": true}),
            json!({"alg": "ES256", "typ": "JWT"}),
        ),
        (
            json!({"typ": "client-authentication+jwt"}),
            json!({"alg": "ES256", "kid": thumbprint, "typ": "client-authentication+jwt"}),
        ),
        (
            json!({"typ": "", "omit_kid": true}),
            json!({"alg": "ES256"}),
        ),
    ] {
        assert_eq!(header(&assertion(setting.clone())), expected, "{setting}");
    }
    let dated = claims(&assertion(json!({"nbf": true})));
    assert_eq!(dated["nbf"], dated["iat"]);
}

#[test]
fn every_assertion_has_a_jti_of_its_own_in_either_form() {
    for (form, len) in [("uuid", 36), ("base64url", 22)] {
        let client = client(json!({"jti": form}), signer(&p256_key()));
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let jwt = client.assertion(&TokenRequest::default(), &Call::none());
            let jti = claims(&jwt.unwrap())["jti"].as_str().unwrap().to_owned();
            assert_eq!(jti.len(), len, "{jti}");
            match form {
                "uuid" => assert_eq!(uuid::Uuid::parse_str(&jti).unwrap().get_version_num(), 4),
                _ => assert_eq!(URL_SAFE_NO_PAD.decode(&jti).unwrap().len(), 16),
            }
            assert!(seen.insert(jti));
        }
    }
}

/// A second later at every look.
#[derive(Debug)]
struct Moving(AtomicI64);

impl Clock for Moving {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

#[test]
fn the_life_is_exact_however_the_clock_moves() {
    // DNB's script reads the clock twice, so that its life may be a second off.
    for (lifetime, expected) in [(None, 240), (Some(60), 60), (Some(1200), 1200)] {
        let client = settings(json!({"lifetime_seconds": lifetime}), signer(&p256_key()))
            .clock(Arc::new(Moving(AtomicI64::new(now()))))
            .build(&Call::none())
            .unwrap();
        let life = |jwt: &str| {
            let claims = claims(jwt);
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()
        };
        for _ in 0..5 {
            let jwt = client.assertion(&TokenRequest::default(), &Call::none());
            assert_eq!(life(&jwt.unwrap()), expected);
            let registration = client.registration(&Call::none()).unwrap();
            assert_eq!(life(&registration), 2_592_000);
        }
    }
}

#[test]
fn a_longer_life_than_that_of_dnbs_sample_is_refused() {
    for lifetime in [0, 1201] {
        let error = settings(json!({"lifetime_seconds": lifetime}), signer(&p256_key()))
            .build(&Call::none())
            .unwrap_err();
        assert_eq!(
            error.details().config_path.as_deref(),
            Some("lifetime_seconds"),
            "{error}"
        );
    }
}

/// What a host may make of a signature.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    HighS,
    LowS,
    Der,
    /// As in DNB's full script: two texts with a dot between.
    DotJoined,
}

struct Host(PKey<Private>, Shape);

impl SignCallback for Host {
    fn sign(&self, _alg: Algorithm, message: &[u8], _call: &Call) -> Result<Vec<u8>> {
        let key = self.0.ec_key().unwrap();
        let signature = EcdsaSig::sign(&sha256(message), &key).unwrap();
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let mut order = BigNum::new().unwrap();
        group
            .order(&mut order, &mut BigNumContext::new().unwrap())
            .unwrap();
        let (r, s) = (signature.r(), signature.s());
        let mut mirrored = BigNum::new().unwrap();
        mirrored.checked_sub(&order, s).unwrap();
        let is_high = *s > *mirrored;
        let s = match is_high == (self.1 == Shape::HighS) {
            true => s,
            false => &*mirrored,
        };
        let half = |number: &openssl::bn::BigNumRef| number.to_vec_padded(32).unwrap();
        Ok(match self.1 {
            Shape::HighS | Shape::LowS => [half(r), half(s)].concat(),
            Shape::Der => signature.to_der().unwrap(),
            Shape::DotJoined => [half(r), half(s)]
                .map(|half| URL_SAFE_NO_PAD.encode(half))
                .join(".")
                .into_bytes(),
        })
    }
}

fn signed_by_host(shape: Shape) -> Result<String> {
    let key = p256_key();
    let public = signer(&key).public_key().clone();
    let host = Arc::new(ForeignSigner::new(public, Box::new(Host(key, shape))));
    client(json!({}), host).assertion(&TokenRequest::default(), &Call::none())
}

#[test]
fn signatures_are_64_bytes_with_a_high_or_a_low_s() {
    for shape in [Shape::HighS, Shape::LowS] {
        let jwt = signed_by_host(shape).unwrap();
        let (input, signature) = jwt.rsplit_once('.').unwrap();
        assert_eq!(signature.len(), 86);
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert_eq!(bytes.len(), 64);
        let (r, s) = bytes.split_at(32);
        let (r, s) = (
            BigNum::from_slice(r).unwrap(),
            BigNum::from_slice(s).unwrap(),
        );
        let parsed = EcdsaSig::from_private_components(r, s).unwrap();
        let key = p256_key().ec_key().unwrap();
        assert!(parsed.verify(&sha256(input.as_bytes()), &key).unwrap());
        // n/2 begins with 7f ff ff ff 80.
        assert_eq!(bytes[32] >= 0x80, shape == Shape::HighS);
    }
}

#[test]
fn a_signature_of_another_shape_is_not_released() {
    for shape in [Shape::Der, Shape::DotJoined] {
        let error = signed_by_host(shape).unwrap_err();
        assert_eq!(error.code(), ErrorCode::SignatureFault, "{error}");
        assert!(error.message().contains("R‖S"), "{error}");
    }
}
