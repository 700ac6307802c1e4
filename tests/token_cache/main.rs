//! The token cache: windows, one fetch at a time, failures, rejections. Ages are
//! told by a clock that the tests move.

mod failures;
mod flights;
mod keys;
#[path = "../support/mod.rs"]
mod support;
mod windows;

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use segl::clock::{FixedClock, UnixTime};
use segl::http::{Request, Response, Transport};
use segl::{Call, Result, Signer, Token, TokenClient, TokenRequest};
use support::{builder, json_answer, rsa_key, signer};

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
