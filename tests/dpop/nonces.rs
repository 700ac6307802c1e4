//! Nonces of the token endpoint, and what is wrong with its clock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use segl::keys::{Origin, PublicJwk, Signer};
use segl::{Algorithm, Call, ErrorCode, Result, TokenRequest};

use crate::dpop_server::{Nonces, StrictServer, TOKEN_ENDPOINT};
use crate::support::{p256_key, signer};
use crate::{builder, call, client, token};

#[test]
fn a_server_that_asks_for_no_nonce_gets_none() {
    let server = StrictServer::new(Nonces::Unasked, Nonces::Unasked);
    token(&client(&server));
    assert_eq!(server.statuses(), [200]);
    let seen = &server.seen()[0];
    assert_eq!(seen.claims["htu"], TOKEN_ENDPOINT);
    assert_eq!(seen.claims["htm"], "POST");
}

#[test]
fn a_nonce_costs_one_more_request_and_no_failure() {
    let server = StrictServer::new(Nonces::NewAfter(100), Nonces::Unasked);
    let client = client(&server);
    token(&client);
    assert_eq!(server.statuses(), [400, 200]);
    for _ in 0..3 {
        client.fetch(&TokenRequest::default(), &call()).unwrap();
    }
    assert_eq!(
        server.statuses(),
        [400, 200, 200, 200, 200],
        "it is remembered"
    );
    let health = client.token_health();
    assert_eq!((health.requests, health.failures), (5, 0));
    assert_eq!(server.problems(), [""; 0]);
}

#[test]
fn the_nonce_of_every_answer_counts() {
    let server = StrictServer::new(Nonces::NewAfter(1), Nonces::Unasked);
    let client = client(&server);
    for _ in 0..4 {
        client.fetch(&TokenRequest::default(), &call()).unwrap();
    }
    assert_eq!(server.statuses(), [400, 200, 200, 200, 200]);
    let seen = server.seen();
    assert_ne!(seen[1].claims["nonce"], seen[2].claims["nonce"]);
}

#[test]
fn a_nonce_that_is_over_is_replaced() {
    let server = StrictServer::new(Nonces::NewAfter(100), Nonces::Unasked);
    let client = client(&server);
    token(&client);
    server.expire_nonces();
    client.fetch(&TokenRequest::default(), &call()).unwrap();
    assert_eq!(server.statuses(), [400, 200, 400, 200]);
    assert_eq!(client.token_health().failures, 0);
}

#[test]
fn nonces_that_change_at_once_are_followed_three_times() {
    let server = StrictServer::new(Nonces::Unsettled(3), Nonces::Unsettled(3));
    let client = client(&server);
    let api = segl::apis::Authorized::new(client.clone(), TokenRequest::default());
    let answer = api.send(&crate::get("https://api.example/a"), &call());
    assert_eq!(answer.unwrap().status, 200);
    assert_eq!(
        server.statuses(),
        [400, 400, 400, 200, 401, 401, 401, 200],
        "{:?}",
        server.problems()
    );
    assert_eq!(server.problems(), [""; 0]);
    let health = client.token_health();
    assert_eq!(
        (health.requests, health.failures, health.rejected),
        (4, 0, 0)
    );
}

#[test]
fn many_threads_get_tokens_while_nonces_change() {
    const THREADS: usize = 8;
    let server = StrictServer::new(Nonces::NewAfter(40), Nonces::Unasked);
    let client = client(&server);
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (client, start) = (&client, &start);
            scope.spawn(move || {
                let request = format!(r#"{{"scopes":["a:{number}"]}}"#);
                let request = TokenRequest::from_json(&request).unwrap();
                start.wait();
                for _ in 0..15 {
                    client.fetch(&request, &call()).unwrap();
                }
            });
        }
    });
    assert_eq!(server.problems(), [""; 0]);
    assert_eq!(client.token_health().failures, 0);
}

#[test]
fn a_server_that_always_asks_is_asked_four_times() {
    for (nonces, requests) in [(Nonces::NeverContent, 4), (Nonces::Secret, 1)] {
        let server = StrictServer::new(nonces, Nonces::Unasked);
        let client = client(&server);
        let error = client.token(&TokenRequest::default(), &call()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::TokenDpopNonce, "{error}");
        assert_eq!(error.details().http_status, Some(400));
        assert!(!error.retryable());
        assert_eq!(server.statuses().len(), requests, "{nonces:?}");
        assert_eq!(client.token_health().failures, 1);
    }
}

#[test]
fn a_clock_that_is_wrong_is_no_hindrance() {
    for ahead in [-200, -40, 40, 200] {
        let server = StrictServer::new(Nonces::NewAfter(100), Nonces::Unasked);
        server.ahead.store(ahead, Ordering::SeqCst);
        let client = client(&server);
        let token = token(&client);
        assert_eq!(
            server.statuses(),
            [400, 200],
            "{ahead}: {:?}",
            server.problems()
        );
        let url = "https://api.example/a".parse().unwrap();
        let proof = client.dpop_proof(segl::http::Method::Get, &url, &token, &call());
        let iat = crate::support::claims(&proof.unwrap())["iat"]
            .as_i64()
            .unwrap();
        let off = iat - crate::support::now() - ahead;
        assert!(off.abs() <= 5, "{ahead}: {off}");
    }
}

/// A device that is busy until the test lets it go on.
#[derive(Debug)]
struct Slow {
    signer: Arc<dyn Signer>,
    is_busy: AtomicBool,
    goes_on: Barrier,
}

impl Signer for Slow {
    fn public_key(&self) -> &PublicJwk {
        self.signer.public_key()
    }

    fn algorithms(&self) -> &[Algorithm] {
        self.signer.algorithms()
    }

    fn sign(&self, alg: Algorithm, message: &[u8], call: &Call) -> Result<Vec<u8>> {
        self.signer.sign(alg, message, call)
    }

    fn sign_when_ready(
        &self,
        alg: Algorithm,
        make: &Arc<segl::keys::MakeMessage>,
        call: &Call,
    ) -> Result<segl::keys::Signed> {
        if self.is_busy.load(Ordering::SeqCst) {
            self.goes_on.wait();
        }
        self.signer.sign_when_ready(alg, make, call)
    }

    fn origin(&self) -> Origin {
        self.signer.origin()
    }
}

#[test]
fn time_and_nonce_are_those_of_the_signature() {
    let server = StrictServer::new(Nonces::Unasked, Nonces::Unasked);
    let slow = Arc::new(Slow {
        signer: signer(&p256_key()),
        is_busy: AtomicBool::new(false),
        goes_on: Barrier::new(2),
    });
    let client = builder(&server, &crate::support::rsa_key())
        .dpop_signer(slow.clone())
        .build(&call())
        .unwrap();
    let token = token(&client);
    let url = "https://api.example/a".parse().unwrap();
    client.note_dpop_nonce(&url, "early").unwrap();
    slow.is_busy.store(true, Ordering::SeqCst);
    let begun = crate::support::now();
    let proof = thread::scope(|scope| {
        let proof = scope.spawn(|| {
            client
                .dpop_proof(segl::http::Method::Get, &url, &token, &call())
                .unwrap()
        });
        thread::sleep(Duration::from_secs(2));
        client.note_dpop_nonce(&url, "late").unwrap();
        slow.goes_on.wait();
        proof.join().unwrap()
    });
    let claims = crate::support::claims(&proof);
    assert_eq!(claims["nonce"], "late");
    assert!(claims["iat"].as_i64().unwrap() >= begun + 2, "{claims}");
}

#[test]
fn a_text_that_is_no_nonce_is_refused() {
    let server = StrictServer::new(Nonces::Unasked, Nonces::Unasked);
    let client = client(&server);
    let url = "https://api.example/a".parse().unwrap();
    for text in ["", "two words", "a\"b", "line\r\nbreak"] {
        let error = client.note_dpop_nonce(&url, text).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
    }
}
