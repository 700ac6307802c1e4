//! Bits' sample of a grant for Kundeforholdsregisteret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use segl::clock::UnixTime;
use segl::keys::Certificate;
use segl::{ErrorCode, TokenRequest};
use serde_json::{Value, json};

use crate::{number, profile, sample, text};

/// Header and claims of the sample, which has no signature.
fn parts() -> (Value, Value) {
    let unsigned = sample!("bits.json");
    let decoded = segl::jws::decode(&format!("{}.", text(&unsigned, "unsigned"))).unwrap();
    assert!(decoded.signature.is_empty());
    assert_eq!(decoded.signing_input, text(&unsigned, "unsigned"));
    (decoded.header.into(), decoded.claims.into())
}

pub(crate) fn certificate() -> Certificate {
    let (header, _) = parts();
    let der = STANDARD.decode(header["x5c"][0].as_str().unwrap()).unwrap();
    Certificate::from_der(&der).unwrap()
}

/// What the sample's claims are made with.
fn settings(claims: &Value) -> Value {
    json!({
        "profile": "maskinporten", "environment": "test", "client_id": claims["iss"],
        "scopes": [claims["scope"]], "backdate_seconds": 0, "nbf": true,
        "lifetime_seconds": number(claims, "exp") - number(claims, "iat"),
    })
}

#[test]
fn without_a_signature_it_has_two_parts_and_is_no_jws() {
    let error = segl::jws::decode(text(&sample!("bits.json"), "unsigned")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().contains("this text has 2"), "{error}");
}

#[test]
fn its_certificate_is_read() {
    let certificate = certificate();
    assert_eq!(
        certificate.org_number().unwrap().as_str(),
        text(&sample!("bits.json"), "orgno")
    );
    assert_eq!(
        certificate.subject(),
        "serialNumber=916960190, CN=BITS AS TEST, O=BITS AS, C=NO"
    );
    assert_eq!(
        certificate.issuer(),
        "CN=Buypass Class 3 Test4 CA 3, O=Buypass AS-983163327, C=NO"
    );
    assert_eq!(
        certificate.not_before().unwrap().to_string(),
        "2018-12-07T12:39:06Z"
    );
    assert_eq!(
        certificate.not_after().unwrap().to_string(),
        "2021-12-07T22:59:00Z"
    );
    let key = certificate.public_key().unwrap();
    assert_eq!((key.kty(), key.bits()), ("RSA", 2048));
    let environment = segl::profiles::certificate_environment(&certificate);
    assert_eq!(environment, Some(segl::profiles::Environment::Test));
    let today = UnixTime::from_seconds(1_790_000_000);
    let error = certificate.require_valid(today).unwrap_err();
    assert!(error.message().contains("expired at 2021-12-07"), "{error}");
}

#[test]
fn its_header_is_made_again_to_the_member() {
    let (header, claims) = parts();
    let certificate = certificate();
    let key = certificate.public_key().unwrap();
    let profile = profile(
        &settings(&claims),
        key,
        &certificate,
        number(&claims, "iat"),
    )
    .unwrap();
    let mut ours = crate::json(profile.header());
    // segl leaves out "typ", which is not documented for a grant.
    assert_eq!(
        ours.as_object_mut()
            .unwrap()
            .insert("typ".into(), "JWT".into()),
        None
    );
    assert_eq!(ours, header);
    assert_eq!(header["x5c"].as_array().unwrap().len(), 1, "no chain");
}

#[test]
fn its_claims_are_made_again_but_for_what_is_wrong_in_them() {
    let (_, claims) = parts();
    let certificate = certificate();
    let key = certificate.public_key().unwrap();
    let now = number(&claims, "iat");
    let profile = profile(&settings(&claims), key, &certificate, now).unwrap();
    let ours = profile
        .claims(&TokenRequest::default(), UnixTime::from_seconds(now))
        .unwrap();
    for name in ["iat", "exp", "iss", "scope"] {
        assert_eq!(ours[name], claims[name], "{name}");
    }
    // The sample's is of an environment that was shut down, and after `iat`.
    assert_eq!(ours["aud"], "https://test.maskinporten.no/");
    assert_eq!(claims["nbf"], now + 7);
    assert_eq!(ours["nbf"], now);
    // A grant can be used once; the sample has nothing to tell two apart by.
    assert!(ours.contains_key("jti") && claims.get("jti").is_none());
}

#[test]
fn the_audiences_that_are_shown_are_refused_as_settings() {
    let (_, claims) = parts();
    let shown = sample!("bits.json");
    let certificate = certificate();
    let key = certificate.public_key().unwrap();
    for (audience, says) in [
        (text(&claims, "aud"), "shut down"),
        (
            text(&shown["shown_payload"], "aud"),
            "https://test.maskinporten.no/",
        ),
    ] {
        for setting in ["audience", "issuer"] {
            let mut settings = settings(&claims);
            settings[setting] = audience.into();
            let error = profile(&settings, key, &certificate, number(&claims, "iat")).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Config, "{error}");
            assert_eq!(error.details().config_path.as_deref(), Some(setting));
            assert!(error.message().contains(says), "{audience}: {error}");
        }
    }
}

#[test]
fn the_certificate_that_is_shown_was_cut_and_is_none() {
    let shown = sample!("bits.json");
    let (header, _) = parts();
    let whole = header["x5c"][0].as_str().unwrap();
    let cut = text(&shown, "shown_x5c");
    assert!(whole.starts_with(cut) && whole.len() > cut.len());
    let der: Vec<u8> = STANDARD.decode(&cut[..cut.len() / 4 * 4]).unwrap();
    let error = Certificate::from_der(&der).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Certificate, "{error}");
}
