//! DNB: client assertions and tokens.

mod mutual_tls;
mod registration;

use serde_json::{Value, json};

use crate::support::*;

const CLIENT: &str = "76aec8f8-8ef8-4ea6-a087-51cdacd53953";
const SCOPE: &str = "openbanking.prevalidation.norway:validate";
const OTHER_SCOPE: &str = "openbanking.prevalidation.international:validate";

fn fixture() -> Fixture {
    let fixture = Fixture::new("");
    let client = json!({
        "client_id": CLIENT,
        "jwks": [ec_jwk("key-1", &EC_KEY), ec_jwk("key-2", &OTHER_EC_KEY)],
        "scopes": [SCOPE, OTHER_SCOPE],
    });
    assert_eq!(fixture.admin("dnb/clients", &client).status, 201);
    fixture
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "key-1", "typ": "JWT" })
}

/// The claims of DNB's text example.
fn claims() -> Value {
    json!({
        "aud": ["https://api.ciam.dnb.no/as/token.oauth2"],
        "exp": NOW + 240,
        "iat": NOW,
        "iss": CLIENT,
        "jti": fresh_jti(),
        "sub": CLIENT,
    })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[test]
fn a_client_gets_a_token() {
    let fixture = fixture();
    let answer = fixture.dnb_token(&jws(&header(), &claims(), &EC_KEY), SCOPE);

    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.json["token_type"], "Bearer");
    assert_eq!(answer.json["expires_in"], 3600);
    assert_eq!(answer.json["scope"], SCOPE);
    let urls = fixture.simulator.urls();
    let token = verified_claims(answer.access_token(), &urls.dnb_jwks_uri);
    assert_eq!(token["iss"], json!(urls.dnb_issuer));
    assert_eq!(token["client_id"], CLIENT);
    assert_eq!(token["scope"], SCOPE);
    assert_eq!(token["exp"], NOW + 3600);
    assert_ne!(
        get(&urls.dnb_jwks_uri).json,
        get(&urls.maskinporten_jwks_uri).json
    );
}

#[test]
fn every_documented_form_is_accepted() {
    let fixture = fixture();
    let own_url = json!(fixture.simulator.urls().dnb_token_endpoint);
    // DNB's sample token: no kid, another host, text, 1200 seconds, nbf.
    let sample = json!({
        "aud": "https://mtls.auth.dnb.no/as/token.oauth2",
        "exp": NOW + 1200,
        "iat": NOW,
        "iss": CLIENT,
        "jti": "PQANnDg9xPT8WDYBPDZYrA",
        "nbf": NOW,
        "sub": CLIENT,
    });
    let cases = [
        (json!({ "alg": "ES256", "typ": "JWT" }), sample, &EC_KEY),
        (json!({ "alg": "ES256" }), claims(), &OTHER_EC_KEY),
        (
            json!({ "alg": "ES256", "kid": "key-2" }),
            claims(),
            &OTHER_EC_KEY,
        ),
        (
            json!({ "alg": "ES256", "typ": "client-authentication+jwt" }),
            claims(),
            &EC_KEY,
        ),
        (header(), with(claims(), "aud", own_url), &EC_KEY),
        (header(), without(claims(), "iat"), &EC_KEY),
    ];
    for (header, claims, key) in cases {
        let answer = fixture.dnb_token(&jws(&header, &claims, key), SCOPE);
        assert_eq!(answer.status, 200, "{header} {claims}: {answer:?}");
    }
    let both = fixture.dnb_token(
        &jws(&header(), &claims(), &EC_KEY),
        &format!("{SCOPE} {OTHER_SCOPE}"),
    );
    assert_eq!(both.status, 200);
}

#[test]
fn assertions_that_prove_nothing_are_refused() {
    let fixture = fixture();
    let cases = [
        (
            "is no known client",
            header(),
            with(with(claims(), "iss", json!("x")), "sub", json!("x")),
        ),
        ("has no iss", header(), without(claims(), "iss")),
        (
            "sub of client_assertion is not iss",
            header(),
            with(claims(), "sub", json!("x")),
        ),
        (
            "sub of client_assertion is not iss",
            header(),
            without(claims(), "sub"),
        ),
        (
            "is not this token endpoint",
            header(),
            with(claims(), "aud", json!("https://api.ciam.dnb.no")),
        ),
        (
            "is not this token endpoint",
            header(),
            with(claims(), "aud", json!([])),
        ),
        (
            "is not this token endpoint",
            header(),
            without(claims(), "aud"),
        ),
        (
            "iat of client_assertion lies in the future",
            header(),
            with(claims(), "iat", json!(NOW + 1)),
        ),
        (
            "nbf of client_assertion lies in the future",
            header(),
            with(claims(), "nbf", json!(NOW + 1)),
        ),
        ("is expired", header(), with(claims(), "exp", json!(NOW))),
        (
            "lives longer than 1200 seconds",
            header(),
            with(claims(), "exp", json!(NOW + 1201)),
        ),
        ("has no exp", header(), without(claims(), "exp")),
        (
            "exp of client_assertion is not in whole seconds",
            header(),
            with(claims(), "exp", json!("1")),
        ),
        ("has no jti", header(), without(claims(), "jti")),
        (
            "kid of client_assertion is unknown",
            with(header(), "kid", json!("key-9")),
            claims(),
        ),
        (
            "the signature of client_assertion is wrong",
            with(header(), "kid", json!("key-2")),
            claims(),
        ),
        (
            "typ of client_assertion is not JWT",
            with(header(), "typ", json!("at+jwt")),
            claims(),
        ),
        (
            "alg of client_assertion is not ES256",
            with(header(), "alg", json!("ES384")),
            claims(),
        ),
        (
            "alg of client_assertion is not ES256",
            with(header(), "alg", json!("none")),
            claims(),
        ),
        (
            "it authenticates nobody",
            json!({ "alg": "ES256" }),
            registration::claims(),
        ),
    ];
    for (problem, header, claims) in cases {
        let answer = fixture.dnb_token(&jws(&header, &claims, &EC_KEY), SCOPE);
        refused(&answer, 401, "invalid_client", problem);
    }
    let rsa = jws(
        &json!({ "alg": "RS256", "kid": "key-1" }),
        &claims(),
        &RSA_KEY,
    );
    refused(
        &fixture.dnb_token(&rsa, SCOPE),
        401,
        "invalid_client",
        "is not ES256",
    );
    refused(
        &fixture.dnb_token("a.b", SCOPE),
        401,
        "invalid_client",
        "malformed: it has no three parts",
    );
    assert_eq!(fixture.simulator.requests().dnb_issued, 0);
}

#[test]
fn an_assertion_is_used_once() {
    let fixture = fixture();
    let claims = claims();
    assert_eq!(
        fixture
            .dnb_token(&jws(&header(), &claims, &EC_KEY), SCOPE)
            .status,
        200
    );
    // ECDSA signs anew each time; the jti is what counts.
    let again = fixture.dnb_token(&jws(&header(), &claims, &EC_KEY), SCOPE);
    refused(
        &again,
        401,
        "invalid_client",
        "jti of client_assertion was used before",
    );
}

#[test]
fn requests_that_are_none_are_refused() {
    let fixture = fixture();
    let url = &fixture.simulator.urls().dnb_token_endpoint;
    let assertion = jws(&header(), &claims(), &EC_KEY);
    let assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let client = ("client_assertion", assertion.as_str());
    let typed = ("client_assertion_type", assertion_type);
    let granted = ("grant_type", "client_credentials");

    assert_eq!(get(url).status, 405);
    let json = post(url, "application/json", "{}");
    refused(&json, 400, "invalid_request", "Content-Type must be");
    refused(
        &post_form(url, &[client, typed]),
        400,
        "invalid_request",
        "grant_type is missing",
    );
    let other = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    refused(
        &post_form(url, &[client, typed, other]),
        400,
        "unsupported_grant_type",
        "client_credentials",
    );
    refused(
        &post_form(url, &[client, granted]),
        401,
        "invalid_client",
        "client_assertion_type must be",
    );
    refused(
        &post_form(url, &[typed, granted]),
        401,
        "invalid_client",
        "client_assertion is missing",
    );
    let stranger = ("client_id", "somebody");
    refused(
        &post_form(url, &[client, typed, granted, stranger]),
        401,
        "invalid_client",
        "client_id is not iss",
    );
    let scope = ("scope", "openbanking.accounts:read");
    refused(
        &post_form(url, &[client, typed, granted, scope]),
        400,
        "invalid_scope",
        "openbanking.accounts:read",
    );

    let id = ("client_id", CLIENT);
    let fresh = jws(&header(), &claims(), &EC_KEY);
    let answer = post_form(url, &[("client_assertion", &fresh), typed, granted, id]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json["scope"], format!("{SCOPE} {OTHER_SCOPE}"));
}

#[test]
fn typ_can_be_limited_to_client_authentication() {
    let fixture = Fixture::new("dnb.assertion_typ = 'client-authentication+jwt'");
    let client =
        json!({ "client_id": CLIENT, "jwks": [ec_jwk("key-1", &EC_KEY)], "scopes": [SCOPE] });
    assert_eq!(fixture.admin("dnb/clients", &client).status, 201);
    let typed = with(header(), "typ", json!("client-authentication+jwt"));
    let answer = fixture.dnb_token(&jws(&typed, &claims(), &EC_KEY), SCOPE);
    assert_eq!(answer.status, 200, "{answer:?}");
    for header in [header(), without(header(), "typ")] {
        let answer = fixture.dnb_token(&jws(&header, &claims(), &EC_KEY), SCOPE);
        let problem = "typ of client_assertion is not client-authentication+jwt";
        refused(&answer, 401, "invalid_client", problem);
    }
}

#[test]
fn the_metadata_leads_to_token_endpoint_and_keys() {
    let fixture = Fixture::new("");
    let urls = fixture.simulator.urls();
    let document = get(&urls.dnb_metadata).json;
    assert_eq!(document["issuer"], json!(urls.dnb_issuer));
    assert_eq!(
        document["token_endpoint"],
        json!(format!("{}/dnb/as/token.oauth2", urls.base))
    );
    assert_eq!(
        document["jwks_uri"],
        json!(format!("{}/dnb/jwks", urls.base))
    );
    assert_eq!(
        urls.dnb_metadata,
        format!("{}/dnb/.well-known/openid-configuration", urls.base)
    );
}

/// Requires an answer of exactly `error` and a description with `problem`.
fn refused(answer: &Answer, status: u16, error: &str, problem: &str) {
    assert_eq!(answer.status, status, "{problem}: {answer:?}");
    assert_eq!(answer.json["error"], error, "{problem}: {answer:?}");
    let description = answer.json["error_description"].as_str().unwrap();
    assert!(
        description.contains(problem),
        "{problem:?} in {description:?}"
    );
    assert_eq!(answer.json.as_object().unwrap().len(), 2);
}
