//! Requests to APIs.

use std::collections::HashSet;
use std::sync::Barrier;
use std::thread;

use segl::apis::Authorized;
use segl::http::Method;
use segl::{ErrorCode, TokenRequest};

use crate::dpop_server::{Nonces, StrictServer};
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
}

#[test]
fn an_api_that_always_asks_for_a_nonce_costs_no_token() {
    for (nonces, requests) in [(Nonces::NeverContent, 2), (Nonces::Secret, 1)] {
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
    const THREADS: usize = 8;
    const REQUESTS: usize = 25;
    let server = StrictServer::new(Nonces::NewAfter(3), Nonces::NewAfter(40));
    let client = client(&server);
    let start = Barrier::new(THREADS);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let (client, start) = (client.clone(), &start);
                let api = Authorized::new(client, TokenRequest::default());
                let url = if number % 2 == 0 { ONE } else { TWO };
                scope.spawn(move || {
                    start.wait();
                    let send = |_| api.send(&get(url), &call()).unwrap().status;
                    (0..REQUESTS).map(send).collect::<Vec<_>>()
                })
            })
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Vec<u16>>| thread.join().unwrap();
        threads.into_iter().flat_map(join).collect()
    });
    // One of them may meet two changes in a row, which the API answers by 401.
    let good = statuses.iter().filter(|status| **status == 200).count();
    assert!(
        good * 100 >= statuses.len() * 95,
        "{good} of {}",
        statuses.len()
    );
    assert!(statuses.iter().all(|status| [200, 401].contains(status)));
    assert_eq!(server.problems(), [""; 0]);
    assert_eq!(client.token_health().rejected, 0);
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
