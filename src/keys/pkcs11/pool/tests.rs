//! The pool without a token.

use super::*;

fn session(serial: u64) -> SessionId {
    SessionId { handle: 7, serial }
}

fn pool(max: usize) -> Pool {
    let pool = Pool::new(max);
    pool.connect(1, session(1), usize::MAX);
    pool
}

fn code(outcome: Result<Permit>) -> ErrorCode {
    outcome.err().unwrap().code()
}

#[test]
fn a_session_is_handed_on() {
    let pool = pool(1);
    let mut permit = pool.acquire(&Call::none()).unwrap();
    assert_eq!(permit.take_session(1), None, "the holder opens one");
    assert!(permit.put_back(session(7)));
    drop(permit);
    let next = || pool.acquire(&Call::none()).unwrap().take_session(1);
    assert_eq!(next(), Some(session(7)));
    assert_eq!(
        next(),
        None,
        "a session that was not put back is not handed on"
    );
}

#[test]
fn sessions_of_an_old_connection_are_not_handed_on() {
    let pool = pool(2);
    let mut old = pool.acquire(&Call::none()).unwrap();
    let mut older = pool.acquire(&Call::none()).unwrap();
    assert!(older.put_back(session(2)));
    pool.connect(2, session(3), usize::MAX);
    assert!(!old.put_back(session(4)), "the holder must close it");
    assert_eq!(older.take_session(2), None);
    assert!(
        older.put_back(session(5)),
        "it is of the new connection now"
    );
    drop((old, older));
    assert_eq!(
        pool.acquire(&Call::none()).unwrap().take_session(2),
        Some(session(5))
    );
}

#[test]
fn waits_no_longer_than_the_deadline() {
    let pool = pool(1);
    let held = pool.acquire(&Call::none()).unwrap();
    let call = Call::within(Duration::from_millis(5));
    assert_eq!(code(pool.acquire(&call)), ErrorCode::PoolTimeout);
    assert_eq!(code(pool.acquire(&call)), ErrorCode::Timeout, "none left");
    drop(held);
    assert!(pool.acquire(&Call::none()).is_ok());
}

#[test]
fn cancel_ends_the_wait() {
    let pool = pool(1);
    let _held = pool.acquire(&Call::none()).unwrap();
    let cancel = CancelToken::new();
    let call = Call::within(Duration::from_secs(3600)).with_cancel(cancel.clone());
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| code(pool.acquire(&call)));
        cancel.trigger();
        assert_eq!(waiter.join().unwrap(), ErrorCode::Cancelled);
    });
}

#[test]
fn a_freed_session_ends_the_wait() {
    let pool = pool(1);
    let mut held = pool.acquire(&Call::none()).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| pool.acquire(&Call::none()).unwrap().take_session(1));
        assert!(held.put_back(session(7)));
        drop(held);
        assert_eq!(waiter.join().unwrap(), Some(session(7)));
    });
}

#[test]
fn another_takes_the_place_of_one_that_hangs() {
    let pool = pool(1);
    let mut all_stuck = Vec::new();
    for _ in 0..MIN_STUCK {
        let stuck = pool.acquire(&Call::none()).unwrap();
        stuck.seat().leave_behind();
        stuck.seat().leave_behind();
        all_stuck.push(stuck);
    }
    let counts = pool.counts();
    assert_eq!((counts.busy, counts.stuck), (0, MIN_STUCK));
    assert_eq!(
        code(pool.acquire(&Call::none())),
        ErrorCode::RestartRequired,
        "there is an end to it"
    );
    let stuck = &mut all_stuck[0];
    assert!(!stuck.put_back(session(7)), "there may be another by now");
    drop(all_stuck);
    assert_eq!(pool.counts().stuck, 0);
    assert!(pool.acquire(&Call::none()).is_ok());
}

#[test]
fn who_is_over_cannot_be_left_behind() {
    let pool = pool(1);
    let permit = pool.acquire(&Call::none()).unwrap();
    let seat = permit.seat();
    drop(permit);
    seat.leave_behind();
    let counts = pool.counts();
    assert_eq!((counts.busy, counts.stuck), (0, 0));
}

#[test]
fn sessions_that_were_replaced_are_not_taken_back() {
    let pool = pool(3);
    let _leased = pool.acquire(&Call::none()).unwrap();
    assert_eq!(pool.take_all(), (vec![], Some(session(1))));
    let idle = vec![session(11), session(12), session(13)];
    assert_eq!(pool.put_all(idle, Some(session(2))), [session(13)]);
    let all = (vec![session(11), session(12)], Some(session(2)));
    assert_eq!(pool.take_all(), all);
}

#[test]
fn a_session_that_comes_back_during_a_reconnection_is_not_lost() {
    let pool = pool(3);
    let mut late = pool.acquire(&Call::none()).unwrap();
    assert_eq!(pool.take_all(), (vec![], Some(session(1))));
    assert!(late.put_back(session(11)));
    drop(late);
    pool.connect(2, session(2), usize::MAX);
    assert_eq!(pool.take_stale(), [session(11)]);
    assert_eq!(pool.take_all(), (vec![], Some(session(2))));
}

#[test]
fn a_keeper_that_is_out_is_waited_for() {
    let pool = pool(1);
    let alone = pool.acquire(&Call::none()).unwrap();
    pool.take_all();
    assert!(matches!(alone.was_refused(), Refused::AwaitKeeper));
    pool.put_all(vec![], Some(session(2)));
    assert!(matches!(alone.was_refused(), Refused::UseKeeper(keeper) if keeper == session(2)));
    assert!(matches!(alone.was_refused(), Refused::NothingLeft));
}

#[test]
fn shrinks_to_what_the_token_allows() {
    let pool = pool(8);
    let first = pool.acquire(&Call::none()).unwrap();
    assert!(matches!(first.was_refused(), Refused::UseKeeper(_)));
    let second = pool.acquire(&Call::none()).unwrap();
    assert!(matches!(
        second.was_refused(),
        Refused::UseOthers { max: 1 }
    ));
    drop(second);
    let call = Call::within(Duration::from_millis(5));
    assert_eq!(code(pool.acquire(&call)), ErrorCode::PoolTimeout);
    drop(first);
    let alone = pool.acquire(&Call::none()).unwrap();
    assert!(matches!(alone.was_refused(), Refused::NothingLeft));
}

#[test]
fn a_limit_is_forgotten_after_a_while() {
    let pool = pool(8);
    let _first = pool.acquire(&Call::none()).unwrap();
    let second = pool.acquire(&Call::none()).unwrap();
    assert!(matches!(
        second.was_refused(),
        Refused::UseOthers { max: 1 }
    ));
    if let Some((_, since)) = &mut lock(&pool.0.state).lowered {
        *since = since.checked_sub(LIMIT_LASTS).unwrap();
    }
    drop(second);
    assert!(pool.acquire(&Call::none()).is_ok());
    assert_eq!(pool.counts().max, 8);
}

#[test]
fn not_everybody_may_wait() {
    let pool = pool(1);
    let _held = pool.acquire(&Call::none()).unwrap();
    lock(&pool.0.state).waiting = 64;
    assert_eq!(code(pool.acquire(&Call::none())), ErrorCode::PoolTimeout);
}

#[test]
fn the_longest_idle_comes_first_for_keep_alive() {
    let pool = pool(2);
    let mut first = pool.acquire(&Call::none()).unwrap();
    let mut second = pool.acquire(&Call::none()).unwrap();
    assert!(first.put_back(session(11)) && second.put_back(session(12)));
    drop(first);
    drop(second);
    assert!(pool.acquire_idle_for(Duration::from_secs(60)).is_none());
    let mut oldest = pool.acquire_idle_for(Duration::ZERO).unwrap();
    assert_eq!(oldest.take_session(1), Some(session(11)));
}
