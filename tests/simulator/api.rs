//! The API behind Maskinporten's tokens, and how long tokens live.

use serde_json::{Value, json};

use crate::grants::{self, CLIENT};
use crate::support::*;

fn token(fixture: &Fixture) -> String {
    token_with(fixture, json!({}))
}

fn token_with(fixture: &Fixture, extra: Value) -> String {
    let mut claims = grants::claims(fixture, CLIENT);
    for (name, value) in extra.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let header = json!({ "alg": "RS256", "kid": "key-1" });
    let answer = fixture.grant(&jws(&header, &claims, &RSA_KEY));
    answer.access_token().to_owned()
}

fn call(fixture: &Fixture, token: &str) -> Answer {
    with_token("GET", &fixture.simulator.urls().api, token, None)
}

#[test]
fn it_says_whose_token_it_got() {
    let fixture = grants::fixture();
    let token = token(&fixture);
    let answer = call(&fixture, &token);
    assert_eq!(answer.status, 200);
    let claims = verified_claims(&token, &fixture.simulator.urls().maskinporten_jwks_uri);
    assert_eq!(answer.json["consumer"], ORGNO);
    assert_eq!(answer.json["client_id"], CLIENT);
    assert_eq!(answer.json["scope"], "bank:saldo");
    assert_eq!(answer.json["jti"], claims["jti"]);
    let base = &fixture.simulator.urls().base;
    for method in ["POST", "PUT", "DELETE"] {
        let url = format!("{base}/api/echo/x");
        let body = (method != "DELETE").then(|| json!({ "x": 1 }));
        let answer = with_token(method, &url, &token, body.as_ref());
        assert_eq!(
            (answer.status, &answer.json["method"]),
            (200, &json!(method))
        );
    }
    let consumer = token_with(&fixture, json!({ "consumer_org": CUSTOMER }));
    assert_eq!(call(&fixture, &consumer).json["consumer"], CUSTOMER);
}

#[test]
fn a_scope_can_be_required() {
    let fixture = grants::fixture();
    let token = token(&fixture);
    let status = |scope: &str| {
        let url = format!("{}?scope={scope}", fixture.simulator.urls().api);
        with_token("GET", &url, &token, None)
    };
    assert_eq!(status("bank:saldo").status, 200);
    let refused = status("bank:sald");
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.headers["www-authenticate"],
        "Bearer error=\"insufficient_scope\""
    );
    assert_eq!(fixture.simulator.requests().api_unauthorized, 0);
}

#[test]
fn what_is_no_token_of_its_own_is_refused() {
    let fixture = grants::fixture();
    let token = token(&fixture);
    let other = grants::fixture();
    let foreign = {
        let header = json!({ "alg": "RS256", "kid": "key-1" });
        let answer = other.grant(&jws(&header, &grants::claims(&other, CLIENT), &RSA_KEY));
        answer.access_token().to_owned()
    };
    let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
    for bad in ["x", &foreign, &unsigned, &format!("{token}A")] {
        let answer = call(&fixture, bad);
        assert_eq!(answer.status, 401, "{bad}");
        assert_eq!(
            answer.headers["www-authenticate"],
            "Bearer error=\"invalid_token\""
        );
    }
    let without = get(&fixture.simulator.urls().api);
    assert_eq!(
        (without.status, without.headers["www-authenticate"].as_str()),
        (401, "Bearer")
    );
    assert_eq!(call(&fixture, &token).status, 200);
    let requests = fixture.simulator.requests();
    assert_eq!((requests.api, requests.api_unauthorized), (6, 5));
}

#[test]
fn tokens_are_refused_one_by_one_or_all_at_once() {
    let fixture = grants::fixture();
    let (one, other) = (token(&fixture), token(&fixture));
    let jti = call(&fixture, &one).json["jti"].clone();
    let answer = fixture.admin("api/reject", &json!({ "jti": jti }));
    assert_eq!((answer.status, &answer.json["rejected"]), (201, &json!(1)));
    assert_eq!(call(&fixture, &one).status, 401);
    assert_eq!(call(&fixture, &other).status, 200);

    let answer = fixture.admin("api/reject", &json!({ "all": true }));
    assert_eq!(answer.json["rejected"], 2);
    assert_eq!(call(&fixture, &other).status, 401);
    let later = token(&fixture);
    assert_eq!(call(&fixture, &later).status, 200, "issued afterwards");
    assert_eq!(fixture.simulator.reject_tokens(), 3);
    assert_eq!(call(&fixture, &later).status, 401);

    for wrong in [
        json!({}),
        json!({ "jti": "none" }),
        json!({ "jti": jti, "all": true }),
        json!({ "all": true, "x": 1 }),
    ] {
        assert_eq!(fixture.admin("api/reject", &wrong).status, 400, "{wrong}");
    }
}

#[test]
fn tokens_live_from_one_second_to_two_hours() {
    for lifetime in [1, 120, 7200] {
        let fixture = grants::fixture();
        let mut client = grants::client();
        client["access_token_lifetime"] = json!(lifetime);
        assert_eq!(fixture.admin("maskinporten/clients", &client).status, 201);
        let token = token(&fixture);
        fixture.set_time(NOW + lifetime - 1);
        assert_eq!(call(&fixture, &token).status, 200, "{lifetime}");
        fixture.set_time(NOW + lifetime);
        assert_eq!(call(&fixture, &token).status, 401, "{lifetime}");
    }
}

#[test]
fn delegations_and_system_users_change_while_it_runs() {
    let fixture = grants::fixture();
    let send = |extra: Value| {
        let mut claims = grants::claims(&fixture, CLIENT);
        for (name, value) in extra.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let header = json!({ "alg": "RS256", "kid": "key-1" });
        fixture.grant(&jws(&header, &claims, &RSA_KEY))
    };
    let delegated = json!({ "consumer_org": STRANGER });
    let system_user = json!({ "authorization_details": [{
        "type": "urn:altinn:systemuser",
        "systemuser_org": { "authority": "iso6523-actorid-upis", "ID": format!("0192:{STRANGER}") },
    }] });
    assert_eq!(send(delegated.clone()).status, 403);
    assert_eq!(send(system_user.clone()).status, 400);

    let mut client = grants::client();
    client["delegations"] = json!([{ "consumer": STRANGER, "scopes": ["bank:saldo"] }]);
    client["system_users"] = json!([
        { "orgno": STRANGER, "systemuser_id": "c545ed32-1ea7-4af3-b8d2-58a4a3a7e2f5", "system_id": "system" },
    ]);
    assert_eq!(fixture.admin("maskinporten/clients", &client).status, 201);
    assert_eq!(send(delegated.clone()).status, 200);
    assert_eq!(send(system_user.clone()).status, 200);

    assert_eq!(
        fixture
            .admin("maskinporten/clients", &grants::client())
            .status,
        201
    );
    assert_eq!(send(delegated).status, 403, "taken back");
    assert_eq!(send(system_user).status, 400, "taken back");
}
