//! What becomes of failures: tried again, remembered, held back; and rejections.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use segl::clock::{Clock, UnixTime};
use segl::http::Response;
use segl::{Call, ErrorCode, TokenRequest};

use super::support::{builder, claims, json_answer, rsa_key, signer};
use super::{SETTINGS, START, refusal, server_error, setup};

/// A clock that shows another second each time it is read.
#[derive(Debug)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

#[test]
fn the_times_of_an_assertion_come_from_one_reading_of_the_clock() {
    for settings in [
        SETTINGS,
        r#"{"profile":"maskinporten","environment":"test","client_id":"c1","kid":"k1","scopes":["a:b"],
            "nbf":true,"lifetime_seconds":30,"backdate_seconds":5}"#,
    ] {
        let client = builder(settings, signer(&rsa_key()), START)
            .clock(Arc::new(Ticking(AtomicI64::new(START))))
            .build(&Call::none())
            .unwrap();
        for _ in 0..20 {
            let assertion = client.assertion(&TokenRequest::default(), &Call::none());
            let claims = claims(&assertion.unwrap());
            let seconds = |name: &str| claims[name].as_i64().unwrap();
            let life = if settings == SETTINGS { 120 } else { 30 };
            assert_eq!(seconds("exp") - seconds("iat"), life);
            if claims.get("nbf").is_some() {
                assert_eq!(seconds("nbf"), seconds("iat"));
            }
        }
    }
}

#[test]
fn each_try_has_a_new_assertion() {
    let setup = setup();
    setup
        .endpoint
        .set(|state| state.failing = Some(server_error()));
    let asking = {
        let client = setup.client.clone();
        thread::spawn(move || client.token(&TokenRequest::default(), &Call::none()))
    };
    setup.endpoint.wait_for(|state| state.assertions.len() == 2);
    setup.at(7.0);
    setup.endpoint.set(|state| state.failing = None);
    asking.join().unwrap().unwrap();
    let state = setup.endpoint.state.lock().unwrap();
    let claims: Vec<_> = state.assertions.iter().map(|jwt| claims(jwt)).collect();
    let ids: BTreeSet<_> = claims
        .iter()
        .map(|claims| claims["jti"].to_string())
        .collect();
    assert!(claims.len() >= 3);
    assert_eq!(ids.len(), claims.len());
    let iat = |index: usize| claims[index]["iat"].as_i64().unwrap();
    assert_eq!(iat(claims.len() - 1) - iat(0), 7);
    for claims in &claims {
        let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(life, 120);
    }
}

#[test]
fn a_failure_that_passes_is_tried_again_and_no_caller_is_late() {
    let setup = setup();
    setup
        .endpoint
        .set(|state| state.failing = Some(server_error()));
    let begin = Instant::now();
    let error = setup.token().unwrap_err();
    // The pause after the last try would have been over too late.
    assert!(
        begin.elapsed() <= Duration::from_millis(320),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(error.code(), ErrorCode::TokenServer);
    assert!(error.retryable());
    assert!((2..=7).contains(&setup.endpoint.requests()));
}

#[test]
fn a_refusal_is_not_tried_again_and_remembered_for_some_seconds() {
    let setup = setup();
    setup.endpoint.set(|state| state.failing = Some(refusal()));
    for _ in 0..50 {
        let error = setup.token().unwrap_err();
        assert_eq!(error.details().provider_code.as_deref(), Some("MP-200"));
    }
    assert_eq!(setup.endpoint.requests(), 1);
    let wait = setup.token().unwrap_err().details().retry_after.unwrap();
    assert!(wait <= Duration::from_secs(5));
    setup.at(0.9);
    setup.token().unwrap_err();
    assert_eq!(setup.endpoint.requests(), 1);
    setup.endpoint.set(|state| state.failing = None);
    setup.at(5.0);
    assert_eq!(setup.text(), "token-2");
    // Another request was never held up.
    let other = TokenRequest::from_json(r#"{"scopes":["c:d"]}"#).unwrap();
    setup.client.token(&other, &Call::none()).unwrap();
}

#[test]
fn a_refused_request_can_be_asked_anew_at_once() {
    let setup = setup();
    setup.endpoint.set(|state| state.failing = Some(refusal()));
    setup.token().unwrap_err();
    setup.endpoint.set(|state| state.failing = None);
    setup.token().unwrap_err();
    let fetched = setup.client.fetch(&TokenRequest::default(), &Call::none());
    assert_eq!(fetched.unwrap().access_token(), "token-2");
    assert_eq!(setup.text(), "token-2");
}

#[test]
fn retry_after_holds_every_request_of_the_client() {
    let setup = setup();
    let slow_down = Response::new(
        429,
        vec![("retry-after".into(), "60".into())],
        b"{}".to_vec(),
    );
    setup.endpoint.set(|state| state.failing = Some(slow_down));
    assert_eq!(
        setup.token().unwrap_err().code(),
        ErrorCode::TokenRateLimited
    );
    setup.endpoint.set(|state| state.failing = None);
    setup.at(59.0);
    let other = TokenRequest::from_json(r#"{"scopes":["c:d"]}"#).unwrap();
    let call = Call::within(Duration::from_millis(300));
    let error = setup.client.token(&other, &call).unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenRateLimited);
    assert_eq!(error.details().retry_after, Some(Duration::from_secs(1)));
    assert_eq!(setup.endpoint.requests(), 1);
    // A call that lasts longer than that waits for it.
    let begin = Instant::now();
    setup.client.token(&other, &Call::none()).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(990));
    setup.at(60.0);
    assert_eq!(setup.text(), "token-3");
}

#[test]
fn a_rejected_token_is_replaced_once_however_many_met_it() {
    let setup = setup();
    let rejected = setup.token().unwrap();
    let request = TokenRequest::default();
    let barrier = Arc::new(Barrier::new(16));
    let dropped = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let (client, barrier) = (setup.client.clone(), barrier.clone());
            let (rejected, dropped) = (rejected.clone(), dropped.clone());
            thread::spawn(move || {
                barrier.wait();
                if client.reject(&TokenRequest::default(), &rejected) {
                    dropped.fetch_add(1, Ordering::SeqCst);
                }
                let token = client.token(&TokenRequest::default(), &Call::none());
                token.unwrap().access_token().to_owned()
            })
        })
        .collect();
    let tokens: BTreeSet<_> = callers.into_iter().map(|c| c.join().unwrap()).collect();
    assert_eq!(tokens, BTreeSet::from(["token-2".to_owned()]));
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    assert_eq!(setup.endpoint.requests(), 2);
    assert!(!setup.client.reject(&request, &rejected), "it was replaced");
    let spelled_out = TokenRequest::for_scopes(["a:b".parse().unwrap()]);
    let second = setup.token().unwrap();
    let reject = || setup.client.reject(&spelled_out, &second);
    assert!(!reject(), "just after another");
    setup.at(10.0);
    assert!(reject(), "the same request");
    setup.text();
    setup.at(20.0);
    assert!(!reject() && !setup.client.reject(&request, &rejected));
    assert_eq!(setup.text(), "token-3");
}

#[test]
fn what_a_server_sends_back_names_nobody_and_holds_no_assertion() {
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJwaWQiOiIxMjM0NTY3ODkwMSJ9.c2ln";
    let cases = [
        ("pid12345678901 is unknown", "pid[redacted] is unknown"),
        ("no person 12345678901.", "no person [redacted]."),
        (jwt, "[redacted]"),
        (
            "bad 'JWT', see (id 4bf92f3577b34da6a3ce929d0e0e47ab)",
            "bad 'JWT', see (id 4bf92f3577b34da6a3ce929d0e0e47ab)",
        ),
        (
            "id 12345678901b4f00-aaaa, 1234567890",
            "id 12345678901b4f00-aaaa, 1234567890",
        ),
        (
            "two of them: 1234567890123456789012",
            "two of them: [redacted]",
        ),
    ];
    for (text, shown) in cases {
        let setup = setup();
        let body = format!(r#"{{"error":"invalid_grant","error_description":"{text}"}}"#);
        let answer = json_answer(400, &body);
        setup.endpoint.set(|state| state.failing = Some(answer));
        let error = setup.token().unwrap_err();
        let description = error.details().oauth_error_description.clone();
        assert_eq!(description.as_deref(), Some(shown));
        assert!(error.message().contains(shown), "{error}");
    }
}
