//! One fetch for all instances, whatever becomes of the one that fetches.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use segl::token::shared::{ObtainedFrom, SharedCache, obtain};
use segl::{Call, CancelToken, Error, ErrorCode};

use crate::store::Memory;
use crate::{KEY, ask, ask_at_once, instance, obtain_for, token};

/// Longer than any machine needs, and far shorter than a lease that is waited out.
const AT_ONCE: Duration = Duration::from_secs(8);

fn refusal() -> Error {
    Error::new(ErrorCode::TokenInvalidGrant, "refused")
}

#[test]
fn many_instances_fetch_once() {
    for count in [2, 20] {
        let store = Memory::new();
        let instances = (0..count).map(|_| instance(&store)).collect();
        assert_eq!(ask_at_once(instances), 1, "{count} instances");
        let entries = store.entries.lock().unwrap().len();
        assert_eq!(entries, 1, "the token, and no lease");
    }
}

#[test]
fn a_token_that_is_not_good_is_replaced() {
    let store = Memory::new();
    let cache = instance(&store);
    let old = ask(&cache, "old").token;
    let is_new = |found: &_| *found != old;
    let fetched = obtain(
        &cache,
        KEY,
        &is_new,
        &mut || Ok(token("new")),
        &Call::none(),
    )
    .unwrap();
    assert_eq!(fetched.from, ObtainedFrom::Fetched);
    let found = ask(&cache, "never fetched");
    assert_eq!(
        (found.from, found.token),
        (ObtainedFrom::Shared, fetched.token)
    );
}

#[test]
fn other_keys_are_other_tokens() {
    let store = Memory::new();
    let cache = instance(&store);
    ask(&cache, "a");
    let other = obtain_for(&cache, &[8; 32], &mut || Ok(token("b")), &Call::none()).unwrap();
    assert_eq!(other.from, ObtainedFrom::Fetched);
    assert_eq!(store.names().len(), 2);
}

#[test]
fn a_failed_fetch_is_the_error_and_lets_the_next_one_try() {
    let store = Memory::new();
    let cache = instance(&store).with_lease(Duration::from_secs(60));
    let error = obtain_for(&cache, KEY, &mut || Err(refusal()), &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenInvalidGrant);
    let begun = Instant::now();
    assert_eq!(ask(&instance(&store), "a").from, ObtainedFrom::Fetched);
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[test]
fn a_lease_that_was_left_behind_ends_by_itself() {
    let store = Memory::new();
    store.keeps_leases.store(true, Ordering::SeqCst);
    let lease = Duration::from_millis(600);
    let dies = instance(&store).with_lease(lease);
    obtain_for(&dies, KEY, &mut || Err(refusal()), &Call::none()).unwrap_err();
    store.keeps_leases.store(false, Ordering::SeqCst);
    let begun = Instant::now();
    let instances = (0..4).map(|_| instance(&store)).collect();
    assert_eq!(ask_at_once(instances), 1);
    assert!(begun.elapsed() >= lease / 2, "{:?}", begun.elapsed());
}

#[test]
fn nobody_waits_for_more_than_half_of_a_call() {
    let store = Memory::new();
    store.keeps_leases.store(true, Ordering::SeqCst);
    let cache = instance(&store).with_lease(Duration::from_secs(60));
    obtain_for(&cache, KEY, &mut || Err(refusal()), &Call::none()).unwrap_err();
    let begun = Instant::now();
    let call = Call::within(Duration::from_secs(4));
    let mut left = Duration::ZERO;
    let mut fetch = || {
        left = call.remaining(Duration::ZERO, "fetching")?;
        Ok(token("a"))
    };
    let obtained = obtain_for(&cache, KEY, &mut fetch, &call).unwrap();
    assert_eq!(obtained.from, ObtainedFrom::Fetched);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert!(left > Duration::from_millis(500), "{left:?} were left");
    assert_eq!(ask(&cache, "never fetched").from, ObtainedFrom::Shared);
}

#[test]
fn a_cancelled_call_ends_while_it_waits() {
    let store = Memory::new();
    store.keeps_leases.store(true, Ordering::SeqCst);
    let cache = instance(&store).with_lease(Duration::from_secs(60));
    obtain_for(&cache, KEY, &mut || Err(refusal()), &Call::none()).unwrap_err();
    let cancel = CancelToken::new();
    let call = Call::none().with_cancel(cancel.clone());
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            cancel.trigger();
        });
        let mut fetch = || panic!("a cancelled call fetches nothing");
        let error = obtain_for(&cache, KEY, &mut fetch, &call).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Cancelled);
    });
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[test]
fn a_store_that_fails_at_any_step_costs_no_token() {
    // Look, lease, look, put, release: the fifth and what follows are not needed.
    for step in 1..=6 {
        let store = Memory::new();
        store.fails_from.store(step, Ordering::SeqCst);
        let cache = instance(&store);
        let mut fetches = 0;
        let mut fetch = || {
            fetches += 1;
            Ok(token("a"))
        };
        let obtained = obtain_for(&cache, KEY, &mut fetch, &Call::none()).unwrap();
        assert_eq!(obtained.from, ObtainedFrom::Fetched, "step {step}");
        assert_eq!(obtained.token, token("a"), "step {step}");
        assert_eq!(fetches, 1, "step {step}");
        assert_eq!(store.names().len(), usize::from(step > 4), "step {step}");
    }
}

#[test]
fn a_store_that_does_not_work_is_left_alone() {
    let store = Memory::new();
    store.fails_from.store(1, Ordering::SeqCst);
    let cache = instance(&store);
    for _ in 0..100 {
        assert_eq!(ask(&cache, "a").from, ObtainedFrom::Fetched);
    }
    // Once more for each second that a slow machine took.
    let asked = store.asked.load(Ordering::SeqCst);
    assert!(asked < 5, "{asked} questions");
}

#[test]
fn what_has_no_life_left_is_not_kept() {
    let store = Memory::new();
    let mut over = token("a");
    over.expires_at = over.requested_at;
    let mut fetch = || Ok(over.clone());
    let obtained = obtain_for(&instance(&store), KEY, &mut fetch, &Call::none()).unwrap();
    assert_eq!(obtained.from, ObtainedFrom::Fetched);
    assert_eq!(store.names().len(), 0);
}

#[test]
fn only_the_rejected_token_is_forgotten() {
    let store = Memory::new();
    let cache: SharedCache = instance(&store);
    let rejected = ask(&cache, "rejected").token;
    let is_rejected = |found: &_| *found == rejected;
    let call = Call::none();
    assert!(!cache.forget(&[8; 32], &is_rejected, &call), "another key");
    assert!(cache.forget(KEY, &is_rejected, &call));
    assert!(!cache.forget(KEY, &is_rejected, &call), "it is gone");
    ask(&cache, "replacement");
    assert!(!cache.forget(KEY, &is_rejected, &call));
    assert_eq!(ask(&cache, "never fetched").from, ObtainedFrom::Shared);
}
