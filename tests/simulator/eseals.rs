//! Grants with European eSeals.

use openssl::x509::X509;
use serde_json::{Value, json};

use crate::certificates::{Issuer, SEID_1, base64};
use crate::refusals::assert_refused;
use crate::support::*;

const SWEDISH: &[(&str, &str)] = &[
    ("CN", "BANKEN AB"),
    ("organizationIdentifier", "VATSE-556000000001"),
    ("C", "SE"),
];

/// A simulator that takes eSeals from `ca` for one scope.
fn fixture(ca: &Issuer) -> Fixture {
    let pem = String::from_utf8(ca.certificate.to_pem().unwrap()).unwrap();
    Fixture::new(&format!(
        "[maskinporten.eseals]\ntrusted_certificates = ['''{pem}''']\n\
         [maskinporten.scopes.\"open:scope\"]\neseals = true\nat_max_age = 100\n\
         [maskinporten.scopes.\"closed:scope\"]\n"
    ))
}

fn send(fixture: &Fixture, chain: &[&X509], change: impl FnOnce(&mut Value, &mut Value)) -> Answer {
    let x5c: Vec<String> = chain.iter().map(|x509| base64(x509)).collect();
    let mut header = json!({ "alg": "RS256", "x5c": x5c });
    let mut claims = json!({
        "aud": fixture.simulator.urls().maskinporten_issuer,
        "iss": "whoever",
        "scope": "open:scope",
        "iat": NOW,
        "exp": NOW + 120,
        "jti": fresh_jti(),
    });
    change(&mut header, &mut claims);
    fixture.grant(&jws(&header, &claims, &RSA_KEY))
}

#[test]
fn a_sealed_grant_needs_no_client() {
    let ca = Issuer::root("eSeal CA");
    let fixture = fixture(&ca);
    let leaf = ca.leaf(SWEDISH);
    let answer = send(&fixture, &[&leaf, &ca.certificate], |_, _| {});
    let urls = fixture.simulator.urls();
    let claims = verified_claims(answer.access_token(), &urls.maskinporten_jwks_uri);
    let serial = leaf.serial_number().to_bn().unwrap().to_dec_str().unwrap();
    assert_eq!(claims["client_id"], format!("eidas-{serial}"));
    assert_eq!(claims["client_amr"], "CForESeal");
    assert_eq!(
        claims["consumer"],
        json!({"authority": "etsi-en-319-412", "ID": "VATSE-556000000001"})
    );
    assert_eq!(claims["exp"], NOW + 100);
    assert!(claims.get("supplier").is_none());
}

#[test]
fn the_chain_is_required() {
    let ca = Issuer::root("eSeal CA");
    let fixture = fixture(&ca);
    let answer = send(&fixture, &[&ca.leaf(SWEDISH)], |_, _| {});
    let description = "Invalid assertion. Client authentication failed. Invalid JWT header x5c.";
    assert_refused(
        &fixture,
        &answer,
        400,
        "invalid_grant",
        Some("MP-123"),
        description,
    );
}

#[test]
fn what_a_seal_may_not_is_refused() {
    let ca = Issuer::root("eSeal CA");
    let fixture = fixture(&ca);
    let leaf = ca.leaf(SWEDISH);
    let chain = [&leaf, &ca.certificate];
    for (name, value, error) in [
        ("scope", json!("closed:scope"), "forbidden"),
        ("scope", json!("unknown:scope"), "forbidden"),
        ("scope", json!("open:scope closed:scope"), "forbidden"),
        ("consumer_org", json!(ORGNO), "invalid_request"),
        ("pid", json!("05848998356"), "invalid_request"),
        (
            "authorization_details",
            json!([{"type": "urn:altinn:systemuser"}]),
            "invalid_authorization_details",
        ),
        ("aud", json!("https://maskinporten.no/"), "invalid_grant"),
        ("exp", json!(NOW + 121), "invalid_grant"),
        ("iat", json!(NOW + 11), "invalid_grant"),
    ] {
        let answer = send(&fixture, &chain, |_, claims| claims[name] = value);
        assert_eq!(answer.json["error"], error, "{name}: {answer:?}");
    }
    let answer = send(&fixture, &chain, |header, _| header["kid"] = json!("k"));
    assert_eq!(answer.json["error"], "invalid_grant", "{answer:?}");
    let replayed = json!("one");
    let again = || {
        send(&fixture, &chain, |_, claims| {
            claims["jti"] = replayed.clone()
        })
    };
    assert_eq!(again().status, 200);
    assert!(again().body.contains("MP-012"));
}

#[test]
fn a_certificate_that_is_no_eseal_is_refused() {
    let ca = Issuer::root("eSeal CA");
    let fixture = fixture(&ca);
    let nameless = ca.leaf(SEID_1);
    let answer = send(&fixture, &[&nameless, &ca.certificate], |_, _| {});
    assert!(answer.body.contains("MP-120"), "{answer:?}");
    // Of another issuer: the sender is a client that is not registered.
    let other = Issuer::root("eSeal CA");
    let leaf = other.leaf(SWEDISH);
    let answer = send(&fixture, &[&leaf, &other.certificate], |_, _| {});
    assert!(answer.body.contains("MP-100"), "{answer:?}");
    // Signed by another key than the certificate's.
    let header =
        json!({ "alg": "RS256", "x5c": [base64(&ca.leaf(SWEDISH)), base64(&ca.certificate)] });
    let claims =
        json!({ "aud": fixture.simulator.urls().maskinporten_issuer, "scope": "open:scope" });
    let answer = fixture.grant(&jws(&header, &claims, &OTHER_RSA_KEY));
    assert!(answer.body.contains("MP-124"), "{answer:?}");
}
