//! Token endpoints that fail.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use segl::simulator::{Outage, OutageKind};
use serde_json::{Value, json};

use crate::grants::{self, CLIENT};
use crate::support::*;

fn send(fixture: &Fixture) -> Answer {
    let header = json!({ "alg": "RS256", "kid": "key-1" });
    fixture.grant(&jws(&header, &grants::claims(fixture, CLIENT), &RSA_KEY))
}

fn begin(fixture: &Fixture, outage: Value) {
    let answer = fixture.admin("outage", &outage);
    assert_eq!(answer.status, 204, "{answer:?}");
}

#[test]
fn an_outage_ends_after_its_count() {
    let fixture = grants::fixture();
    begin(&fixture, json!({ "kind": "503", "count": 2 }));
    let statuses: Vec<_> = (0..4).map(|_| send(&fixture).status).collect();
    assert_eq!(statuses, [503, 503, 200, 200]);
    assert_eq!(fixture.simulator.requests().maskinporten_token, 4);
    assert_eq!(fixture.simulator.requests().maskinporten_issued, 2);
}

#[test]
fn an_outage_without_count_lasts_until_it_is_ended() {
    let fixture = grants::fixture();
    begin(&fixture, json!({ "kind": "503" }));
    for _ in 0..5 {
        assert_eq!(send(&fixture).status, 503);
    }
    let url = format!("{}/outage", fixture.simulator.urls().admin);
    assert_eq!(delete(&url).status, 204);
    assert_eq!(send(&fixture).status, 200);
}

#[test]
fn rust_begins_and_ends_outages_too() {
    let fixture = grants::fixture();
    let outage = Outage::new(OutageKind::ServiceUnavailable);
    fixture.simulator.set_outage(Some(outage.clone().times(1)));
    assert_eq!(send(&fixture).status, 503);
    assert_eq!(send(&fixture).status, 200);
    fixture.simulator.set_outage(Some(outage));
    assert_eq!(send(&fixture).status, 503);
    fixture.simulator.set_outage(None);
    assert_eq!(send(&fixture).status, 200);
}

#[test]
fn both_token_endpoints_fail_and_nothing_else() {
    let fixture = grants::fixture();
    begin(&fixture, json!({ "kind": "503" }));
    let urls = fixture.simulator.urls();
    assert_eq!(fixture.dnb_token("a.b.c", "x").status, 503);
    for url in [&urls.maskinporten_jwks_uri, &urls.dnb_metadata] {
        assert_eq!(get(url).status, 200);
    }

    begin(
        &fixture,
        json!({ "kind": "503", "path": "/maskinporten/jwk" }),
    );
    assert_eq!(get(&urls.maskinporten_jwks_uri).status, 503);
    assert_eq!(get(&urls.dnb_jwks_uri).status, 200);
    assert_eq!(send(&fixture).status, 200);
}

#[test]
fn too_many_requests_say_when_to_come_back() {
    let fixture = grants::fixture();
    begin(&fixture, json!({ "kind": "429", "retry_after": 7 }));
    let answer = send(&fixture);
    assert_eq!(answer.status, 429);
    assert_eq!(answer.headers["retry-after"], "7");
}

#[test]
fn what_is_no_token_response_comes_with_200() {
    let fixture = grants::fixture();
    begin(&fixture, json!({ "kind": "html" }));
    let html = send(&fixture);
    assert_eq!(
        (html.status, html.headers["content-type"].as_str()),
        (200, "text/html; charset=utf-8")
    );
    assert!(html.body.starts_with("<!DOCTYPE html>"));

    begin(&fixture, json!({ "kind": "wrong_content" }));
    let wrong = send(&fixture);
    assert_eq!(
        (wrong.status, wrong.headers["content-type"].as_str()),
        (200, "application/json")
    );
    assert_eq!(wrong.json, json!(["no token here"]));
}

#[test]
fn a_huge_body_announces_no_length() {
    let fixture = grants::fixture();
    begin(&fixture, json!({ "kind": "huge" }));
    let answer = send(&fixture);
    assert_eq!(answer.status, 200);
    assert!(!answer.headers.contains_key("content-length"));
    assert!(answer.body.len() > 10 << 20);
    assert!(answer.json["access_token"].as_str().unwrap().len() > 10 << 20);
}

#[test]
fn a_cut_connection_ends_in_the_body() {
    let fixture = grants::fixture();
    begin(&fixture, json!({ "kind": "cut" }));
    let address = fixture
        .simulator
        .urls()
        .base
        .strip_prefix("http://")
        .unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    connection
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let request = format!(
        "POST /maskinporten/token HTTP/1.1\r\nHost: {address}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();

    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(
        head.to_ascii_lowercase().contains("content-length: 1000"),
        "{head}"
    );
    assert_eq!(body, "{\"access_token\":\"eyJ");
}

#[test]
fn a_slow_answer_outlasts_an_impatient_client() {
    let fixture = grants::fixture();
    begin(
        &fixture,
        json!({ "kind": "slow", "delay_ms": 3_600_000, "count": 1 }),
    );
    let error = agent()
        .post(&fixture.simulator.urls().maskinporten_token_endpoint)
        .config()
        .timeout_global(Some(Duration::from_millis(100)))
        .build()
        .send_form([("grant_type", "x")])
        .unwrap_err();
    assert!(matches!(error, ureq::Error::Timeout(_)), "{error}");

    begin(&fixture, json!({ "kind": "slow", "delay_ms": 1 }));
    assert_eq!(send(&fixture).status, 200, "slow, but right");
}

#[test]
fn shutting_down_does_not_wait_for_slow_answers() {
    let fixture = grants::fixture();
    begin(&fixture, json!({ "kind": "slow", "delay_ms": 3_600_000 }));
    let urls = fixture.simulator.urls().clone();
    let waiting = std::thread::spawn(move || {
        agent()
            .post(&urls.maskinporten_token_endpoint)
            .send_form([("grant_type", "x")])
            .unwrap_err()
    });
    while fixture.simulator.requests().maskinporten_token == 0 {
        std::thread::yield_now();
    }
    fixture.simulator.shutdown();
    waiting.join().unwrap();
}
