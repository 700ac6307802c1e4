//! A token that an API refused, that was forgotten, or that is to be replaced does not
//! come back from the shared cache.

use std::sync::Arc;
use std::time::Duration;

use segl::apis::Authorized;
use segl::clock::{FixedClock, UnixTime};
use segl::http::{Method, Request};
use segl::simulator::{Outage, OutageKind};
use segl::{Call, TokenClient};

use crate::world::{LONG, START, World, learn, request, token};

/// The API's answer to a request with token 0 of `instance`.
fn status(world: &World, instance: &Arc<TokenClient>) -> u16 {
    let api = Authorized::new(Arc::clone(instance), request(0));
    let url = world.simulator.urls().api.parse().unwrap();
    let answer = api.send(&Request::new(Method::Get, url), &Call::within(LONG));
    answer.unwrap().status
}

#[test]
fn a_rejected_token_is_replaced_once_for_all_instances() {
    let (world, clock) = World::standing_still();
    let (first, second) = (world.instance(), world.instance());
    assert_eq!(
        (status(&world, &first), status(&world, &second)),
        (200, 200)
    );
    assert_eq!(world.issued(), 1);
    assert_eq!(world.simulator.reject_tokens(), 1);
    clock.advance(Duration::from_secs(1));

    assert_eq!(status(&world, &first), 200);
    assert_eq!(world.issued(), 2, "the first one's replacement");
    assert_eq!(status(&world, &second), 200);
    assert_eq!(world.issued(), 2, "the second takes it from Redis");
    assert_eq!(world.simulator.requests().api_unauthorized, 2);
    let health = |instance: &TokenClient| {
        let health = instance.token_health();
        (health.rejected, health.shared)
    };
    assert_eq!((health(&first), health(&second)), ((1, 0), (1, 2)));
    assert_eq!(status(&world, &world.instance()), 200);
    assert_eq!(world.issued(), 2);
    assert_eq!(world.simulator.requests().api_unauthorized, 2);
}

#[test]
fn a_rejected_token_is_gone_even_if_there_is_no_other() {
    let (world, clock) = World::standing_still();
    let (first, second) = (world.instance(), world.instance());
    let rejected = token(&first, 0);
    clock.advance(Duration::from_secs(1));
    let kind = OutageKind::ServiceUnavailable;
    world.simulator.set_outage(Some(Outage::new(kind)));
    assert!(first.reject(&request(0), &rejected));
    let call = || Call::within(Duration::from_millis(500));
    first.token(&request(0), &call()).unwrap_err();
    assert_eq!(world.redis.names().len(), 0, "no other instance gets it");
    second.token(&request(0), &call()).unwrap_err();
    world.simulator.set_outage(None);
    let new = token(&first, 0);
    assert_ne!(new.access_token(), rejected.access_token());
    assert_eq!(token(&second, 0).access_token(), new.access_token());
}

/// What an instance learns of the service's time later does not make the token that it
/// has look older than the same one in Redis.
#[test]
fn a_rejected_token_stays_away_when_the_time_is_learned_afterwards() {
    for seconds in [-50, -5, 5, 50] {
        let (world, clock) = World::standing_still();
        let own = Arc::new(FixedClock::new(UnixTime::from_seconds(START + seconds)));
        let (first, second) = (world.instance(), world.instance_at(&own));
        let rejected = token(&first, 0);
        let taken = token(&second, 0);
        assert_eq!(taken.access_token(), rejected.access_token(), "{seconds} s");
        learn(&second, 1);
        clock.advance(Duration::from_secs(1));
        own.advance(Duration::from_secs(1));
        assert!(second.reject(&request(0), &taken));
        let new = token(&second, 0);
        assert_ne!(new.access_token(), rejected.access_token(), "{seconds} s");
        assert!(first.reject(&request(0), &rejected));
        assert_eq!(token(&first, 0).access_token(), new.access_token());
    }
}

#[test]
fn a_token_that_another_has_replaced_is_not_deleted() {
    let (world, clock) = World::standing_still();
    let (first, second) = (world.instance(), world.instance());
    let rejected = (token(&first, 0), token(&second, 0));
    clock.advance(Duration::from_secs(1));
    assert!(first.reject(&request(0), &rejected.0));
    let new = token(&first, 0);
    assert!(second.reject(&request(0), &rejected.1));
    assert!(!second.reject(&request(0), &new), "it is not there yet");
    assert_eq!(token(&second, 0).access_token(), new.access_token());
    assert_eq!(world.issued(), 2);
}

#[test]
fn what_was_forgotten_or_is_fetched_anew_is_not_taken_from_redis() {
    for seconds in [-50, 0, 50] {
        let (world, clock) = World::standing_still();
        let own = Arc::new(FixedClock::new(UnixTime::from_seconds(START + seconds)));
        let later = |time| {
            clock.advance(Duration::from_secs(time));
            own.advance(Duration::from_secs(time));
        };
        let (first, second) = (world.instance(), world.instance_at(&own));
        let old = token(&first, 0);
        assert_eq!(token(&second, 0).access_token(), old.access_token());
        later(1);
        second.forget(Some(&request(0)));
        let second_token = token(&second, 0);
        assert_ne!(second_token.access_token(), old.access_token());
        later(1);
        second.forget(None);
        let third_token = token(&second, 0);
        assert_ne!(third_token.access_token(), second_token.access_token());
        later(1);
        let fetched = second.fetch(&request(0), &Call::within(LONG)).unwrap();
        assert_eq!(world.issued(), 4, "{seconds} s");
        // It is shared with those who look for one.
        let third = world.instance();
        assert_eq!(token(&third, 0).access_token(), fetched.access_token());
        let begun_with = world.instance();
        begun_with.fetch(&request(0), &Call::within(LONG)).unwrap();
        assert_eq!(world.issued(), 5, "the first call of an instance");
    }
}
