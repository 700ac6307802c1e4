//! What has the issuer's keys read anew, how often, and whom that holds.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use segl::{Call, CancelToken, ErrorCode, Requirements};
use serde_json::json;

use crate::keys::{DAY, good, others};
use crate::support::rsa_key;
use crate::world::{OTHER_RSA, World, assert_refused, claims, eventually, jwk, token_with};

#[test]
fn a_storm_of_unknown_kids_has_one_reading_in_30_seconds() {
    let world = World::new();
    world.check(&good(), "{}").unwrap();
    assert_eq!(world.issuer.fetches(), 1);
    let storm = |start: usize| {
        let all_here = Barrier::new(8);
        thread::scope(|scope| {
            for thief in 0..8 {
                let (world, all_here) = (&world, &all_here);
                scope.spawn(move || {
                    all_here.wait();
                    for number in 0..50 {
                        let token = others(&format!("forged-{start}-{thief}-{number}"));
                        let error = world.check(&token, "{}").unwrap_err();
                        assert_refused(&error, ErrorCode::AccessTokenKeyUnknown);
                        assert!(!error.retryable());
                    }
                });
            }
        });
    };
    storm(0);
    assert_eq!(world.issuer.fetches(), 2);
    world.clock.advance(Duration::from_millis(29_900));
    storm(1);
    assert_eq!(world.issuer.fetches(), 2);
    world.clock.advance(Duration::from_millis(200));
    storm(2);
    assert_eq!(world.issuer.fetches(), 3);
    world.check(&good(), "{}").unwrap();
}

#[test]
fn forged_signatures_have_no_more_readings_than_unknown_kids() {
    let world = World::new();
    world.check(&good(), "{}").unwrap();
    let forge = |count: usize| {
        for number in 0..count {
            let error = world.check(&others("k"), "{}").unwrap_err();
            assert_refused(&error, ErrorCode::AccessTokenSignature);
            // In another header, which no good token had.
            let header = json!({"alg": "RS256", "kid": "k", "x": number});
            let token = token_with(&OTHER_RSA, &header, &claims(|_| {}));
            let error = world.check(&token, "{}").unwrap_err();
            assert_refused(&error, ErrorCode::AccessTokenSignature);
            let error = world.check(&others("forged"), "{}").unwrap_err();
            assert_refused(&error, ErrorCode::AccessTokenKeyUnknown);
            world.check(&good(), "{}").unwrap();
        }
    };
    forge(10);
    assert_eq!(world.issuer.fetches(), 2);
    world.clock.advance(Duration::from_millis(29_900));
    forge(10);
    assert_eq!(world.issuer.fetches(), 2);
    world.clock.advance(Duration::from_millis(200));
    forge(10);
    assert_eq!(world.issuer.fetches(), 3);
}

#[test]
fn a_kid_that_is_used_again_for_a_new_key() {
    for is_header_known in [true, false] {
        let world = World::new();
        match is_header_known {
            true => world.check(&good(), "{}").unwrap(),
            false => {
                let header = json!({"kid": "k", "alg": "RS256"}).to_string() + " ";
                let payload = claims(|_| {}).to_string();
                let signer = crate::support::signer(&rsa_key());
                let signed = segl::jws::sign_json(
                    signer.as_ref(),
                    &header,
                    payload.as_bytes(),
                    &Call::none(),
                );
                world.check(&signed.unwrap(), "{}").unwrap()
            }
        };
        world.issuer.publish(&[jwk(&OTHER_RSA, "k")]);
        world.check(&others("k"), "{}").unwrap();
        assert_eq!(world.issuer.fetches(), 2);
        // The old one is gone, and the 30 seconds hold for it too.
        let error = world.check(&good(), "{}").unwrap_err();
        assert_refused(&error, ErrorCode::AccessTokenSignature);
        assert_eq!(world.issuer.fetches(), 2);
    }
}

#[test]
fn a_wrong_signature_in_an_outage_is_that() {
    let world = World::new();
    world.check(&good(), "{}").unwrap();
    world.issuer.set_away(true);
    for _ in 0..10 {
        let error = world.check(&others("k"), "{}").unwrap_err();
        assert_refused(&error, ErrorCode::AccessTokenSignature);
        world.check(&good(), "{}").unwrap();
    }
    assert_eq!(world.issuer.requests(), 3);
}

#[test]
fn threads_whose_key_is_known_pass_while_the_issuer_hangs() {
    let world = World::new();
    world.check(&good(), "{}").unwrap();
    // The keys are old enough to be read anew by whoever comes.
    world.clock.advance(Duration::from_secs(DAY * 9 / 10));
    world.issuer.set_gate(false);
    let (good, forged, unknown) = (good(), others("k"), others("next"));
    thread::scope(|scope| {
        for token in [&forged, &unknown, &forged, &unknown] {
            let world = &world;
            scope.spawn(move || world.check(token, "{}").unwrap_err());
        }
        eventually("somebody asks", || world.issuer.requests() == 3);
        let passing: Vec<_> = (0..32)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..50 {
                        world.check(&good, "{}").unwrap();
                    }
                })
            })
            .collect();
        let start = Instant::now();
        let held = || {
            passing
                .iter()
                .filter(|thread| !thread.is_finished())
                .count()
        };
        while held() > 0 && start.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(2));
        }
        let (held, requests) = (held(), world.issuer.requests());
        world.issuer.set_gate(true);
        assert_eq!((held, requests), (0, 3));
    });
    // One of those that waited may have come late, and asked once more.
    assert!(world.issuer.fetches() <= 3, "{}", world.issuer.fetches());
}

#[test]
fn reading_anew_holds_nobody_whose_key_is_known() {
    let world = World::new();
    world.check(&good(), "{}").unwrap();
    world.clock.advance(Duration::from_secs(DAY * 9 / 10));
    world.issuer.set_gate(false);
    for _ in 0..100 {
        world.check(&good(), "{}").unwrap();
    }
    eventually("the keys are read anew", || world.issuer.requests() == 3);
    // Who needs a new key waits, as long as the call lasts.
    let call = Call::within(Duration::from_millis(30));
    let error = world
        .validator
        .check(&others("next"), &Requirements::default(), &call)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout);
    let cancel = CancelToken::new();
    let call = Call::none().with_cancel(cancel.clone());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let requirements = Requirements::default();
            world.validator.check(&others("next"), &requirements, &call)
        });
        thread::sleep(Duration::from_millis(30));
        cancel.trigger();
        let error = waiting.join().unwrap().unwrap_err();
        assert_eq!(error.code(), ErrorCode::Cancelled);
    });
    world
        .issuer
        .publish(&[jwk(&rsa_key(), "k"), jwk(&OTHER_RSA, "next")]);
    world.issuer.set_gate(true);
    world.check(&others("next"), "{}").unwrap();
    assert_eq!(world.issuer.fetches(), 2);
}
