//! Grants that Maskinporten accepts, and the tokens that it makes.

use std::sync::Barrier;

use serde_json::{Value, json};

use crate::support::*;

pub const CLIENT: &str = "0b6a1f5e-7f0c-4d0e-9d5b-0a3b6a2c8e11";
pub const CONSENT: &str = "0a7d59f8-8c62-4312-9fb4-62456664c96f";
pub const PERSON: &str = "urn:altinn:person:identifier-no:05848998356";

/// A client with keys, and everything that a grant can ask for.
pub fn client() -> Value {
    let mut old = rsa_jwk("old", &RSA_KEY);
    old["registered_at"] = json!(NOW - 366 * 86_400);
    json!({
        "client_id": CLIENT,
        "orgno": ORGNO,
        "jwks": { "keys": [rsa_jwk("key-1", &RSA_KEY), rsa_jwk("key-2", &OTHER_RSA_KEY), old] },
        "scopes": ["bank:saldo", "bank:limited", "bank:short", "login:only"],
        "access_token_lifetime": 600,
        "delegations": [{ "consumer": CUSTOMER, "scopes": ["bank:saldo"] }],
        "system_users": [
            { "orgno": CUSTOMER, "systemuser_id": "a545ed32-1ea7-4af3-b8d2-58a4a3a7e2f5", "system_id": "system" },
            { "orgno": CUSTOMER, "external_ref": "avdeling_2", "systemuser_id": "b545ed32-1ea7-4af3-b8d2-58a4a3a7e2f5",
              "system_id": "system" },
        ],
        "consents": [{
            "id": CONSENT,
            "from": PERSON,
            "consented": NOW - 1000,
            "valid_to": NOW + 1000,
            "consent_rights": [{ "action": ["consent"], "resource": [{ "type": "urn:altinn:resource", "value": "saldo" }] }],
        }],
    })
}

/// A simulator that knows [`client`] and some scopes with rules.
pub fn fixture() -> Fixture {
    let fixture = Fixture::new("");
    assert_eq!(fixture.admin("maskinporten/clients", &client()).status, 201);
    let scopes = json!({
        "bank:limited": { "consumers": [STRANGER] },
        "bank:short": { "at_max_age": 30 },
        "login:only": { "integration_types": ["idporten"] },
    });
    assert_eq!(fixture.admin("maskinporten/scopes", &scopes).status, 201);
    fixture
}

/// The claims of a good grant.
pub fn claims(fixture: &Fixture, client_id: &str) -> Value {
    json!({
        "aud": fixture.simulator.urls().maskinporten_issuer,
        "iss": client_id,
        "scope": "bank:saldo",
        "iat": NOW,
        "exp": NOW + 120,
        "jti": fresh_jti(),
    })
}

/// Sends a grant of [`client`] with these claims besides the usual ones.
fn grant_with(fixture: &Fixture, extra: Value) -> Answer {
    let mut claims = claims(fixture, CLIENT);
    for (name, value) in extra.as_object().unwrap() {
        claims[name] = value.clone();
    }
    fixture.grant(&jws(
        &json!({ "alg": "RS256", "kid": "key-1" }),
        &claims,
        &RSA_KEY,
    ))
}

fn token_claims(fixture: &Fixture, answer: &Answer) -> Value {
    verified_claims(
        answer.access_token(),
        &fixture.simulator.urls().maskinporten_jwks_uri,
    )
}

fn organization(orgno: &str) -> Value {
    json!({ "authority": "iso6523-actorid-upis", "ID": format!("0192:{orgno}") })
}

#[test]
fn a_registered_key_gets_a_token() {
    let fixture = fixture();
    let answer = grant_with(&fixture, json!({}));

    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.json["token_type"], "Bearer");
    assert_eq!(answer.json["expires_in"], 600);
    assert_eq!(answer.json["scope"], "bank:saldo");
    let mut claims = token_claims(&fixture, &answer);
    assert_ne!(claims["jti"].take(), Value::Null);
    let expected = json!({
        "iss": fixture.simulator.urls().maskinporten_issuer,
        "client_id": CLIENT,
        "client_amr": "private_key_jwt",
        "consumer": organization(ORGNO),
        "scope": "bank:saldo",
        "token_type": "Bearer",
        "iat": NOW,
        "exp": NOW + 600,
        "jti": null,
    });
    assert_eq!(claims, expected);
}

#[test]
fn every_documented_algorithm_and_typ_is_accepted() {
    let fixture = fixture();
    for alg in ["RS256", "RS384", "RS512"] {
        let header = json!({ "alg": alg, "kid": "key-1", "typ": "JWT" });
        let answer = fixture.grant(&jws(&header, &claims(&fixture, CLIENT), &RSA_KEY));
        assert_eq!(answer.status, 200, "{alg}: {answer:?}");
    }
    let header = json!({ "alg": "RS256", "kid": "key-2" });
    let answer = fixture.grant(&jws(&header, &claims(&fixture, CLIENT), &OTHER_RSA_KEY));
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn a_delegation_names_consumer_and_supplier() {
    let fixture = fixture();
    let answer = grant_with(&fixture, json!({ "consumer_org": CUSTOMER }));

    let claims = token_claims(&fixture, &answer);
    assert_eq!(claims["consumer"], organization(CUSTOMER));
    assert_eq!(claims["supplier"], organization(ORGNO));
    assert_eq!(claims["delegation_source"], "https://tt02.altinn.no/");
}

#[test]
fn resource_and_pid_restrict_the_token() {
    let fixture = fixture();
    let one = grant_with(
        &fixture,
        json!({ "resource": ["https://api.example.com/a"], "pid": "05848998356" }),
    );
    let claims = token_claims(&fixture, &one);
    assert_eq!(claims["aud"], "https://api.example.com/a");
    assert_eq!(claims["pid"], "05848998356");

    let two = grant_with(
        &fixture,
        json!({ "resource": ["https://api.example.com/a", "https://api.example.com/b"] }),
    );
    assert_eq!(
        token_claims(&fixture, &two)["aud"],
        json!(["https://api.example.com/a", "https://api.example.com/b"])
    );
}

#[test]
fn system_users_are_found_by_organisation_and_reference() {
    let fixture = fixture();
    let requested = |extra: Value| {
        let mut element =
            json!({ "type": "urn:altinn:systemuser", "systemuser_org": organization(CUSTOMER) });
        if !extra.is_null() {
            element["externalRef"] = extra;
        }
        json!({ "authorization_details": [element] })
    };
    let cases = [
        (Value::Null, "a545ed32-1ea7-4af3-b8d2-58a4a3a7e2f5"),
        (json!(CUSTOMER), "a545ed32-1ea7-4af3-b8d2-58a4a3a7e2f5"),
        (json!("avdeling_2"), "b545ed32-1ea7-4af3-b8d2-58a4a3a7e2f5"),
    ];
    for (external_ref, systemuser_id) in cases {
        let claims = token_claims(&fixture, &grant_with(&fixture, requested(external_ref)));
        let expected = json!([{
            "type": "urn:altinn:systemuser",
            "systemuser_id": [systemuser_id],
            "systemuser_org": organization(CUSTOMER),
            "system_id": "system",
        }]);
        assert_eq!(claims["authorization_details"], expected);
        assert_eq!(claims["consumer"], organization(ORGNO));
    }
}

#[test]
fn a_consent_is_told_in_full() {
    let fixture = fixture();
    let requested = json!({ "authorization_details": [{ "type": "urn:altinn:consent", "id": CONSENT, "from": PERSON }] });
    let answer = grant_with(&fixture, requested);

    let expected = json!([{
        "type": "urn:altinn:consent",
        "id": CONSENT,
        "from": PERSON,
        "to": organization(ORGNO),
        "consented": "2026-09-21T13:56:40Z",
        "validTo": "2026-09-21T14:30:00Z",
        "consentRights": [{ "action": ["consent"], "resource": [{ "type": "urn:altinn:resource", "value": "saldo" }] }],
    }]);
    assert_eq!(
        token_claims(&fixture, &answer)["authorization_details"],
        expected
    );
}

#[test]
fn the_shortest_lifetime_wins() {
    let fixture = fixture();
    let answer = grant_with(&fixture, json!({ "scope": "bank:saldo bank:short" }));
    assert_eq!(answer.json["expires_in"], 30);
    assert_eq!(answer.json["scope"], "bank:saldo bank:short");
    assert_eq!(token_claims(&fixture, &answer)["exp"], NOW + 30);
}

#[test]
fn time_is_checked_to_the_second() {
    let fixture = fixture();
    // The last second before each refusal of `refusals`.
    let edges = [
        (NOW + 10, NOW + 130),
        (NOW - 130, NOW - 10),
        (NOW, NOW + 120),
    ];
    for (iat, exp) in edges {
        let answer = grant_with(&fixture, json!({ "iat": iat, "exp": exp }));
        assert_eq!(answer.status, 200, "{iat} {exp}: {answer:?}");
    }
}

#[test]
fn the_longest_grant_is_a_setting() {
    let fixture = Fixture::new("maskinporten.max_lifetime = 180");
    fixture.admin("maskinporten/clients", &client());
    assert_eq!(
        grant_with(&fixture, json!({ "exp": NOW + 180 })).status,
        200
    );
    let answer = grant_with(&fixture, json!({ "exp": NOW + 181 }));
    assert_eq!(answer.status, 400);
}

#[test]
fn undocumented_claims_can_be_tolerated() {
    let fixture = Fixture::new("maskinporten.tolerated_claims = [\"nbf\"]");
    fixture.admin("maskinporten/clients", &client());
    assert_eq!(grant_with(&fixture, json!({ "nbf": NOW })).status, 200);
    assert_eq!(grant_with(&fixture, json!({ "sub": CLIENT })).status, 400);
}

#[test]
fn of_many_at_once_one_wins() {
    let fixture = fixture();
    let assertion = jws(
        &json!({ "alg": "RS256", "kid": "key-1" }),
        &claims(&fixture, CLIENT),
        &RSA_KEY,
    );
    let start = Barrier::new(8);
    let accepted = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    fixture.grant(&assertion).status == 200
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| usize::from(thread.join().unwrap()))
            .sum::<usize>()
    });
    assert_eq!(accepted, 1);
}

#[test]
fn a_jti_is_remembered_as_long_as_it_matters() {
    let fixture = fixture();
    let send = |iat: i64, jti: &str| {
        grant_with(
            &fixture,
            json!({ "iat": iat, "exp": iat + 120, "jti": jti }),
        )
        .status
    };
    assert_eq!(send(NOW, "again"), 200);
    fixture.set_time(NOW + 130);
    assert_eq!(
        send(NOW + 130, "again"),
        400,
        "the first could still be accepted"
    );
    fixture.set_time(NOW + 131);
    assert_eq!(
        send(NOW + 131, "again"),
        200,
        "the first is expired for good"
    );
}

#[test]
fn keys_expire_after_a_year_and_are_renewed_by_posting_them_again() {
    let fixture = fixture();
    let year = 365 * 86_400;
    let send = |now: i64| {
        fixture.set_time(now);
        grant_with(&fixture, json!({ "iat": now, "exp": now + 120 })).status
    };
    assert_eq!(send(NOW + year), 200);
    assert_eq!(send(NOW + year + 1), 400);
    fixture.admin("maskinporten/clients", &client());
    assert_eq!(send(NOW + year + 2), 200);
}

#[test]
fn the_metadata_has_the_members_of_the_test_environment() {
    let fixture = Fixture::new("");
    let urls = fixture.simulator.urls();
    let base = &urls.base;
    let expected = json!({
        "authorization_details_types_supported": ["urn:altinn:systemuser", "urn:altinn:consent"],
        "grant_types_supported": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "issuer": format!("{base}/maskinporten/"),
        "jwks_uri": format!("{base}/maskinporten/jwk"),
        "token_endpoint": format!("{base}/maskinporten/token"),
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "RS384", "RS512"],
    });
    let url = format!("{base}/maskinporten/.well-known/oauth-authorization-server");
    assert_eq!(urls.maskinporten_metadata, url);
    assert_eq!(get(&url).json, expected);
}

#[test]
fn answers_are_dated_by_the_simulators_clock() {
    let fixture = Fixture::new("");
    let answer = get(&fixture.simulator.urls().maskinporten_jwks_uri);
    assert_eq!(answer.headers["date"], "Mon, 21 Sep 2026 14:13:20 GMT");
}
