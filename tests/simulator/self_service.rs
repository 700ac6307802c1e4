//! Digdir's administration API: who may use it, and its rules for keys.

use serde_json::{Value, json};

use crate::support::*;

const ADMIN: &str = "admin";
const CLIENT: &str = "client";
const DAY: i64 = 86_400;

/// An admin client with keys, a client without, and one of another organisation.
fn fixture(toml: &str) -> Fixture {
    let fixture = Fixture::new(toml);
    for (id, orgno, key) in [
        (ADMIN, ORGNO, Some("admin-key")),
        (CLIENT, ORGNO, None),
        ("foreign", CUSTOMER, Some("foreign-key")),
    ] {
        let mut client = json!({
            "client_id": id,
            "orgno": orgno,
            "scopes": ["idporten:dcr.read", "idporten:dcr.write", "idporten:dcr.modify", "idporten:dcr.supplier", "x:y"],
        });
        if let Some(kid) = key {
            client["jwks"] = json!([rsa_jwk(kid, &RSA_KEY)]);
        }
        assert_eq!(fixture.admin("maskinporten/clients", &client).status, 201);
    }
    fixture
}

fn grant(fixture: &Fixture, client: &str, kid: &str, scope: &str) -> Answer {
    use segl::clock::Clock;
    let now = fixture.clock.now().seconds();
    let claims = json!({
        "aud": fixture.simulator.urls().maskinporten_issuer,
        "iss": client,
        "scope": scope,
        "iat": now,
        "exp": now + 120,
        "jti": fresh_jti(),
    });
    fixture.grant(&jws(
        &json!({ "alg": "RS256", "kid": kid }),
        &claims,
        &RSA_KEY,
    ))
}

fn ask(fixture: &Fixture, scope: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let token = grant(fixture, ADMIN, "admin-key", scope);
    let url = format!("{}{path}", fixture.simulator.urls().self_service);
    with_token(method, &url, token.access_token(), body)
}

fn keys_path(client: &str) -> String {
    format!("/clients/{client}/jwks")
}

fn post(fixture: &Fixture, keys: &Value) -> Answer {
    let body = json!({ "keys": keys });
    ask(
        fixture,
        "idporten:dcr.write",
        "POST",
        &keys_path(CLIENT),
        Some(&body),
    )
}

fn read(fixture: &Fixture) -> Value {
    let answer = ask(
        fixture,
        "idporten:dcr.read",
        "GET",
        &keys_path(CLIENT),
        None,
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json
}

fn kids(set: &Value) -> Vec<&str> {
    let keys = set["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap())
        .collect()
}

#[test]
fn an_admin_client_sees_the_clients_of_its_organisation() {
    let fixture = fixture("");
    let list = ask(&fixture, "idporten:dcr.read", "GET", "/clients", None);
    let ids: Vec<_> = list
        .json
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["client_id"])
        .collect();
    assert_eq!(ids, [ADMIN, CLIENT]);
    let one = ask(
        &fixture,
        "idporten:dcr.read",
        "GET",
        "/clients/client",
        None,
    );
    assert_eq!(one.json["client_orgno"], ORGNO);
    let foreign = |scope: &str| ask(&fixture, scope, "GET", &keys_path("foreign"), None).status;
    assert_eq!(foreign("idporten:dcr.read"), 404);
    assert_eq!(foreign("idporten:dcr.read idporten:dcr.supplier"), 200);
    let none = ask(&fixture, "idporten:dcr.read", "GET", "/clients/none", None);
    assert_eq!(none.status, 404);
}

#[test]
fn its_scopes_are_required() {
    let fixture = fixture("");
    let body = json!({ "keys": [rsa_jwk("a", &RSA_KEY)] });
    for (scope, read, write) in [
        ("idporten:dcr.read", 200, 403),
        ("idporten:dcr.write", 403, 201),
        ("idporten:dcr.modify", 403, 201),
        ("x:y", 403, 403),
    ] {
        let path = keys_path(CLIENT);
        assert_eq!(
            ask(&fixture, scope, "GET", &path, None).status,
            read,
            "{scope}"
        );
        assert_eq!(
            ask(&fixture, scope, "PUT", &path, Some(&body)).status,
            write,
            "{scope}"
        );
    }
    let url = format!("{}/clients", fixture.simulator.urls().self_service);
    assert_eq!(get(&url).status, 401);
    let requests = fixture.simulator.requests();
    assert_eq!(
        (requests.self_service, requests.self_service_changes),
        (9, 2)
    );
}

#[test]
fn post_and_put_replace_the_whole_set_and_delete_empties_it() {
    let fixture = fixture("");
    assert_eq!(read(&fixture), json!({ "keys": [] }));
    let made = post(
        &fixture,
        &json!([rsa_jwk("a", &RSA_KEY), rsa_jwk("b", &OTHER_RSA_KEY)]),
    );
    assert_eq!(made.status, 201, "{made:?}");
    let set = read(&fixture);
    assert_eq!(set, made.json);
    assert_eq!(kids(&set), ["a", "b"]);
    assert_eq!(set["keys"][0]["exp"], NOW + 365 * DAY);
    assert_eq!(set["keys"][0]["use"], "sig");
    assert_eq!(grant(&fixture, CLIENT, "a", "x:y").status, 200, "at once");

    fixture.set_time(NOW + 10);
    let body = json!({ "keys": [rsa_jwk("c", &RSA_KEY)] });
    let put = ask(
        &fixture,
        "idporten:dcr.write",
        "PUT",
        &keys_path(CLIENT),
        Some(&body),
    );
    assert_eq!(kids(&put.json), ["c"]);
    assert_eq!(put.json["created"], set["created"]);
    assert_ne!(put.json["last_updated"], set["last_updated"]);
    let refused = grant(&fixture, CLIENT, "a", "x:y");
    let text = refused.json["error_description"].as_str().unwrap();
    assert!(text.contains("Unknown key identifier (kid)"), "{text}");

    let gone = ask(
        &fixture,
        "idporten:dcr.write",
        "DELETE",
        &keys_path(CLIENT),
        None,
    );
    assert_eq!(gone.status, 204);
    assert_eq!(read(&fixture), json!({ "keys": [] }));
}

#[test]
fn sets_that_break_a_rule_are_refused_and_change_nothing() {
    let fixture = fixture("");
    assert_eq!(post(&fixture, &json!([rsa_jwk("a", &RSA_KEY)])).status, 201);
    let without = |member: &str| {
        let mut jwk = rsa_jwk("a", &RSA_KEY);
        jwk.as_object_mut().unwrap().remove(member);
        json!([jwk])
    };
    let with = |member: &str, value: Value| {
        let mut jwk = rsa_jwk("a", &RSA_KEY);
        jwk[member] = value;
        json!([jwk])
    };
    let six: Vec<_> = (0..6)
        .map(|n| rsa_jwk(&format!("k{n}"), &RSA_KEY))
        .collect();
    let mut cases = vec![
        (json!([]), "empty"),
        (json!(six), "at most 5"),
        (with("use", json!("enc")), "use"),
        (with("alg", json!("ES256")), "alg"),
        (with("kid", json!("a/b")), "a kid consists of"),
        (with("kid", json!("foreign-key")), "in use already"),
        (with("d", json!("AA")), "private key"),
        (with("registered_at", json!(NOW + DAY)), "registered_at"),
        (
            json!([rsa_jwk("a", &RSA_KEY), rsa_jwk("a", &OTHER_RSA_KEY)]),
            "two keys",
        ),
    ];
    for member in ["kty", "alg", "use", "e", "n", "kid"] {
        cases.push((without(member), member));
    }
    for (keys, problem) in cases {
        let answer = post(&fixture, &keys);
        assert_eq!(answer.status, 400, "{keys}");
        let text = answer.json["error_description"].as_str().unwrap();
        assert!(text.contains(problem), "{problem}: {text}");
        assert_ne!(answer.json["correlation_id"], Value::Null);
    }
    let bare = json!([rsa_jwk("a", &RSA_KEY)]);
    let path = keys_path(CLIENT);
    assert_eq!(
        ask(&fixture, "idporten:dcr.write", "POST", &path, Some(&bare)).status,
        400
    );
    assert_eq!(kids(&read(&fixture)), ["a"]);
    assert_eq!(fixture.simulator.requests().self_service_changes, 1);
}

#[test]
fn a_key_lives_a_year_and_the_same_key_posted_again_another() {
    let fixture = fixture("");
    let keys = json!([rsa_jwk("a", &RSA_KEY)]);
    post(&fixture, &keys);
    // The admin's own key must not expire first.
    let renew_admin = |at: i64| {
        fixture.set_time(at);
        let admin = json!({
            "client_id": ADMIN, "orgno": ORGNO, "jwks": [rsa_jwk("admin-key", &RSA_KEY)],
            "scopes": ["idporten:dcr.read", "idporten:dcr.write"],
        });
        assert_eq!(fixture.admin("maskinporten/clients", &admin).status, 201);
    };
    renew_admin(NOW + 365 * DAY);
    assert_eq!(grant(&fixture, CLIENT, "a", "x:y").status, 200);
    renew_admin(NOW + 365 * DAY + 1);
    let expired = grant(&fixture, CLIENT, "a", "x:y");
    let uri = expired.json["error_uri"].as_str().unwrap();
    assert!(uri.ends_with("/MP-121"), "{expired:?}");
    post(&fixture, &keys);
    assert_eq!(grant(&fixture, CLIENT, "a", "x:y").status, 200);
    assert_eq!(read(&fixture)["keys"][0]["exp"], NOW + 730 * DAY + 1);
}

#[test]
fn a_new_key_works_when_the_token_endpoint_knows_of_it() {
    let fixture = fixture("[maskinporten]\npropagation_seconds = 120\n");
    post(&fixture, &json!([rsa_jwk("a", &RSA_KEY)]));
    let unknown = |kid: &str| {
        let answer = grant(&fixture, CLIENT, kid, "x:y");
        let text = answer.json["error_description"]
            .as_str()
            .unwrap_or_default();
        text.contains("Unknown key identifier (kid)")
    };
    assert!(unknown("a"));
    assert_eq!(
        kids(&read(&fixture)),
        ["a"],
        "it is registered all the same"
    );
    fixture.set_time(NOW + 119);
    assert!(unknown("a"));
    fixture.set_time(NOW + 120);
    assert_eq!(grant(&fixture, CLIENT, "a", "x:y").status, 200);
    post(
        &fixture,
        &json!([rsa_jwk("a", &RSA_KEY), rsa_jwk("b", &RSA_KEY)]),
    );
    assert_eq!(
        grant(&fixture, CLIENT, "a", "x:y").status,
        200,
        "the old one works on"
    );
    assert!(unknown("b"));
}
