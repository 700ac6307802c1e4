//! Requests to APIs.

use std::collections::HashSet;
use std::sync::{Arc, Barrier};
use std::thread;

use segl::apis::Authorized;
use segl::http::Method;
use segl::{ErrorCode, TokenClient, TokenRequest};

use crate::dpop_server::{Nonces, StrictServer, Token};
use crate::{call, client, get, token};

const ONE: &str = "https://one.example/a?page=2";
const TWO: &str = "https://two.example:8443/a";

#[test]
fn a_request_carries_the_token_and_a_proof_of_its_own() {
    let server = StrictServer::new(Nonces::Unasked, Nonces::Unasked);
    let api = Authorized::new(client(&server), TokenRequest::default());
    for _ in 0..3 {
        assert_eq!(api.send(&get(ONE), &call()).unwrap().status, 200);
    }
    assert_eq!(server.statuses(), [200, 200, 200, 200]);
    let seen = server.seen();
    assert_eq!(seen[1].claims["htu"], "https://one.example/a");
    let jtis: HashSet<_> = seen
        .iter()
        .map(|seen| seen.claims["jti"].to_string())
        .collect();
    assert_eq!(jtis.len(), 4);
}

#[test]
fn each_api_has_its_own_nonce_and_keeps_the_token() {
    let server = StrictServer::new(Nonces::NewAfter(100), Nonces::NewAfter(100));
    let client = client(&server);
    let api = Authorized::new(client.clone(), TokenRequest::default());
    for url in [ONE, TWO, ONE, TWO] {
        assert_eq!(api.send(&get(url), &call()).unwrap().status, 200);
    }
    assert_eq!(server.statuses(), [400, 200, 401, 200, 401, 200, 200, 200]);
    let seen = server.seen();
    assert_ne!(seen[3].claims["nonce"], seen[5].claims["nonce"]);
    assert_eq!(seen[3].claims["nonce"], seen[6].claims["nonce"]);
    assert_eq!(client.token_health().rejected, 0);
    assert_eq!(server.problems(), [""; 0]);
}

#[test]
fn the_token_endpoints_nonce_is_not_that_of_an_api_with_its_origin() {
    let server = StrictServer::new(Nonces::NewAfter(100), Nonces::NewAfter(100));
    let api = Authorized::new(client(&server), TokenRequest::default());
    let answer = api
        .send(&get("https://as.example/userinfo"), &call())
        .unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(server.statuses(), [400, 200, 401, 200]);
    assert!(server.seen()[2].claims.get("nonce").is_none());
}

#[test]
fn a_token_that_is_refused_is_replaced_once() {
    let server = StrictServer::new(Nonces::NewAfter(100), Nonces::NewAfter(100));
    let client = client(&server);
    let api = Authorized::new(client.clone(), TokenRequest::default());
    api.send(&get(ONE), &call()).unwrap();
    let before = server.statuses().len();
    server.revoke();
    assert_eq!(api.send(&get(ONE), &call()).unwrap().status, 200);
    assert_eq!(server.statuses()[before..], [401, 200, 200]);
    assert_eq!(client.token_health().rejected, 1);
    server.revoke();
    assert_eq!(
        api.send(&get(ONE), &call()).unwrap().status,
        401,
        "too soon"
    );
    let statuses = server.statuses();
    assert_eq!(
        statuses[before + 3..],
        [401],
        "the same token is not sent again"
    );
}

#[test]
fn an_api_that_always_asks_for_a_nonce_costs_no_token() {
    for (nonces, requests) in [(Nonces::NeverContent, 4), (Nonces::Secret, 1)] {
        let server = StrictServer::new(Nonces::Unasked, nonces);
        let client = client(&server);
        let first = token(&client);
        let api = Authorized::new(client.clone(), TokenRequest::default());
        assert_eq!(api.send(&get(ONE), &call()).unwrap().status, 401);
        assert_eq!(server.statuses().len(), 1 + requests, "{nonces:?}");
        assert_eq!(client.token_health().rejected, 0);
        assert_eq!(token(&client).generation(), first.generation());
    }
}

#[test]
fn many_threads_go_on_while_nonces_change() {
    for (threads, requests, nonces) in [
        (8, 25, Nonces::NewAfter(40)),
        (64, 10, Nonces::NewAfter(300)),
        (8, 150, Nonces::Lasting(200)),
    ] {
        let server = StrictServer::new(Nonces::NewAfter(3), nonces);
        let client = client(&server);
        let statuses = statuses_of(&client, threads, requests);
        let refused = statuses.iter().filter(|status| **status != 200).count();
        assert_eq!(
            (statuses.len(), refused),
            (threads * requests, 0),
            "{nonces:?}"
        );
        assert_eq!(server.problems(), [""; 0]);
        let asked = server
            .statuses()
            .iter()
            .filter(|status| **status == 401)
            .count();
        assert!(asked > 0, "{nonces:?}");
        assert_eq!(client.token_health().rejected, 0);
    }
}

/// Of the requests of so many threads, half of them to another API.
fn statuses_of(client: &Arc<TokenClient>, threads: usize, requests: usize) -> Vec<u16> {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|number| {
                let (client, start) = (client.clone(), &start);
                let api = Authorized::new(client, TokenRequest::default());
                let url = if number % 2 == 0 { ONE } else { TWO };
                scope.spawn(move || {
                    start.wait();
                    let send = |_| api.send(&get(url), &call()).unwrap().status;
                    (0..requests).map(send).collect::<Vec<_>>()
                })
            })
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Vec<u16>>| thread.join().unwrap();
        threads.into_iter().flat_map(join).collect()
    })
}

/// A client with a wrong clock and a token out of the cache has not heard of the time
/// that the API goes by.
#[test]
fn a_clock_that_went_wrong_is_set_right_by_the_next_token() {
    let server = StrictServer::new(Nonces::Unasked, Nonces::Unasked);
    let client = client(&server);
    let api = Authorized::new(client.clone(), TokenRequest::default());
    api.send(&get(ONE), &call()).unwrap();
    server.ahead.store(60, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(api.send(&get(ONE), &call()).unwrap().status, 200);
    assert_eq!(server.statuses()[2..], [401, 400, 200, 200]);
    assert_eq!(api.send(&get(ONE), &call()).unwrap().status, 200);
}

#[test]
fn a_proof_is_for_the_url_as_it_is_sent() {
    let server = StrictServer::new(Nonces::Unasked, Nonces::NewAfter(100));
    let api = Authorized::new(client(&server), TokenRequest::default());
    for (url, htu) in [
        ("HTTPS://One.Example:443/a?b=c", "https://one.example/a"),
        ("https://one.example:8443", "https://one.example:8443/"),
        (
            "https://one.example/x/../a%2Fb?",
            "https://one.example/a%2Fb",
        ),
    ] {
        assert_eq!(api.send(&get(url), &call()).unwrap().status, 200, "{url}");
        assert_eq!(server.seen().last().unwrap().claims["htu"], htu);
    }
    // The first and the last have one origin, and so one nonce.
    assert_eq!(server.statuses(), [200, 401, 200, 401, 200, 200]);
}

#[test]
fn a_program_that_sends_its_own_requests_gets_proofs() {
    let server = StrictServer::new(Nonces::Unasked, Nonces::NewAfter(100));
    let client = client(&server);
    let token = token(&client);
    let send = || {
        let url = ONE.parse().unwrap();
        let proof = client
            .dpop_proof(Method::Put, &url, &token, &call())
            .unwrap();
        let headers = [
            (
                "Authorization".to_owned(),
                token.authorization().to_string(),
            ),
            ("DPoP".to_owned(), proof),
        ];
        server.answer("PUT", ONE, &headers, b"")
    };
    let refused = send();
    assert_eq!(refused.status, 401);
    let nonce = refused.header("dpop-nonce").unwrap();
    client
        .note_dpop_nonce(&"https://one.example/other".parse().unwrap(), nonce)
        .unwrap();
    assert_eq!(send().status, 200);
}

#[test]
fn a_bearer_token_has_no_proof() {
    let answer = r#"{"access_token":"t","token_type":"Bearer","expires_in":60}"#;
    let transport =
        crate::support::ScriptedTransport::answering([crate::support::json_answer(200, answer)]);
    let settings = crate::SETTINGS.replace(r#","dpop":{}"#, "");
    let client = crate::support::builder(
        &settings,
        crate::support::signer(&crate::support::p256_key()),
        1,
    )
    .transport(transport)
    .build(&call())
    .unwrap();
    assert_eq!(client.dpop_thumbprint(), None);
    let token = token(&client);
    let url = ONE.parse().unwrap();
    let error = client
        .dpop_proof(Method::Get, &url, &token, &call())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    let error = client.note_dpop_nonce(&url, "n").unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unsupported);
}

#[test]
fn the_log_has_no_proof_no_token_and_no_query() {
    #[derive(Clone, Default)]
    struct Records(Arc<std::sync::Mutex<String>>);
    impl segl::log::Sink for Records {
        fn log(&self, _: segl::log::Level, _: &'static str, message: &str) {
            *self.0.lock().unwrap() += &format!("{message}\n");
        }
    }
    let records = Records::default();
    segl::log::set_sink(Some(Box::new(records.clone())), segl::log::Level::Debug);
    let server = StrictServer::new(Nonces::NewAfter(2), Nonces::NewAfter(2));
    let client = client(&server);
    let api = Authorized::new(client.clone(), TokenRequest::default());
    for form in [Token::Jwt, Token::Opaque, Token::Bearer] {
        *server.token.lock().unwrap() = form;
        client.forget(None);
        let answer = api.send(&get(ONE), &call());
        assert_eq!(answer.is_ok(), form != Token::Bearer);
        if form == Token::Jwt {
            server.revoke();
            assert_eq!(api.send(&get(ONE), &call()).unwrap().status, 200);
        }
    }
    segl::log::set_sink(None, segl::log::Level::Warn);
    let records = records.0.lock().unwrap();
    assert!(
        records.contains("GET https://one.example/a answered 401"),
        "{records}"
    );
    assert!(records.contains("type Bearer"), "{records}");
    for part in ["eyJ", "opaque-", "page=2"] {
        assert!(!records.contains(part), "{records}");
    }
}
