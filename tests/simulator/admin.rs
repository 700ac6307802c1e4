//! Start, stop, registration and counters.

use std::net::{SocketAddr, TcpListener};

use segl::ErrorCode;
use segl::simulator::{Simulator, SimulatorConfig};
use serde_json::{Value, json};

use crate::grants::{self, CLIENT};
use crate::support::*;

#[test]
fn only_loopback_is_served() {
    for address in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let address: SocketAddr = address.parse().unwrap();
        let error = Simulator::start(SimulatorConfig::default(), address).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config);
        assert!(error.message().contains("loopback"), "{error}");
    }
}

#[test]
fn a_taken_port_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = Simulator::start(SimulatorConfig::default(), address).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Io);
    assert!(error.message().contains(&address.to_string()), "{error}");
}

#[test]
fn the_port_is_free_after_shutdown_and_after_drop() {
    let fixture = Fixture::new("");
    let address: SocketAddr = fixture.simulator.urls().base["http://".len()..]
        .parse()
        .unwrap();
    fixture.simulator.shutdown();
    let again = Simulator::start(SimulatorConfig::default(), address).unwrap();
    assert_eq!(again.urls().base, format!("http://{address}"));
    drop(again);
    drop(Simulator::start(SimulatorConfig::default(), address).unwrap());
}

#[test]
fn simulators_do_not_share_anything() {
    let (one, other) = (grants::fixture(), Fixture::new(""));
    assert_ne!(one.simulator.urls().base, other.simulator.urls().base);
    let header = json!({ "alg": "RS256", "kid": "key-1" });
    let answer = other.grant(&jws(&header, &grants::claims(&other, CLIENT), &RSA_KEY));
    assert_eq!(answer.json["error"], "invalid_grant");
    assert_eq!(one.simulator.requests().maskinporten_token, 0);
}

#[test]
fn requests_are_counted_by_endpoint() {
    let fixture = grants::fixture();
    let urls = fixture.simulator.urls();
    get(&urls.maskinporten_metadata);
    get(&urls.maskinporten_jwks_uri);
    get(&urls.dnb_metadata);
    get(&urls.dnb_jwks_uri);
    get(&urls.dnb_jwks_uri);
    fixture.dnb_token("x", "y");
    let header = json!({ "alg": "RS256", "kid": "key-1" });
    let granted = fixture.grant(&jws(&header, &grants::claims(&fixture, CLIENT), &RSA_KEY));
    get(&urls.api);
    with_token("GET", &urls.api, granted.access_token(), None);
    get(&format!("{}/clients", urls.self_service));
    let expected = json!({
        "maskinporten_token": 1,
        "maskinporten_issued": 1,
        "maskinporten_jwk": 1,
        "maskinporten_metadata": 1,
        "dnb_token": 1,
        "dnb_issued": 0,
        "dnb_jwks": 2,
        "dnb_metadata": 1,
        "maskinporten_in_progress": 0,
        "maskinporten_most_at_once_per_grant": 1,
        "api": 2,
        "api_unauthorized": 1,
        "self_service": 1,
        "self_service_changes": 0,
        "dnb_api": 0,
        "dnb_api_unauthorized": 0,
        "helseid_token": 0,
        "helseid_issued": 0,
        "helseid_jwks": 0,
        "helseid_metadata": 0,
        "helseid_api": 0,
        "helseid_api_unauthorized": 0,
        "altinn": 0,
        "altinn_exchange": 0,
        "altinn_issued": 0,
        "dnb_psd2": 0,
        "krr": 0,
        "lanekassen": 0,
        "nav": 0,
        "skatteetaten": 0,
        "kfr": 0,
        "kfr_batches": 0,
        "kfr_relations": 0,
        "dpop_accepted": 0,
        "dpop_refused": 0,
        "dpop_nonce_demanded": 0,
        "tls_connections": 0,
        "tls_resumed": 0,
        "tls_with_certificate": 0,
        "tls_refused": 0,
    });
    assert_eq!(get(&format!("{}/requests", urls.admin)).json, expected);
    assert_eq!(
        serde_json::to_value(fixture.simulator.requests()).unwrap(),
        expected
    );
}

#[test]
fn a_client_is_replaced_with_all_its_keys() {
    let fixture = grants::fixture();
    let mut client = grants::client();
    client["jwks"] = json!({ "keys": [rsa_jwk("key-2", &OTHER_RSA_KEY)] });
    let answer = fixture.admin("maskinporten/clients", &client);
    assert_eq!(
        (answer.status, &answer.json),
        (201, &json!({ "client_id": CLIENT }))
    );
    let send = |kid: &str, key| {
        let header = json!({ "alg": "RS256", "kid": kid });
        fixture
            .grant(&jws(&header, &grants::claims(&fixture, CLIENT), key))
            .status
    };
    assert_eq!(send("key-1", &RSA_KEY), 400);
    assert_eq!(send("key-2", &OTHER_RSA_KEY), 200);
}

#[test]
fn registrations_that_the_self_service_refuses_are_refused() {
    let fixture = Fixture::new("");
    let mut client = json!({ "client_id": "x", "orgno": ORGNO, "scopes": [] });
    let mut with_jwk = |name: &str, value: Value| {
        let mut jwk = rsa_jwk("key-1", &RSA_KEY);
        jwk[name] = value;
        client["jwks"] = json!([jwk]);
        client.clone()
    };
    let mut cases = vec![
        (
            with_jwk("use", Value::Null),
            "jwks",
            "needs \"use\":\"sig\"",
        ),
        (with_jwk("alg", json!("PS256")), "jwks", "needs \"alg\""),
        (with_jwk("kid", json!("a b")), "jwks", "a kid consists of"),
        (with_jwk("d", json!("AA")), "jwks", "private key"),
        (
            with_jwk("registered_at", json!("today")),
            "jwks",
            "registered_at",
        ),
    ];
    let keys: Vec<_> = (0..6)
        .map(|n| rsa_jwk(&format!("key-{n}"), &RSA_KEY))
        .collect();
    let twice = rsa_jwk("key-1", &RSA_KEY);
    for (jwks, problem) in [
        (json!(keys), "at most 5 keys"),
        (json!([twice, twice]), "two keys have the kid"),
        (json!([]), "is empty"),
        (json!("file:/etc/hostname"), "not JSON"),
        (json!([ec_jwk("key-1", &EC_KEY)]), "no RSA key"),
    ] {
        let mut client = json!({ "client_id": "x", "orgno": ORGNO, "scopes": [] });
        client["jwks"] = jwks;
        cases.push((client, "jwks", problem));
    }
    for (member, value, problem) in [
        ("orgno", json!("910753615"), "check digit"),
        ("access_token_lifetime", json!(7201), "1 to 7200"),
        ("access_token_lifetime", json!(0), "1 to 7200"),
        ("name", json!("x"), "unknown field"),
    ] {
        let mut client = json!({ "client_id": "x", "orgno": ORGNO, "scopes": [] });
        client[member] = value;
        cases.push((client, member, problem));
    }
    for (client, path, problem) in cases {
        refused(
            &fixture.admin("maskinporten/clients", &client),
            path,
            problem,
        );
    }
    let rsa = json!({ "client_id": "x", "jwks": [rsa_jwk("key-1", &RSA_KEY)], "scopes": [] });
    refused(&fixture.admin("dnb/clients", &rsa), "jwks", "no P-256 key");
    refused(
        &fixture.admin("outage", &json!({ "kind": "404" })),
        "kind",
        "unknown variant",
    );
}

#[test]
fn admin_endpoints_want_json_and_say_so() {
    let fixture = Fixture::new("");
    let url = format!("{}/maskinporten/clients", fixture.simulator.urls().admin);
    let answer = post(&url, "text/plain", &grants::client().to_string());
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json["error_description"],
        "Content-Type must be application/json"
    );
    let answer = post(&url, "application/json", "{} {}");
    assert_eq!(answer.status, 400);
    let url = format!(
        "{}/maskinporten/trusted-certificates",
        fixture.simulator.urls().admin
    );
    let answer = post(&url, "application/x-pem-file", "no certificate");
    assert_eq!(
        (answer.status, &answer.json["error"]),
        (400, &json!("CERTIFICATE"))
    );
}

fn refused(answer: &Answer, path: &str, problem: &str) {
    assert_eq!(answer.status, 400, "{problem}: {answer:?}");
    assert_eq!(answer.json["error"], "CONFIG");
    assert_eq!(answer.json["path"], path, "{problem}: {answer:?}");
    let description = answer.json["error_description"].as_str().unwrap();
    assert!(
        description.contains(problem),
        "{problem:?} in {description:?}"
    );
}
