//! However many instances there are, each token is fetched once.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use segl::simulator::{Outage, OutageKind};

use crate::world::{LIFE, LONG, TOKENS, World, learn, request, token, wait_for_successor};

/// An age at which every instance refreshes in advance: a token of 120 seconds comes to
/// that at 95 to 101 seconds and has to be replaced at 107, and one that was taken from
/// another instance is counted 4 seconds older.
const ADVISORY: Duration = Duration::from_secs(102);

#[test]
fn many_threads_of_many_instances_fetch_each_token_once() {
    const INSTANCES: usize = 8;
    const THREADS: usize = 4;
    let world = World::new(LIFE);
    let instances: Vec<_> = (0..INSTANCES).map(|_| world.instance()).collect();
    let start = Barrier::new(INSTANCES * THREADS);
    let texts: Vec<Vec<String>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..INSTANCES * THREADS)
            .map(|number| {
                let (instance, start) = (&instances[number % INSTANCES], &start);
                scope.spawn(move || {
                    start.wait();
                    let ask = |token: usize| (token + number) % TOKENS;
                    let mut texts: Vec<_> = (0..TOKENS)
                        .map(|number| (ask(number), token(instance, ask(number))))
                        .map(|(number, token)| (number, token.access_token().to_owned()))
                        .collect();
                    texts.sort();
                    texts.into_iter().map(|(_, text)| text).collect()
                })
            })
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().unwrap();
        threads.into_iter().map(join).collect()
    });
    assert!(texts.iter().all(|other| *other == texts[0]));
    let requests = world.simulator.requests();
    assert_eq!(requests.maskinporten_issued, TOKENS as u64);
    assert_eq!(requests.maskinporten_token, TOKENS as u64);
    assert_eq!(requests.maskinporten_most_at_once_per_grant, 1);
    let taken: u64 = instances
        .iter()
        .map(|instance| instance.token_health().shared)
        .sum();
    assert_eq!(taken, ((INSTANCES - 1) * TOKENS) as u64);
}

#[test]
fn a_successor_is_fetched_in_advance_by_one_instance() {
    let (world, clock) = World::standing_still();
    let instances: Vec<_> = (0..4).map(|_| world.instance()).collect();
    for (number, instance) in instances.iter().enumerate() {
        learn(instance, number + 1);
    }
    let old: Vec<_> = instances
        .iter()
        .map(|instance| token(instance, 0))
        .collect();
    let issued = world.issued();
    clock.advance(ADVISORY);
    let new: Vec<_> = thread::scope(|scope| {
        let pairs = instances.iter().zip(&old);
        let threads: Vec<_> = pairs
            .map(|(instance, old)| scope.spawn(|| wait_for_successor(instance, 0, old)))
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().unwrap();
        threads.into_iter().map(join).collect()
    });
    assert_eq!(world.issued(), issued + 1);
    let text = new[0].access_token();
    assert_ne!(text, old[0].access_token());
    assert!(new.iter().all(|token| token.access_token() == text));
}

#[test]
fn the_others_take_the_successor_when_their_time_comes() {
    let (world, clock) = World::standing_still();
    let (first, second) = (world.instance(), world.instance());
    learn(&second, 1);
    let old = (token(&first, 0), token(&second, 0));
    assert_eq!(old.0.access_token(), old.1.access_token());
    let issued = world.issued();
    clock.advance(ADVISORY);
    let new = wait_for_successor(&first, 0, &old.0);
    assert_eq!(world.issued(), issued + 1);
    let taken = wait_for_successor(&second, 0, &old.1);
    assert_eq!(taken.access_token(), new.access_token());
    assert_eq!(world.issued(), issued + 1);
    let late = token(&world.instance(), 0);
    assert_eq!(late.access_token(), new.access_token());
}

#[test]
fn the_same_token_is_never_taken_for_a_new_one() {
    let (world, clock) = World::standing_still();
    let (first, second) = (world.instance(), world.instance());
    learn(&second, 1);
    token(&first, 0);
    let old = token(&second, 0);
    world
        .simulator
        .set_outage(Some(Outage::new(OutageKind::ServiceUnavailable)));
    clock.advance(Duration::from_secs(100));
    // It is refreshed in vain, for in Redis is the same token.
    for _ in 0..20 {
        assert_eq!(token(&second, 0).generation(), old.generation());
        thread::sleep(Duration::from_millis(10));
        clock.advance(Duration::from_millis(100));
    }
    let until = Instant::now() + LONG;
    while second.token_health().failures == 0 {
        assert!(Instant::now() < until, "it never tried");
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(
        second.cached(&request(0)).unwrap().generation(),
        old.generation()
    );
    world.simulator.set_outage(None);
    clock.advance(Duration::from_secs(25));
    let new = token(&second, 0);
    assert_ne!(new.access_token(), old.access_token());
    assert_eq!(token(&second, 0).generation(), new.generation());
}
