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

#[test]
fn a_share_of_the_requests_fails_and_the_same_ones_again() {
    let statuses = |outage: Value| -> Vec<u16> {
        let fixture = grants::fixture();
        begin(&fixture, outage);
        let url = &fixture.simulator.urls().maskinporten_jwks_uri;
        (0..100).map(|_| get(url).status).collect()
    };
    let outage = |seed: u64| json!({ "kind": "503", "percent": 30, "seed": seed, "path": "/maskinporten/jwk" });
    let first = statuses(outage(7));
    let failed = first.iter().filter(|status| **status == 503).count();
    assert!((15..45).contains(&failed), "{failed} of 100 are about 30 %");
    assert_eq!(statuses(outage(7)), first);
    assert_ne!(statuses(outage(8)), first);
}

#[test]
fn the_shares_of_several_outages_add_up() {
    let fixture = grants::fixture();
    let url = &fixture.simulator.urls().maskinporten_jwks_uri;
    let path = "/maskinporten/jwk";
    begin(
        &fixture,
        json!([
            { "kind": "503", "percent": 60, "path": path },
            { "kind": "429", "percent": 40, "path": path },
            { "kind": "html", "path": path },
        ]),
    );
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..100 {
        *seen.entry(get(url).status).or_insert(0) += 1;
    }
    let kinds: Vec<_> = seen.keys().copied().collect();
    assert_eq!(kinds, [429, 503], "nothing is left for a third one");
    assert!((40..80).contains(&seen[&503]), "{seen:?}");
}

#[test]
fn an_outage_that_is_over_leaves_its_share_to_the_next() {
    let fixture = grants::fixture();
    let outage = Outage::new(OutageKind::ServiceUnavailable);
    let next = Outage::new(OutageKind::TooManyRequests);
    fixture
        .simulator
        .set_outages(vec![outage.times(1), next.times(2)]);
    let statuses: Vec<_> = (0..4).map(|_| send(&fixture).status).collect();
    assert_eq!(statuses, [503, 429, 429, 200]);
}

#[test]
fn outages_that_cannot_be_are_refused() {
    let fixture = grants::fixture();
    for outage in [
        json!({ "kind": "503", "percent": 0 }),
        json!({ "kind": "503", "percent": 101 }),
        json!([{ "kind": "503" }, { "kind": "404" }]),
        json!("503"),
    ] {
        assert_eq!(fixture.admin("outage", &outage).status, 400, "{outage}");
    }
    assert_eq!(send(&fixture).status, 200, "none of them began");
}

/// Sends the grant again and again on threads of their own, and waits until
/// `count` requests have come in.
fn send_many(fixture: &Fixture, count: u64) -> Vec<std::thread::JoinHandle<u16>> {
    let before = fixture.simulator.requests().maskinporten_token;
    let threads = (0..count)
        .map(|_| {
            let header = json!({ "alg": "RS256", "kid": "key-1" });
            let assertion = jws(&header, &grants::claims(fixture, CLIENT), &RSA_KEY);
            let url = fixture.simulator.urls().maskinporten_token_endpoint.clone();
            std::thread::spawn(move || {
                let form = [
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("assertion", &assertion),
                ];
                post_form(&url, &form).status
            })
        })
        .collect();
    while fixture.simulator.requests().maskinporten_token < before + count {
        std::thread::yield_now();
    }
    threads
}

/// Waits until so many requests for one grant were seen at once.
fn wait_for_most(fixture: &Fixture, count: u64) {
    while fixture
        .simulator
        .requests()
        .maskinporten_most_at_once_per_grant
        < count
    {
        std::thread::yield_now();
    }
}

#[test]
fn hanging_requests_go_on_when_the_outage_is_ended() {
    let fixture = grants::fixture();
    begin(&fixture, json!({ "kind": "hang" }));
    let waiting = send_many(&fixture, 3);
    wait_for_most(&fixture, 3);
    assert!(waiting.iter().all(|thread| !thread.is_finished()));
    assert_eq!(fixture.simulator.requests().maskinporten_issued, 0);
    fixture.simulator.set_outage(None);
    for thread in waiting {
        assert_eq!(thread.join().unwrap(), 200);
    }
    assert_eq!(send(&fixture).status, 200);
}

#[test]
fn the_same_grant_at_once_is_counted_and_others_are_not() {
    let fixture = grants::fixture();
    for _ in 0..3 {
        send(&fixture);
    }
    let most = || {
        fixture
            .simulator
            .requests()
            .maskinporten_most_at_once_per_grant
    };
    assert_eq!(most(), 1, "one after the other");

    begin(&fixture, json!({ "kind": "hang" }));
    let mut waiting = send_many(&fixture, 1);
    let header = json!({ "alg": "RS256", "kid": "key-1" });
    let mut claims = grants::claims(&fixture, CLIENT);
    claims["consumer_org"] = json!(CUSTOMER);
    let other = jws(&header, &claims, &RSA_KEY);
    let url = fixture.simulator.urls().maskinporten_token_endpoint.clone();
    waiting.push(std::thread::spawn(move || {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", &other),
        ];
        post_form(&url, &form).status
    }));
    while fixture.simulator.requests().maskinporten_token < 5 {
        std::thread::yield_now();
    }
    assert_eq!(most(), 1, "another consumer is another grant");
    waiting.extend(send_many(&fixture, 1));
    wait_for_most(&fixture, 2);
    fixture.simulator.set_outage(None);
    for thread in waiting {
        assert_eq!(thread.join().unwrap(), 200);
    }
    assert_eq!(most(), 2);
}

#[test]
fn a_client_that_goes_away_is_no_longer_in_progress() {
    let fixture = grants::fixture();
    begin(&fixture, json!({ "kind": "hang" }));
    for _ in 0..2 {
        let header = json!({ "alg": "RS256", "kid": "key-1" });
        let assertion = jws(&header, &grants::claims(&fixture, CLIENT), &RSA_KEY);
        let form = format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"
        );
        let address = fixture.simulator.urls().base["http://".len()..].to_owned();
        let mut connection = TcpStream::connect(&address).unwrap();
        write!(
            connection,
            "POST /maskinporten/token HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
            form.len()
        )
        .unwrap();
        while fixture.simulator.requests().maskinporten_in_progress == 0 {
            std::thread::yield_now();
        }
        drop(connection);
        while fixture.simulator.requests().maskinporten_in_progress > 0 {
            std::thread::yield_now();
        }
    }
    let most = fixture
        .simulator
        .requests()
        .maskinporten_most_at_once_per_grant;
    assert_eq!(most, 1);
}

#[test]
fn shutting_down_does_not_wait_for_hanging_requests() {
    let fixture = grants::fixture();
    begin(&fixture, json!({ "kind": "hang" }));
    let url = fixture.simulator.urls().maskinporten_token_endpoint.clone();
    let waiting = std::thread::spawn(move || agent().post(&url).send_form([("grant_type", "x")]));
    while fixture.simulator.requests().maskinporten_token == 0 {
        std::thread::yield_now();
    }
    fixture.simulator.shutdown();
    assert!(waiting.join().unwrap().is_err());
}
