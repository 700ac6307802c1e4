//! One fetch at a time for each token, whoever waits for it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use segl::clock::{FixedClock, UnixTime};
use segl::http::{Request, Response, Transport};
use segl::token::TokenSource;
use segl::{Call, CancelToken, Error, ErrorCode, Result, Token, TokenRequest};

use super::support::{builder, p256_key, rsa_key, signer};
use super::{Endpoint, GENERIC, SETTINGS, START, setup};

#[test]
fn many_callers_make_one_request_for_each_token() {
    let setup = setup();
    setup.endpoint.set(|state| state.closed = true);
    let barrier = Arc::new(Barrier::new(33));
    let callers: Vec<_> = (0..32)
        .map(|index| {
            let (client, barrier) = (setup.client.clone(), barrier.clone());
            thread::spawn(move || {
                let request = match index % 2 {
                    0 => TokenRequest::default(),
                    _ => TokenRequest::from_json(r#"{"scopes":["c:d"]}"#).unwrap(),
                };
                barrier.wait();
                client.token(&request, &Call::none()).unwrap().generation()
            })
        })
        .collect();
    barrier.wait();
    setup.endpoint.wait_for(|state| state.inside == 2);
    thread::sleep(Duration::from_millis(50));
    setup.endpoint.set(|state| state.closed = false);
    let generations: BTreeSet<_> = callers.into_iter().map(|c| c.join().unwrap()).collect();
    assert_eq!(generations.len(), 2);
    assert_eq!(setup.endpoint.requests(), 2);
}

#[test]
fn a_slow_fetch_holds_up_nothing_else() {
    let setup = setup();
    let other = TokenRequest::from_json(r#"{"scopes":["c:d"]}"#).unwrap();
    setup.text();
    setup.endpoint.set(|state| state.closed = true);
    let slow = {
        let (client, other) = (setup.client.clone(), other.clone());
        thread::spawn(move || client.token(&other, &Call::none()))
    };
    setup.endpoint.wait_for(|state| state.inside == 1);
    assert_eq!(setup.text(), "token-1", "a hit");
    let third = TokenRequest::from_json(r#"{"scopes":["e:f"]}"#).unwrap();
    let third = {
        let client = setup.client.clone();
        thread::spawn(move || client.token(&third, &Call::none()))
    };
    setup.endpoint.wait_for(|state| state.inside == 2);
    setup.client.forget(None);
    setup.client.token_health();
    setup.endpoint.set(|state| state.closed = false);
    slow.join().unwrap().unwrap();
    third.join().unwrap().unwrap();
}

#[test]
fn a_caller_who_leaves_ends_no_others_wait() {
    let setup = setup();
    setup.endpoint.set(|state| state.closed = true);
    let cancel = CancelToken::new();
    let ask = |call: Call| {
        let client = setup.client.clone();
        thread::spawn(move || client.token(&TokenRequest::default(), &call))
    };
    // The first caller begins the fetch and is the first to go.
    let first = ask(Call::none().with_cancel(cancel.clone()));
    setup.endpoint.wait_for(|state| state.inside == 1);
    let second = ask(Call::within(Duration::from_millis(100)));
    let third = ask(Call::none());
    cancel.trigger();
    let code = |result: thread::Result<Result<Arc<Token>>>| result.unwrap().unwrap_err().code();
    assert_eq!(code(first.join()), ErrorCode::Cancelled);
    assert_eq!(code(second.join()), ErrorCode::Timeout);
    setup.endpoint.set(|state| state.closed = false);
    assert_eq!(third.join().unwrap().unwrap().access_token(), "token-1");
    assert_eq!(setup.endpoint.requests(), 1);
}

#[test]
fn a_fetch_goes_on_when_its_caller_has_gone_and_fills_the_cache() {
    let setup = setup();
    setup.endpoint.set(|state| state.closed = true);
    let error = setup.token().unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout);
    assert!(error.retryable());
    setup.endpoint.set(|state| state.closed = false);
    setup.wait_for_token("token-1");
    assert_eq!(setup.endpoint.requests(), 1);
}

#[test]
fn a_transport_that_panics_is_an_error_and_the_next_call_works() {
    #[derive(Debug)]
    struct Panics(AtomicUsize, Endpoint);
    impl Transport for Panics {
        fn send(&self, request: &Request, call: &Call) -> Result<Response> {
            assert!(self.0.fetch_add(1, Ordering::SeqCst) > 0, "on purpose");
            self.1.send(request, call)
        }
    }
    let client = builder(SETTINGS, signer(&rsa_key()), START)
        .transport(Arc::new(Panics(AtomicUsize::new(0), Endpoint::default())))
        .build(&Call::none())
        .unwrap();
    let token = || client.token_and_source(&TokenRequest::default(), &Call::none());
    assert_eq!(token().unwrap_err().code(), ErrorCode::Panic);
    assert_eq!(token().unwrap().1, TokenSource::Service);
}

#[test]
fn what_a_transport_cancels_was_not_cancelled_by_the_caller() {
    #[derive(Debug)]
    struct ShutDown(AtomicUsize, Endpoint);
    impl Transport for ShutDown {
        fn send(&self, request: &Request, call: &Call) -> Result<Response> {
            match self.0.fetch_add(1, Ordering::SeqCst) {
                0 => self.1.send(request, call),
                _ => Err(Error::new(ErrorCode::Cancelled, "the pool was shut down")),
            }
        }
    }
    let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(START)));
    let client = builder(SETTINGS, signer(&rsa_key()), START)
        .clock(clock.clone())
        .transport(Arc::new(ShutDown(AtomicUsize::new(0), Endpoint::default())))
        .build(&Call::none())
        .unwrap();
    let token = || client.token(&TokenRequest::default(), &Call::none());
    token().unwrap();
    clock.advance(Duration::from_secs(545));
    assert_eq!(token().unwrap().access_token(), "token-1");
}

#[test]
fn what_is_forgotten_while_it_is_fetched_is_not_kept() {
    for request in [Some(TokenRequest::default()), None] {
        let setup = setup();
        setup.endpoint.set(|state| state.closed = true);
        let ask = || {
            let client = setup.client.clone();
            thread::spawn(move || client.token(&TokenRequest::default(), &Call::none()))
        };
        let before = ask();
        setup.endpoint.wait_for(|state| state.inside == 1);
        setup.client.forget(request.as_ref());
        let after = ask();
        setup.endpoint.wait_for(|state| state.inside == 2);
        setup.endpoint.set(|state| state.closed = false);
        let token = |asked: thread::JoinHandle<Result<Arc<Token>>>| {
            asked.join().unwrap().unwrap().access_token().to_owned()
        };
        assert_eq!(token(after), "token-2");
        assert_eq!(token(before), "token-1");
        assert_eq!(setup.text(), "token-2");
        assert_eq!(setup.endpoint.requests(), 2);
    }
}

#[test]
fn a_request_that_hangs_is_left_behind_and_brings_back_no_old_token() {
    #[derive(Debug)]
    struct FirstHangs(Endpoint, Endpoint, AtomicUsize);
    impl Transport for FirstHangs {
        fn send(&self, request: &Request, call: &Call) -> Result<Response> {
            match self.2.fetch_add(1, Ordering::SeqCst) {
                0 => self.0.send(request, call),
                _ => self.1.send(request, call),
            }
        }
    }
    let (hanging, working) = (Endpoint::default(), Endpoint::default());
    hanging.set(|state| state.closed = true);
    working.set(|state| state.assertions.push("the first".into()));
    let transport = Arc::new(FirstHangs(hanging, working, AtomicUsize::new(0)));
    let settings = SETTINGS.replace("\"kid\"", "\"timeout_ms\":50,\"kid\"");
    let client = builder(&settings, signer(&rsa_key()), START)
        .transport(transport.clone())
        .build(&Call::none())
        .unwrap();
    let token = |millis| {
        let call = Call::within(Duration::from_millis(millis));
        let token = client.token(&TokenRequest::default(), &call);
        token.map(|token| token.access_token().to_owned())
    };
    assert_eq!(token(100).unwrap_err().code(), ErrorCode::Timeout);
    let until = Instant::now() + Duration::from_secs(20);
    while token(100).is_err() {
        assert!(Instant::now() < until, "the key stays blocked");
    }
    assert_eq!(token(100).unwrap(), "token-2");
    transport.0.set(|state| state.closed = false);
    let until = Instant::now() + Duration::from_secs(20);
    while transport.0.state.lock().unwrap().inside > 0 {
        assert!(Instant::now() < until, "the request never came back");
        thread::sleep(Duration::from_millis(2));
    }
    thread::sleep(Duration::from_millis(50));
    assert_eq!(token(100).unwrap(), "token-2");
}

#[test]
fn tokens_that_are_over_when_they_arrive_are_asked_for_with_pauses() {
    #[derive(Debug)]
    struct Slow(Arc<FixedClock>, Endpoint);
    impl Transport for Slow {
        fn send(&self, request: &Request, call: &Call) -> Result<Response> {
            self.0.advance(Duration::from_secs(2));
            self.1.send(request, call)
        }
    }
    let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(START)));
    let transport = Arc::new(Slow(clock.clone(), Endpoint::default()));
    transport.1.set(|state| state.life = 1);
    let client = builder(GENERIC, signer(&p256_key()), START)
        .clock(clock)
        .transport(transport.clone())
        .build(&Call::none())
        .unwrap();
    let call = Call::within(Duration::from_millis(300));
    let error = client.token(&TokenRequest::default(), &call).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout);
    assert!(error.message().contains("it was over"), "{error}");
    assert!((2..=5).contains(&transport.1.requests()));
}

#[test]
fn requests_that_hang_on_every_thread_are_replaced() {
    #[derive(Debug)]
    struct HangsAtFirst(Endpoint, Endpoint, AtomicUsize);
    impl Transport for HangsAtFirst {
        fn send(&self, request: &Request, call: &Call) -> Result<Response> {
            match self.2.fetch_add(1, Ordering::SeqCst) < THREADS {
                true => self.0.send(request, call),
                false => self.1.send(request, call),
            }
        }
    }
    /// As many as a client has.
    const THREADS: usize = 64;
    let (hanging, working) = (Endpoint::default(), Endpoint::default());
    hanging.set(|state| state.closed = true);
    let transport = Arc::new(HangsAtFirst(hanging, working, AtomicUsize::new(0)));
    let settings = GENERIC.replace("\"kid\"", "\"timeout_ms\":50,\"kid\"");
    let client = builder(&settings, signer(&p256_key()), START)
        .transport(transport.clone())
        .build(&Call::none())
        .unwrap();
    let token = |index: usize, millis| {
        let request = TokenRequest::for_scopes([format!("s:{index}").parse().unwrap()]);
        client.token(&request, &Call::within(Duration::from_millis(millis)))
    };
    for index in 0..THREADS {
        assert!(token(index, 5).is_err());
    }
    transport.0.wait_for(|state| state.inside == THREADS);
    // One waits for a thread already, others begin later.
    assert!(token(THREADS, 5).is_err());
    for index in [THREADS, THREADS + 1, 0] {
        assert!(token(index, 20_000).is_ok(), "{index}");
    }
    transport.0.set(|state| state.closed = false);
}
