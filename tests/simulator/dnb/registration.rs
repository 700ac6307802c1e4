//! DNB: the registration JWT.

use serde_json::{Value, json};

use super::{CLIENT, OTHER_SCOPE, SCOPE, fixture, refused, with, without};
use crate::support::*;

/// The claims of DNB's published example, for another key.
pub fn claims() -> Value {
    json!({
        "aud": "https://api.ciam.dnb.no/clients/v1",
        "cnf": { "jwk": ec_jwk("my-key", &EC_KEY) },
        "exp": NOW + 30 * 86_400,
        "iat": NOW,
    })
}

fn register(fixture: &Fixture, query: &str, jwt: &str) -> Answer {
    let url = format!("{}/dnb/register{query}", fixture.simulator.urls().admin);
    post(&url, "text/plain", jwt)
}

#[test]
fn a_registration_jwt_makes_a_client() {
    let fixture = Fixture::new("");
    let jwt = jws(&json!({ "alg": "ES256" }), &claims(), &EC_KEY);
    let answer = register(&fixture, "", &format!("{jwt}\n"));
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.json["kid"], "my-key");

    let client_id = answer.json["client_id"].clone();
    let claims = with(
        with(super::claims(), "iss", client_id.clone()),
        "sub",
        client_id,
    );
    let header = json!({ "alg": "ES256", "kid": "my-key" });
    let token = fixture.dnb_token(&jws(&header, &claims, &EC_KEY), SCOPE);
    assert_eq!(token.status, 200, "{token:?}");
}

#[test]
fn a_second_registration_adds_a_key() {
    let fixture = fixture();
    let jwk = ec_jwk("key-3", &OTHER_EC_KEY);
    let registration = with(claims(), "cnf", json!({ "jwk": jwk }));
    let jwt = jws(&json!({ "alg": "ES256" }), &registration, &OTHER_EC_KEY);
    let answer = register(&fixture, &format!("?client_id={CLIENT}"), &jwt);
    assert_eq!(answer.json, json!({ "client_id": CLIENT, "kid": "key-3" }));

    for (kid, key) in [("key-1", &EC_KEY), ("key-3", &OTHER_EC_KEY)] {
        let header = json!({ "alg": "ES256", "kid": kid });
        let answer = fixture.dnb_token(&jws(&header, &super::claims(), key), OTHER_SCOPE);
        assert_eq!(answer.status, 200, "{kid}: {answer:?}");
    }
}

#[test]
fn dnbs_published_sample_registers_at_its_time() {
    let sample = "eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL2FwaS5jaWFtLmRuYi5uby9jbGllbnRzL3YxIiwiY25mIjp7Imp3ayI6\
                  eyJjcnYiOiJQLTI1NiIsImtpZCI6ImlZR2p1aEF1Yi1YNmFzY29qLWFxMHFLZEpaWmVPRGpMSk1zTFNkcHVYYWMiLCJrdHkiOiJF\
                  QyIsIngiOiJNUVk3eHlod1EzU2JtTDR5dU5nQUs4REUxVW1LOXM5OGoydlNvd2ZSWmJzIiwieSI6IllLdWdFMzNtbi1wRGRTa214\
                  b2ZkRm45eHBFS1hoVFpRaGVsQnVRbllpVFkifX0sImV4cCI6MTcwMTQxMjc0MiwiaWF0IjoxNjk4ODIwNzQyfQ.J4esy0081NITA\
                  NCvSL6y9N0itdPubmo7h8TlWX2JVdq3WvBKg5Ogy6M8vizi5zHsPokma8KN68OhpcWVIQ_Mdw";
    let fixture = Fixture::new("");
    fixture.set_time(1_698_820_742);
    let answer = register(&fixture, "", sample);
    assert_eq!(
        answer.json["kid"],
        "iYGjuhAub-X6ascoj-aq0qKdJZZeODjLJMsLSdpuXac"
    );
    fixture.set_time(1_701_412_742);
    refused(
        &register(&fixture, "", sample),
        400,
        "invalid_client_metadata",
        "is expired",
    );
}

#[test]
fn registrations_that_prove_nothing_are_refused() {
    let fixture = Fixture::new("");
    let es256 = json!({ "alg": "ES256" });
    let jwk = |change: fn(&mut Value)| {
        let mut jwk = ec_jwk("my-key", &EC_KEY);
        change(&mut jwk);
        with(claims(), "cnf", json!({ "jwk": jwk }))
    };
    let cases = [
        (
            "aud is not",
            es256.clone(),
            with(claims(), "aud", json!("https://api.dnb.no")),
        ),
        (
            "cnf.jwk is missing",
            es256.clone(),
            without(claims(), "cnf"),
        ),
        (
            "iat lies in the future",
            es256.clone(),
            with(claims(), "iat", json!(NOW + 1)),
        ),
        ("iat is missing", es256.clone(), without(claims(), "iat")),
        ("exp is missing", es256.clone(), without(claims(), "exp")),
        (
            "more than 30 days",
            es256.clone(),
            with(claims(), "exp", json!(NOW + 30 * 86_400 + 1)),
        ),
        (
            "is expired",
            es256.clone(),
            with(with(claims(), "iat", json!(NOW - 10)), "exp", json!(NOW)),
        ),
        ("alg is not ES256", json!({ "alg": "RS256" }), claims()),
        (
            "kid of the header",
            json!({ "alg": "ES256", "kid": "other" }),
            claims(),
        ),
        (
            "a key has no \"kid\"",
            es256.clone(),
            jwk(|jwk| *jwk = without(jwk.clone(), "kid")),
        ),
        (
            "kid of cnf.jwk is empty",
            es256.clone(),
            jwk(|jwk| jwk["kid"] = json!("")),
        ),
        (
            "private key",
            es256.clone(),
            jwk(|jwk| jwk["d"] = json!("AA")),
        ),
        (
            "was not made by the key",
            es256.clone(),
            jwk(|jwk| *jwk = ec_jwk("my-key", &OTHER_EC_KEY)),
        ),
        (
            "was not made by the key",
            es256.clone(),
            jwk(|jwk| *jwk = rsa_jwk("my-key", &RSA_KEY)),
        ),
    ];
    for (problem, header, claims) in cases {
        let answer = register(&fixture, "", &jws(&header, &claims, &EC_KEY));
        refused(&answer, 400, "invalid_client_metadata", problem);
    }
    refused(
        &register(&fixture, "", "x"),
        400,
        "invalid_client_metadata",
        "malformed",
    );
}
