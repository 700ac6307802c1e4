//! The token cache: windows, one fetch at a time, failures, rejections. Ages are
//! told by a clock that the tests move.

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use segl::clock::{FixedClock, UnixTime};
use segl::http::{Request, Response, Transport};
use segl::token::TokenSource;
use segl::{Call, CancelToken, Error, ErrorCode, Result, Signer, Token, TokenClient, TokenRequest};
use support::{builder, claims, json_answer, p256_key, rsa_key, signer};

const SETTINGS: &str = r#"{"profile":"maskinporten","environment":"test","client_id":"c1","kid":"k1","scopes":["a:b"]}"#;
/// ES256 is quick to sign.
const GENERIC: &str = r#"{"profile":"generic","client_id":"c1","issuer":"https://as.example",
    "token_endpoint":"https://as.example/token","kid":"k1","grant":"jwt_bearer"}"#;
const START: i64 = 1_700_000_000;

/// A token endpoint in the test's hand.
#[derive(Debug, Default)]
struct Endpoint {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    life: i64,
    failing: Option<Response>,
    /// Requests stay inside until it is false.
    closed: bool,
    inside: usize,
    most_inside: usize,
    assertions: Vec<String>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            life: 600,
            failing: None,
            closed: false,
            inside: 0,
            most_inside: 0,
            assertions: Vec::new(),
        }
    }
}

impl Endpoint {
    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    /// Requests that arrived.
    fn requests(&self) -> usize {
        self.state.lock().unwrap().assertions.len()
    }

    fn wait_for(&self, condition: impl Fn(&State) -> bool) {
        let state = self.state.lock().unwrap();
        let (_state, timeout) = self
            .changed
            .wait_timeout_while(state, Duration::from_secs(20), |state| !condition(state))
            .unwrap();
        assert!(!timeout.timed_out(), "the endpoint never saw it");
    }
}

impl Transport for Endpoint {
    fn send(&self, request: &Request, _call: &Call) -> Result<Response> {
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        let mut state = self.state.lock().unwrap();
        let assertion = body.split("&assertion=").nth(1).unwrap();
        let assertion = assertion.split('&').next().unwrap().to_owned();
        state.assertions.push(assertion);
        state.inside += 1;
        state.most_inside = state.most_inside.max(state.inside);
        let number = state.assertions.len();
        self.changed.notify_all();
        while state.closed {
            state = self.changed.wait(state).unwrap();
        }
        state.inside -= 1;
        Ok(match &state.failing {
            Some(answer) => answer.clone(),
            None => json_answer(
                200,
                &format!(
                    r#"{{"access_token":"token-{number}","token_type":"Bearer","expires_in":{}}}"#,
                    state.life
                ),
            ),
        })
    }
}

struct Setup {
    client: Arc<TokenClient>,
    clock: Arc<FixedClock>,
    endpoint: Arc<Endpoint>,
}

fn setup() -> Setup {
    setup_with(SETTINGS, signer(&rsa_key()))
}

fn setup_with(settings: &str, signer: Arc<dyn Signer>) -> Setup {
    let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(START)));
    let endpoint = Arc::new(Endpoint::default());
    let client = builder(settings, signer, START)
        .clock(clock.clone())
        .transport(endpoint.clone())
        .build(&Call::none())
        .unwrap();
    Setup {
        client: Arc::new(client),
        clock,
        endpoint,
    }
}

impl Setup {
    fn token(&self) -> Result<Arc<Token>> {
        let call = Call::within(Duration::from_millis(300));
        self.client.token(&TokenRequest::default(), &call)
    }

    fn text(&self) -> String {
        self.token().unwrap().access_token().to_owned()
    }

    /// Moves the clock to `age` seconds after the start.
    fn at(&self, age: f64) {
        self.clock.set(UnixTime::from_seconds(START));
        self.clock.advance(Duration::from_secs_f64(age));
    }

    /// Waits until a successor fetched in advance has taken its place.
    fn wait_for_token(&self, text: &str) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.text() != text {
            assert!(Instant::now() < until, "{text} never came");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn server_error() -> Response {
    json_answer(503, "busy")
}

fn refusal() -> Response {
    json_answer(
        400,
        r#"{"error":"invalid_scope","error_description":"Token request contains invalid scopes (MP-200)"}"#,
    )
}

#[test]
fn a_token_is_kept_and_replaced_in_advance_while_nobody_waits() {
    let setup = setup();
    assert_eq!(setup.text(), "token-1");
    setup.at(478.0);
    assert_eq!(setup.text(), "token-1");
    assert_eq!(setup.endpoint.requests(), 1);
    // All jitter is over here; the endpoint holds the request, and no one waits.
    setup.endpoint.set(|state| state.closed = true);
    setup.at(530.0);
    for _ in 0..100 {
        assert_eq!(setup.text(), "token-1");
    }
    setup.endpoint.wait_for(|state| state.inside == 1);
    setup.endpoint.set(|state| state.closed = false);
    setup.wait_for_token("token-2");
    assert_eq!(setup.endpoint.requests(), 2);
    assert_eq!(setup.client.token_health().refreshes, 1);
}

#[test]
fn near_its_end_a_token_waits_for_its_successor_and_serves_when_there_is_none() {
    let setup = setup();
    setup.text();
    setup.at(545.0);
    assert_eq!(setup.text(), "token-2");
    setup
        .endpoint
        .set(|state| state.failing = Some(server_error()));
    setup.at(545.0 + 545.0);
    assert_eq!(setup.text(), "token-2");
    assert!(setup.client.token_health().stale > 0);
    setup.at(545.0 + 598.9);
    assert_eq!(setup.text(), "token-2");
    setup.at(545.0 + 599.0);
    assert_eq!(setup.token().unwrap_err().code(), ErrorCode::TokenServer);
    setup.endpoint.set(|state| state.failing = None);
    assert!(setup.text().starts_with("token-"));
}

#[test]
fn who_has_a_token_that_lasts_waits_for_one_try_only() {
    let setup = setup();
    setup.text();
    setup
        .endpoint
        .set(|state| state.failing = Some(server_error()));
    setup.at(545.0);
    let begin = Instant::now();
    let call = Call::within(Duration::from_secs(20));
    let token = setup.client.token(&TokenRequest::default(), &call).unwrap();
    assert_eq!(token.access_token(), "token-1");
    assert!(begin.elapsed() < Duration::from_secs(10));
    // A token asked for as new is waited for.
    let client = setup.client.clone();
    let fetch = thread::spawn(move || client.fetch(&TokenRequest::default(), &Call::none()));
    setup.endpoint.wait_for(|state| state.assertions.len() >= 4);
    setup.endpoint.set(|state| state.failing = None);
    assert_ne!(fetch.join().unwrap().unwrap().access_token(), "token-1");
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
fn lives_of_any_length_are_used_for_most_of_it_and_never_beyond() {
    for life in [1, 2, 3, 10, 30, 60, 120, 600, 3600, 7200] {
        let setup = setup();
        setup.endpoint.set(|state| state.life = life);
        let first = setup.token().unwrap();
        assert_eq!(first.expires_at().seconds(), START + life);
        let usable = life as f64 - 1.0;
        if life > 1 {
            setup.at(usable * 0.45);
            assert_eq!(setup.text(), "token-1", "{life} s");
        }
        setup
            .endpoint
            .set(|state| state.failing = Some(server_error()));
        if life > 1 {
            setup.at(usable - 0.01);
            assert_eq!(setup.text(), "token-1", "{life} s");
        }
        setup.at(usable);
        assert!(setup.token().is_err(), "{life} s");
    }
}

#[test]
fn clients_that_began_together_do_not_go_on_together() {
    let mut begins = BTreeSet::new();
    for _ in 0..20 {
        let setup = setup();
        setup.text();
        let refreshes = || setup.client.token_health().refreshes;
        let begin = (479..=510).find(|age| {
            setup.at(f64::from(*age));
            setup.text();
            refreshes() > 0
        });
        begins.insert(begin.expect("a refresh begins before 510 s"));
    }
    assert!(begins.len() > 5, "{begins:?}");
}

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
fn what_means_the_same_is_one_token() {
    let setup = setup();
    let same = [
        r#"{}"#,
        r#"{"scopes":["a:b"]}"#,
        r#"{"scopes":["a:b","a:b"]}"#,
    ];
    for json in same {
        let request = TokenRequest::from_json(json).unwrap();
        let token = setup.client.token(&request, &Call::none()).unwrap();
        assert_eq!(token.access_token(), "token-1", "{json}");
    }
    for json in [
        r#"{"scopes":["x:1","x:2"],"resource":["https://a.example","https://b.example"]}"#,
        r#"{"scopes":["x:2","x:1"],"resource":["https://b.example","https://a.example"]}"#,
    ] {
        let request = TokenRequest::from_json(json).unwrap();
        let token = setup.client.token(&request, &Call::none()).unwrap();
        assert_eq!(token.access_token(), "token-2", "{json}");
    }
    assert_eq!(setup.endpoint.requests(), 2);
}

#[test]
fn whatever_changes_a_token_has_a_place_in_its_key() {
    let setup = setup();
    let system_user = |org: &str| {
        format!(
            r#"{{"authorization_details":[{{"type":"urn:altinn:systemuser","systemuser_org":{{"authority":"iso6523-actorid-upis","ID":"0192:{org}"}}}}]}}"#
        )
    };
    let mut requests: Vec<String> = [
        r#"{"scopes":["x:1"]}"#,
        r#"{"scopes":["x:1","x:2"]}"#,
        r#"{"resource":["https://a.example"]}"#,
        r#"{"resource":["https://b.example"]}"#,
        r#"{"consumer_org":"910753614"}"#,
        r#"{"consumer_org":"974760673"}"#,
        r#"{"pid":"12345678901"}"#,
        r#"{"pid":"12345678902"}"#,
    ]
    .map(String::from)
    .into();
    requests.extend(["910753614", "974760673"].map(system_user));
    let mut generations = BTreeSet::new();
    for _ in 0..2 {
        for json in &requests {
            let request = TokenRequest::from_json(json).unwrap();
            let token = setup.client.token(&request, &Call::none()).unwrap();
            generations.insert(token.generation());
        }
    }
    assert_eq!(generations.len(), requests.len());
    assert_eq!(setup.endpoint.requests(), requests.len());
}

#[test]
fn every_resource_of_a_form_has_a_place_in_its_key() {
    let setup = setup_with(GENERIC, signer(&p256_key()));
    let token = |json: &str| {
        let request = TokenRequest::from_json(json).unwrap();
        let token = setup.client.token(&request, &Call::none()).unwrap();
        token.access_token().to_owned()
    };
    let resources = |first: &str| format!(r#"{{"resource":["{first}","https://z.example"]}}"#);
    assert_eq!(token(&resources("https://a.example")), "token-1");
    assert_eq!(token(&resources("https://b.example")), "token-2");
    assert_eq!(token(r#"{"resource":["https://z.example"]}"#), "token-3");
    let turned = r#"{"resource":["https://z.example","https://a.example"]}"#;
    assert_eq!(token(turned), "token-1");
    assert_eq!(token(r#"{"scopes":["x:1","x:2"]}"#), "token-4");
    assert_eq!(token(r#"{"scopes":["x:2","x:1"]}"#), "token-4");
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
    assert_eq!(setup.text(), "token-2");
}

#[test]
fn a_token_is_forgotten_when_asked_to() {
    let setup = setup();
    let other = TokenRequest::from_json(r#"{"scopes":["c:d"]}"#).unwrap();
    setup.text();
    setup.client.token(&other, &Call::none()).unwrap();
    setup.client.forget(Some(&other));
    assert!(setup.client.cached(&other).is_none());
    assert!(setup.client.cached(&TokenRequest::default()).is_some());
    setup.client.forget(None);
    assert!(setup.client.cached(&TokenRequest::default()).is_none());
    assert_eq!(setup.client.token_health().cached, 0);
    assert_eq!(setup.text(), "token-3");
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
fn a_token_is_rejected_however_its_request_is_spelled() {
    let setup = setup();
    let request = TokenRequest::from_json(r#"{"scopes":["a:b"]}"#).unwrap();
    let token = setup.client.token(&request, &Call::none()).unwrap();
    assert!(setup.client.reject(&TokenRequest::default(), &token));
    assert_eq!(setup.client.token_health().rejected, 1);
    assert!(!setup.client.reject(&request, &token));
    let token = setup.client.token(&request, &Call::none()).unwrap();
    assert_eq!(token.access_token(), "token-2");
}

#[test]
fn a_clock_set_back_makes_no_token_younger() {
    #[derive(Debug)]
    struct SetBack(FixedClock, Mutex<i64>);
    impl segl::clock::Clock for SetBack {
        fn now(&self) -> UnixTime {
            self.0.now().plus(-*self.1.lock().unwrap())
        }
        fn moment(&self) -> segl::clock::Moment {
            let steady = self.0.moment().steady_ms();
            segl::clock::Moment::new(steady, steady - *self.1.lock().unwrap() * 1000)
        }
    }
    let clock = Arc::new(SetBack(
        FixedClock::new(UnixTime::from_seconds(START)),
        Mutex::new(0),
    ));
    let endpoint = Arc::new(Endpoint::default());
    let client = builder(SETTINGS, signer(&rsa_key()), START)
        .clock(clock.clone())
        .transport(endpoint.clone())
        .build(&Call::none())
        .unwrap();
    let text = || {
        let token = client.token(&TokenRequest::default(), &Call::none());
        token.unwrap().access_token().to_owned()
    };
    assert_eq!(text(), "token-1");
    *clock.1.lock().unwrap() = 3600;
    assert_eq!(text(), "token-1");
    clock.0.advance(Duration::from_secs(599));
    assert_eq!(text(), "token-2");
}

#[test]
fn the_cache_is_bounded_and_keeps_what_lives_longest() {
    let setup = setup_with(GENERIC, signer(&p256_key()));
    let request =
        |index: usize| TokenRequest::from_json(&format!(r#"{{"scopes":["s:{index}"]}}"#)).unwrap();
    setup.endpoint.set(|state| state.life = 7200);
    let kept = request(1_000_000);
    setup.client.token(&kept, &Call::none()).unwrap();
    setup.endpoint.set(|state| state.life = 600);
    for index in 0..12_000 {
        setup.client.token(&request(index), &Call::none()).unwrap();
    }
    let cached = setup.client.token_health().cached;
    assert!((5_000..=10_016).contains(&cached), "{cached}");
    assert!(setup.client.cached(&kept).is_some());
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
fn a_request_that_is_refused_here_reaches_nobody() {
    let setup = setup();
    let request = TokenRequest::from_json(r#"{"resource":["no uri"]}"#).unwrap();
    let error: Error = setup.client.token(&request, &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert_eq!(setup.endpoint.requests(), 0);
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
            "id 12345678901b4f00-aaaa, 123456789012",
            "id 12345678901b4f00-aaaa, 123456789012",
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
