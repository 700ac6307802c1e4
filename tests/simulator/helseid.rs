//! The HelseID-like service: who gets a token.

use serde_json::{Value, json};

use crate::dpop::Proof;
use crate::support::*;

pub const CLIENT: &str = "3c5d7a0e-0d3f-4c0f-9d0e-6f8d2e9a4b11";
pub const SCOPE: &str = "nhn:kjernejournal/api";

/// A service with [`CLIENT`].
pub fn fixture(toml: &str) -> Fixture {
    let fixture = Fixture::new(toml);
    let client = json!({
        "client_id": CLIENT,
        "jwks": [ec_jwk("key-1", &EC_KEY), rsa_jwk("key-2", &RSA_KEY)],
        "scopes": [SCOPE, "nhn:other"],
    });
    assert_eq!(fixture.admin("helseid/clients", &client).status, 201);
    fixture
}

pub fn header() -> Value {
    json!({ "alg": "ES256", "kid": "key-1", "typ": "client-authentication+jwt" })
}

pub fn claims(fixture: &Fixture) -> Value {
    json!({
        "aud": fixture.simulator.urls().helseid_issuer,
        "iss": CLIENT,
        "sub": CLIENT,
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 60,
        "jti": fresh_jti(),
    })
}

/// Sends an assertion with these DPoP headers.
pub fn fetch_with(fixture: &Fixture, assertion: &str, proofs: &[String]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("scope", SCOPE)
        .append_pair("client_assertion", assertion)
        .append_pair(
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )
        .finish();
    let url = &fixture.simulator.urls().helseid_token_endpoint;
    let form = Some(("application/x-www-form-urlencoded", body.as_str()));
    let headers: Vec<_> = proofs
        .iter()
        .map(|proof| ("DPoP", proof.as_str()))
        .collect();
    send("POST", url, &headers, form)
}

/// Sends a good assertion with `proof`.
pub fn fetch(fixture: &Fixture, proof: &Proof) -> Answer {
    let assertion = jws(&header(), &claims(fixture), &EC_KEY);
    fetch_with(fixture, &assertion, &[proof.signed()])
}

/// The nonce of the token endpoint.
pub fn nonce(fixture: &Fixture) -> String {
    let answer = fetch_with(fixture, "x", &[]);
    answer.headers["dpop-nonce"].clone()
}

/// A proof for the token endpoint with the nonce of the moment.
pub fn proof(fixture: &Fixture) -> Proof {
    let url = &fixture.simulator.urls().helseid_token_endpoint;
    Proof::new("POST", url).claim("nonce", json!(nonce(fixture)))
}

#[test]
fn a_client_gets_a_bound_token() {
    let fixture = fixture("");
    let urls = fixture.simulator.urls();
    let answer = fetch(&fixture, &proof(&fixture));
    assert_eq!(answer.json["token_type"], "DPoP", "{answer:?}");
    assert_eq!(answer.json["expires_in"], 600);
    assert_eq!(answer.json["scope"], SCOPE);
    assert!(answer.headers.contains_key("dpop-nonce"));
    let token = verified_claims(answer.access_token(), &urls.helseid_jwks_uri);
    assert_eq!(token["iss"], json!(urls.helseid_issuer));
    assert_eq!(token["client_id"], CLIENT);
    assert_eq!(token["exp"], NOW + 600);
    assert_eq!(token["cnf"], json!({ "jkt": thumbprint(&OTHER_EC_KEY) }));
    let requests = fixture.simulator.requests();
    assert_eq!((requests.helseid_token, requests.helseid_issued), (2, 1));
    assert_eq!((requests.dpop_accepted, requests.dpop_refused), (1, 0));

    let document = get(&urls.helseid_metadata).json;
    assert_eq!(document["issuer"], json!(urls.helseid_issuer));
    assert_eq!(
        document["token_endpoint"],
        json!(urls.helseid_token_endpoint)
    );
    assert_eq!(document["jwks_uri"], json!(urls.helseid_jwks_uri));
    assert_eq!(
        document["dpop_signing_alg_values_supported"],
        json!(["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"])
    );
}

#[test]
fn every_assertion_is_refused_for_its_fault() {
    let fixture = fixture("");
    let issuer = json!(fixture.simulator.urls().helseid_issuer);
    let header_with = |name: &str, value: Value| {
        let mut header = header();
        header[name] = value;
        header
    };
    let claims_with = |name: &str, value: Value| {
        let mut claims = claims(&fixture);
        claims[name] = value;
        claims
    };
    let good = || claims(&fixture);
    let endpoint = json!(fixture.simulator.urls().helseid_token_endpoint);
    let cases = [
        (
            "typ of client_assertion is not client-",
            header_with("typ", json!("JWT")),
            good(),
        ),
        (
            "aud of client_assertion is not the issuer",
            header(),
            claims_with("aud", endpoint),
        ),
        (
            "aud of client_assertion is not the issuer",
            header(),
            claims_with("aud", json!([issuer])),
        ),
        (
            "lives longer than 60 seconds",
            header(),
            claims_with("exp", json!(NOW + 61)),
        ),
        ("is expired", header(), claims_with("exp", json!(NOW))),
        (
            "iat of client_assertion lies in the future",
            header(),
            claims_with("iat", json!(NOW + 1)),
        ),
        (
            "nbf of client_assertion lies in the future",
            header(),
            claims_with("nbf", json!(NOW + 1)),
        ),
        ("has no jti", header(), claims_with("jti", json!(""))),
        (
            "sub of client_assertion is not iss",
            header(),
            claims_with("sub", json!("x")),
        ),
        (
            "kid of client_assertion is unknown",
            header_with("kid", json!("x")),
            good(),
        ),
        (
            "the signature of client_assertion is wrong",
            header_with("kid", json!("key-2")),
            good(),
        ),
        (
            "alg of client_assertion is not",
            header_with("alg", json!("none")),
            good(),
        ),
    ];
    for (problem, header, claims) in cases {
        let assertion = jws(&header, &claims, &EC_KEY);
        let answer = fetch_with(&fixture, &assertion, &[proof(&fixture).signed()]);
        assert_eq!(answer.status, 400, "{problem}: {answer:?}");
        assert_eq!(
            answer.json["error"], "invalid_client",
            "{problem}: {answer:?}"
        );
        let description = answer.json["error_description"].as_str().unwrap();
        assert!(description.contains(problem), "{problem}: {description}");
    }
}

#[test]
fn each_attempt_needs_a_new_assertion() {
    let fixture = fixture("");
    let assertion = jws(&header(), &claims(&fixture), &EC_KEY);
    let url = &fixture.simulator.urls().helseid_token_endpoint;
    let first = fetch_with(&fixture, &assertion, &[Proof::new("POST", url).signed()]);
    assert_eq!(first.json["error"], "use_dpop_nonce");
    let again = fetch_with(&fixture, &assertion, &[proof(&fixture).signed()]);
    assert_eq!(again.json["error"], "invalid_client");
    assert_eq!(
        again.json["error_description"],
        "jti of client_assertion was used before"
    );
}

#[test]
fn old_rules_can_be_chosen() {
    let toml = "[helseid]\nassertion_typ = 'any'\nmax_lifetime = 10\ndpop.mode = 'off'";
    let fixture = fixture(toml);
    let mut claims = claims(&fixture);
    claims["exp"] = json!(NOW + 10);
    let header = json!({ "alg": "PS256", "kid": "key-2", "typ": "JWT" });
    let answer = fetch_with(&fixture, &jws(&header, &claims, &RSA_KEY), &[]);
    assert_eq!(answer.json["token_type"], "Bearer", "{answer:?}");
    assert!(!answer.headers.contains_key("dpop-nonce"));
    let api = &fixture.simulator.urls().helseid_api;
    let called = with_token("GET", api, answer.access_token(), None);
    assert_eq!(called.status, 200, "{called:?}");
    claims["exp"] = json!(NOW + 11);
    let answer = fetch_with(&fixture, &jws(&header, &claims, &RSA_KEY), &[]);
    assert_eq!(answer.status, 400);
}
