//! A few sessions with one token, shared by many threads.
//!
//! A session is used by one thread at a time (PKCS#11 v2.40 section 5.6), so
//! each signature leases one. The pool only counts and keeps handles; whoever
//! holds a permit opens and closes them.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use cryptoki_sys::CK_SESSION_HANDLE;

use super::lock::lock;
use crate::call::{Call, CancelToken};
use crate::error::{Error, ErrorCode, Result};

/// How long a call without a shorter deadline waits for a session.
const DEFAULT_WAIT: Duration = Duration::from_secs(2);

/// The sessions with one token.
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Open and free, the last used one last.
    idle: Vec<CK_SESSION_HANDLE>,
    /// Permits out there, with or without a session.
    leased: usize,
    /// The most sessions there may be, idle and leased together; lowered when
    /// the token refuses one more.
    max: usize,
    configured_max: usize,
    /// Open beside the others and not signed with, so that the login outlives
    /// every other session.
    keeper: Option<CK_SESSION_HANDLE>,
    /// Between `take_all` and `put_all`.
    keeper_is_out: bool,
}

impl Pool {
    /// A pool of at most `max` sessions beside `keeper`.
    pub fn new(keeper: CK_SESSION_HANDLE, max: usize) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                idle: Vec::new(),
                leased: 0,
                max: max.max(1),
                configured_max: max.max(1),
                keeper: Some(keeper),
                keeper_is_out: false,
            }),
            changed: Condvar::new(),
        }))
    }

    /// Waits until a session is free or may be opened.
    ///
    /// # Errors
    /// `POOL_TIMEOUT` when the call's time, 2 seconds by default, runs out first.
    /// `TIMEOUT` when there was none left. `CANCELLED`.
    pub fn acquire(&self, call: &Call) -> Result<Permit<'_>> {
        const WORK: &str = "waiting for a session with the token";
        let wait = call.remaining(DEFAULT_WAIT, WORK)?;
        if let Some(permit) = self.try_acquire(&mut lock(&self.0.state)) {
            return Ok(permit);
        }
        let start = Instant::now();
        let shared = Arc::clone(&self.0);
        let _subscription = call.cancel().map(|cancel| {
            cancel.subscribe(Arc::new(move || {
                // Taken so that no waiter is between its check and its wait.
                drop(lock(&shared.state));
                shared.changed.notify_all();
            }))
        });
        let mut state = lock(&self.0.state);
        loop {
            if let Some(permit) = self.try_acquire(&mut state) {
                return Ok(permit);
            }
            if call.cancel().is_some_and(CancelToken::is_cancelled) {
                call.check(WORK)?;
            }
            let Some(left) = wait
                .checked_sub(start.elapsed())
                .filter(|left| !left.is_zero())
            else {
                return Err(exhausted(state.max, wait));
            };
            state = match self.0.changed.wait_timeout(state, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    fn try_acquire(&self, state: &mut State) -> Option<Permit<'_>> {
        let session = state.idle.pop();
        if session.is_none() && state.leased >= state.max {
            return None;
        }
        state.leased += 1;
        Some(Permit {
            pool: self,
            session,
        })
    }

    /// Takes out every session that is not leased, for inspection or closing, and
    /// the keeper.
    pub fn take_all(&self) -> (Vec<CK_SESSION_HANDLE>, Option<CK_SESSION_HANDLE>) {
        let mut state = lock(&self.0.state);
        state.keeper_is_out = true;
        (std::mem::take(&mut state.idle), state.keeper.take())
    }

    /// Puts sessions back that are known good. Returns those that are too many, as
    /// others were opened in their place. The token may have room for more again.
    pub fn put_all(
        &self,
        mut idle: Vec<CK_SESSION_HANDLE>,
        keeper: Option<CK_SESSION_HANDLE>,
    ) -> Vec<CK_SESSION_HANDLE> {
        let mut state = lock(&self.0.state);
        state.max = state.configured_max;
        let room = state.max.saturating_sub(state.leased + state.idle.len());
        let surplus = idle.split_off(room.min(idle.len()));
        state.idle.extend(idle);
        state.keeper = keeper;
        state.keeper_is_out = false;
        drop(state);
        self.0.changed.notify_all();
        surplus
    }

    /// The session that keeps the login, whatever becomes of the others.
    pub fn keeper(&self) -> Option<CK_SESSION_HANDLE> {
        lock(&self.0.state).keeper
    }
}

/// The right to use one session, given back when dropped.
pub(super) struct Permit<'a> {
    pool: &'a Pool,
    session: Option<CK_SESSION_HANDLE>,
}

impl Permit<'_> {
    /// The open session that came with the permit. Without one the holder may
    /// open one.
    pub fn take_session(&mut self) -> Option<CK_SESSION_HANDLE> {
        self.session.take()
    }

    /// Gives `session` to the next caller.
    pub fn put_back(mut self, session: CK_SESSION_HANDLE) {
        self.session = Some(session);
    }

    /// The token refused another session. The pool shrinks to those it has, if it
    /// has any; otherwise the keeper is what remains.
    pub fn was_refused(&self) -> Refused {
        let mut state = lock(&self.pool.0.state);
        let others = state.idle.len() + state.leased - 1;
        if others > 0 {
            state.max = state.max.min(others);
            return Refused::UseOthers { max: state.max };
        }
        match state.keeper.take() {
            Some(keeper) => Refused::UseKeeper(keeper),
            None if state.keeper_is_out => Refused::AwaitKeeper,
            None => Refused::NothingLeft,
        }
    }
}

/// What to do when the token has no more sessions.
pub(super) enum Refused {
    /// Wait for one of the others.
    UseOthers { max: usize },
    /// Sign with the keeper from now on.
    UseKeeper(CK_SESSION_HANDLE),
    /// Try again after the recovery that is going on.
    AwaitKeeper,
    /// Other programs have them all.
    NothingLeft,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.pool.0.state);
        state.leased -= 1;
        state.idle.extend(self.session.take());
        drop(state);
        self.pool.0.changed.notify_one();
    }
}

fn exhausted(max: usize, wait: Duration) -> Error {
    Error::new(
        ErrorCode::PoolTimeout,
        format!(
            "all {max} sessions with the token were busy for {} ms; allow more time, more sessions, or send less at once",
            wait.as_millis()
        ),
    )
    .with_retryable(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: CK_SESSION_HANDLE = 7;

    fn code(outcome: Result<Permit<'_>>) -> ErrorCode {
        outcome.err().unwrap().code()
    }

    #[test]
    fn a_session_is_handed_on() {
        let pool = Pool::new(1, 1);
        let mut permit = pool.acquire(&Call::none()).unwrap();
        assert_eq!(permit.take_session(), None, "the holder opens one");
        permit.put_back(SESSION);
        assert_eq!(
            pool.acquire(&Call::none()).unwrap().take_session(),
            Some(SESSION)
        );
        assert_eq!(
            pool.acquire(&Call::none()).unwrap().take_session(),
            None,
            "a session that was not put back is not handed on"
        );
    }

    #[test]
    fn waits_no_longer_than_the_deadline() {
        let pool = Pool::new(1, 1);
        let held = pool.acquire(&Call::none()).unwrap();
        let call = Call::within(Duration::from_millis(5));
        assert_eq!(code(pool.acquire(&call)), ErrorCode::PoolTimeout);
        assert_eq!(code(pool.acquire(&call)), ErrorCode::Timeout, "none left");
        drop(held);
        assert!(pool.acquire(&Call::none()).is_ok());
    }

    #[test]
    fn cancel_ends_the_wait() {
        let pool = Pool::new(1, 1);
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
        let pool = Pool::new(1, 1);
        let held = pool.acquire(&Call::none()).unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| pool.acquire(&Call::none()).unwrap().take_session());
            held.put_back(SESSION);
            assert_eq!(waiter.join().unwrap(), Some(SESSION));
        });
    }

    #[test]
    fn sessions_that_were_replaced_are_not_taken_back() {
        let pool = Pool::new(1, 3);
        let _leased = pool.acquire(&Call::none()).unwrap();
        assert_eq!(pool.take_all(), (vec![], Some(1)));
        assert_eq!(pool.put_all(vec![11, 12, 13], Some(2)), [13]);
        assert_eq!(pool.take_all(), (vec![11, 12], Some(2)));
    }

    #[test]
    fn a_keeper_that_is_out_is_waited_for() {
        let pool = Pool::new(1, 1);
        let alone = pool.acquire(&Call::none()).unwrap();
        pool.take_all();
        assert!(matches!(alone.was_refused(), Refused::AwaitKeeper));
        pool.put_all(vec![], Some(2));
        assert!(matches!(alone.was_refused(), Refused::UseKeeper(2)));
        assert!(matches!(alone.was_refused(), Refused::NothingLeft));
    }

    #[test]
    fn shrinks_to_what_the_token_allows() {
        let pool = Pool::new(1, 8);
        let first = pool.acquire(&Call::none()).unwrap();
        assert!(matches!(first.was_refused(), Refused::UseKeeper(1)));
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
}
