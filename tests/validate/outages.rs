//! The issuer is away, or says what cannot be right.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use segl::clock::{FixedClock, UnixTime};
use segl::http::{Request, Response, Transport};
use segl::log::{self, Level, Sink};
use segl::validate::ValidatorSettings;
use segl::{Call, Error, ErrorCode, Requirements, Validator};
use serde_json::{Value, json};

use crate::support::{json_answer, rsa_key};
use crate::world::{Issuer, OTHER_RSA, World, claims, eventually, jwk, token, token_with};

fn good() -> String {
    token(
        &rsa_key(),
        &claims(|claims| claims["exp"] = 4_000_000_000i64.into()),
    )
}

#[track_caller]
fn assert_undecided(error: &Error, code: ErrorCode) {
    assert_eq!(error.code(), code, "{error}");
    assert_eq!(error.details().http_status, Some(503));
    assert_eq!(error.details().oauth_error, None);
}

#[test]
fn without_keys_nobody_can_tell_and_the_issuer_is_not_hammered() {
    let world = World::new();
    world.issuer.set_away(true);
    for _ in 0..50 {
        let error = world.check(&good(), "{}").unwrap_err();
        assert_undecided(&error, ErrorCode::JwksUnavailable);
        assert!(error.retryable());
        assert!(
            error.message().contains("no route to the issuer"),
            "{error}"
        );
    }
    assert_eq!(world.issuer.requests(), 1);
    world.clock.advance(Duration::from_secs(1));
    assert!(world.check(&good(), "{}").is_err());
    assert_eq!(world.issuer.requests(), 2);
    world.issuer.set_away(false);
    world.clock.advance(Duration::from_secs(1));
    world.check(&good(), "{}").unwrap();
}

struct Records(Arc<Mutex<Vec<(Level, String)>>>);

impl Sink for Records {
    fn log(&self, level: Level, target: &'static str, message: &str) {
        if target == "validate" {
            self.0.lock().unwrap().push((level, message.to_owned()));
        }
    }
}

#[test]
fn keys_that_are_known_outlast_any_outage() {
    let records = Arc::new(Mutex::new(Vec::new()));
    log::set_sink(Some(Box::new(Records(Arc::clone(&records)))), Level::Info);
    // Tests run beside this one; its own records name a path that no other has.
    let own = |records: &Mutex<Vec<(Level, String)>>| -> Vec<Level> {
        let records = records.lock().unwrap();
        let own = records.iter().filter(|(_, text)| text.contains("/outlast"));
        own.map(|(level, _)| *level).collect()
    };
    let issuer = Issuer::new(&[jwk(&rsa_key(), "k")]);
    let metadata = Outlast(issuer.clone());
    let clock = Arc::new(segl::clock::FixedClock::new(
        segl::clock::UnixTime::from_seconds(crate::world::NOW),
    ));
    let settings = r#"{"environment":"test","jwks_uri":"https://test.maskinporten.no/outlast"}"#;
    let validator =
        segl::Validator::builder(segl::validate::ValidatorSettings::from_json(settings).unwrap())
            .transport(Arc::new(metadata))
            .clock(clock.clone())
            .build()
            .unwrap();
    let check = || validator.check(&good(), &segl::Requirements::default(), &segl::Call::none());
    check().unwrap();
    assert_eq!(own(&records), []);
    issuer.set_away(true);
    for day in 0..30 {
        clock.advance(Duration::from_secs(24 * 3600));
        let before = issuer.requests();
        for _ in 0..20 {
            check().unwrap();
        }
        eventually("it is tried again", || issuer.requests() > before);
        eventually("the try is over", || own(&records).len() == 1);
        assert!(issuer.requests() <= before + 2, "day {day}");
    }
    assert_eq!(own(&records), [Level::Warn]);
    issuer.set_away(false);
    clock.advance(Duration::from_secs(61));
    check().unwrap();
    eventually("it is told", || own(&records) == [Level::Warn, Level::Info]);
    log::set_sink(None, Level::Info);
}

/// The same issuer at another path.
#[derive(Debug)]
struct Outlast(Arc<Issuer>);

impl segl::http::Transport for Outlast {
    fn send(
        &self,
        request: &segl::http::Request,
        call: &segl::Call,
    ) -> segl::Result<segl::http::Response> {
        assert!(request.url.as_str().ends_with("/outlast"));
        let there = "https://test.maskinporten.no/jwk".parse().unwrap();
        let request = segl::http::Request::new(request.method, there);
        self.0.send(&request, call)
    }
}

#[test]
fn an_unknown_kid_in_an_outage_may_be_tried_again() {
    let world = World::new();
    world.check(&good(), "{}").unwrap();
    world.issuer.set_away(true);
    let next = token_with(
        &OTHER_RSA,
        &json!({"alg": "RS256", "kid": "next"}),
        &claims(|_| {}),
    );
    for _ in 0..10 {
        let error = world.check(&next, "{}").unwrap_err();
        assert_eq!(error.code(), ErrorCode::AccessTokenKeyUnknown);
        assert!(error.retryable(), "{error}");
        assert!(error.message().contains("no route"), "{error}");
    }
    assert_eq!(world.issuer.requests(), 3);
    world.check(&good(), "{}").unwrap();
}

#[test]
fn keys_that_cannot_be_right_do_not_replace_those_that_are_known() {
    let world = World::new();
    world.check(&good(), "{}").unwrap();
    for broken in [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"keys":7}"#,
        r#"{"keys":[]}"#,
        r#"{"keys":[{}]}"#,
    ] {
        *world.issuer.jwks.lock().unwrap() = broken.into();
        world.clock.advance(Duration::from_secs(24 * 3600));
        let before = world.issuer.fetches();
        world.check(&good(), "{}").unwrap();
        eventually("they are read", || world.issuer.fetches() > before);
        std::thread::sleep(Duration::from_millis(5));
        world.check(&good(), "{}").unwrap();
    }
}

#[test]
fn what_is_wrong_with_the_keys_is_said() {
    for (body, says) in [
        ("<html>", "JWK set"),
        (r#"{"keys":{}}"#, "JWK set"),
        (r#"{"keys":[]}"#, "none of 0"),
        (r#"{"keys":[{"kty":"OKP"}]}"#, "OKP"),
        (r#"{"keys":[{"use":"enc"}]}"#, "signatures"),
    ] {
        let world = World::new();
        *world.issuer.jwks.lock().unwrap() = body.into();
        let error = world.check(&good(), "{}").unwrap_err();
        assert_undecided(&error, ErrorCode::JwksInvalid);
        assert!(error.message().contains(says), "{error}");
        assert!(
            error.message().contains("https://test.maskinporten.no/jwk"),
            "{error}"
        );
    }
    let world = World::new();
    *world.issuer.jwks.lock().unwrap() = vec![b' '; 600 * 1024];
    let error = world.check(&good(), "{}").unwrap_err();
    assert_undecided(&error, ErrorCode::JwksInvalid);
}

#[derive(Debug, Default)]
struct Redirects(AtomicUsize);

impl Transport for Redirects {
    fn send(&self, _: &Request, _: &Call) -> segl::Result<Response> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let there = (
            "location".to_owned(),
            "https://forger.example/jwk".to_owned(),
        );
        let keys = json!({ "keys": [jwk(&rsa_key(), "k")] }).to_string();
        Ok(Response::new(302, vec![there], keys.into_bytes()))
    }
}

#[test]
fn a_redirect_is_no_set_of_keys() {
    for (settings, code) in [
        (r#"{"environment":"test"}"#, ErrorCode::MetadataInvalid),
        (
            r#"{"environment":"test","jwks_uri":"https://test.maskinporten.no/jwk"}"#,
            ErrorCode::JwksUnavailable,
        ),
    ] {
        let issuer = Arc::new(Redirects::default());
        let validator = Validator::builder(ValidatorSettings::from_json(settings).unwrap())
            .transport(issuer.clone())
            .build()
            .unwrap();
        let error = validator.check(&good(), &Requirements::default(), &Call::none());
        let error = error.unwrap_err();
        assert_undecided(&error, code);
        assert!(error.message().contains("302"), "{error}");
        assert_eq!(issuer.0.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn metadata_of_another_issuer_are_refused() {
    for (member, value) in [
        ("issuer", json!("https://test.maskinporten.no")),
        ("issuer", json!("https://forger.example/")),
        ("jwks_uri", json!("http://forger.example/jwk")),
        ("jwks_uri", Value::Null),
    ] {
        let world = World::new();
        world.issuer.metadata.lock().unwrap()[member] = value;
        let error = world.check(&good(), "{}").unwrap_err();
        assert_undecided(&error, ErrorCode::MetadataInvalid);
        assert_eq!(world.issuer.jwks_requests.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn who_gave_up_waiting_for_the_keys_cannot_tell_either() {
    let world = World::new();
    world.issuer.set_gate(false);
    let call = Call::within(Duration::from_millis(20));
    let requirements = Requirements::default();
    let error = world.validator.check(&good(), &requirements, &call);
    assert_undecided(&error.unwrap_err(), ErrorCode::Timeout);
    world.issuer.set_gate(true);
    world.check(&good(), "{}").unwrap();
}

#[derive(Debug)]
struct Panics;

impl Transport for Panics {
    fn send(&self, _: &Request, _: &Call) -> segl::Result<Response> {
        panic!("on purpose");
    }
}

#[test]
fn a_transport_that_panics_leaves_it_undecided() {
    let settings = ValidatorSettings::from_json(r#"{"environment":"test"}"#).unwrap();
    let validator = Validator::builder(settings)
        .transport(Arc::new(Panics))
        .build()
        .unwrap();
    let error = validator.check(&good(), &Requirements::default(), &Call::none());
    assert_undecided(&error.unwrap_err(), ErrorCode::Panic);
}

/// Answers with the key "k", then hangs with it, and has "next" only for those who ask later.
#[derive(Debug, Default)]
struct Hangs {
    asked: AtomicUsize,
    is_released: Mutex<bool>,
    released: Condvar,
    came_back: AtomicBool,
}

impl Transport for Hangs {
    fn send(&self, _: &Request, _: &Call) -> segl::Result<Response> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let key = match number {
            0 | 1 => jwk(&rsa_key(), "k"),
            _ => jwk(&OTHER_RSA, "next"),
        };
        if number == 1 {
            let mut is_released = self.is_released.lock().unwrap();
            while !*is_released {
                is_released = self.released.wait(is_released).unwrap();
            }
            self.came_back.store(true, Ordering::SeqCst);
        }
        Ok(json_answer(200, &json!({ "keys": [key] }).to_string()))
    }
}

#[test]
fn what_a_fetch_brings_that_was_left_behind_is_too_old() {
    let settings =
        r#"{"environment":"test","jwks_uri":"https://test.maskinporten.no/jwk","timeout_ms":1}"#;
    let transport = Arc::new(Hangs::default());
    let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(crate::world::NOW)));
    let validator = Validator::builder(ValidatorSettings::from_json(settings).unwrap())
        .transport(transport.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    let lasting = claims(|claims| claims["exp"] = 4_000_000_000i64.into());
    let next = token_with(
        &OTHER_RSA,
        &json!({"alg": "RS256", "kid": "next"}),
        &lasting,
    );
    let check = |token: &str| validator.check(token, &Requirements::default(), &Call::none());
    check(&good()).unwrap();
    clock.advance(Duration::from_secs(24 * 3600));
    check(&good()).unwrap();
    eventually("a fetch hangs", || {
        transport.asked.load(Ordering::SeqCst) == 2
    });
    // It is left behind 5 seconds after its time.
    eventually("others fetch", || {
        clock.advance(Duration::from_secs(61));
        check(&next).is_ok()
    });
    assert!(check(&good()).is_err());
    *transport.is_released.lock().unwrap() = true;
    transport.released.notify_all();
    eventually("it comes back", || {
        transport.came_back.load(Ordering::SeqCst)
    });
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(2));
        check(&next).unwrap();
    }
    assert!(check(&good()).is_err());
}
