//! A few sessions with one token, shared by many threads.
//!
//! A session is used by one thread at a time (PKCS#11 v2.40 section 5.6), so
//! each signature leases one. The pool only counts and keeps handles; whoever
//! holds a permit opens and closes them.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::instance::SessionId;
use super::lock::lock;
use crate::call::{Call, CancelToken};
use crate::error::{Error, ErrorCode, Result};
use crate::keys::health::SessionCounts;

/// How long a call without a shorter deadline waits for a session.
const DEFAULT_WAIT: Duration = Duration::from_secs(2);

/// A limit that the token taught is forgotten after this time, for other programs
/// may have closed their sessions.
const LIMIT_LASTS: Duration = Duration::from_secs(60);

/// So many calls may hang even where there may be fewer sessions.
const MIN_STUCK: usize = 4;

/// The sessions with one token, in one process.
#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Open and free, the last used one last.
    idle: Vec<Idle>,
    /// Of connections before this one, to be closed.
    stale: Vec<SessionId>,
    /// Permits out there, with or without a session, of holders that work.
    leased: usize,
    /// Permits of holders that hang in the module.
    stuck: usize,
    /// Callers that wait for a permit.
    waiting: usize,
    /// The most sessions there may be, idle and leased together.
    max: usize,
    /// What `max` was before the token refused one more, and when that was.
    lowered: Option<(usize, Instant)>,
    /// The most there may ever be.
    configured_max: usize,
    /// Which connection the sessions belong to.
    connection: u64,
    /// Open beside the others and not signed with, so that the login outlives
    /// every other session.
    keeper: Option<SessionId>,
    /// Between `take_all` and `put_all`.
    keeper_is_out: bool,
}

struct Idle {
    session: SessionId,
    since: Instant,
}

impl Pool {
    /// A pool of at most `max` sessions beside the keeper. There are none until
    /// the first connection.
    pub fn new(max: usize) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                idle: Vec::new(),
                stale: Vec::new(),
                leased: 0,
                stuck: 0,
                waiting: 0,
                max: max.max(1),
                lowered: None,
                configured_max: max.max(1),
                connection: 0,
                keeper: None,
                keeper_is_out: false,
            }),
            changed: Condvar::new(),
        }))
    }

    /// Waits until a session is free or may be opened.
    ///
    /// # Errors
    /// `POOL_TIMEOUT` when the call's time, 2 seconds by default, runs out first,
    /// or too many wait already. `TIMEOUT` when there was none left. `CANCELLED`.
    /// `RESTART_REQUIRED` while too many calls hang.
    pub fn acquire(&self, call: &Call) -> Result<Permit> {
        const WORK: &str = "waiting for a session with the token";
        let wait = call.remaining(DEFAULT_WAIT, WORK)?;
        if let Some(permit) = self.try_acquire(&mut lock(&self.0.state))? {
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
        let queue = state.configured_max.saturating_mul(8).max(64);
        if state.waiting >= queue {
            return Err(exhausted(format_args!(
                "{queue} callers wait for one of the {} sessions with the token already",
                state.max
            )));
        }
        state.waiting += 1;
        let outcome = loop {
            match self.try_acquire(&mut state) {
                Ok(None) => {}
                outcome => {
                    break outcome.and_then(|permit| permit.ok_or_else(|| no_time(&state, wait)));
                }
            }
            if call.cancel().is_some_and(CancelToken::is_cancelled)
                && let Err(cancelled) = call.check(WORK)
            {
                break Err(cancelled);
            }
            let Some(left) = wait
                .checked_sub(start.elapsed())
                .filter(|left| !left.is_zero())
            else {
                break Err(no_time(&state, wait));
            };
            state = match self.0.changed.wait_timeout(state, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        };
        state.waiting -= 1;
        outcome
    }

    /// A permit with the session that has been idle longest, if that is `age` or
    /// more.
    pub fn acquire_idle_for(&self, age: Duration) -> Option<Permit> {
        let mut state = lock(&self.0.state);
        let oldest = state.idle.first()?;
        if oldest.since.elapsed() < age || state.leased >= state.max {
            return None;
        }
        let session = state.idle.remove(0).session;
        Some(self.permit(&mut state, Some(session)))
    }

    fn try_acquire(&self, state: &mut State) -> Result<Option<Permit>> {
        if state.stuck >= state.configured_max.max(MIN_STUCK) {
            return Err(all_stuck(state.stuck));
        }
        if let Some((before, since)) = state.lowered
            && since.elapsed() >= LIMIT_LASTS
        {
            state.max = before;
            state.lowered = None;
        }
        if state.leased >= state.max {
            return Ok(None);
        }
        let session = state.idle.pop().map(|idle| idle.session);
        Ok(Some(self.permit(state, session)))
    }

    fn permit(&self, state: &mut State, session: Option<SessionId>) -> Permit {
        state.leased += 1;
        Permit {
            seat: Seat {
                pool: self.clone(),
                stage: Arc::default(),
            },
            connection: state.connection,
            session,
        }
    }

    /// Begins with the sessions of a new connection, of which there is `keeper`,
    /// and at most `limit` beside it. The old ones must have been taken out.
    pub fn connect(&self, connection: u64, keeper: SessionId, limit: usize) {
        let mut state = lock(&self.0.state);
        state.connection = connection;
        // Given back since the others were taken out.
        let late = std::mem::take(&mut state.idle);
        state
            .stale
            .extend(late.into_iter().map(|idle| idle.session));
        state.max = state.configured_max.min(limit).max(1);
        state.lowered = None;
        state.keeper = Some(keeper);
        state.keeper_is_out = false;
        drop(state);
        self.0.changed.notify_all();
    }

    /// Takes out every session that is not leased, for inspection or closing, and
    /// the keeper.
    pub fn take_all(&self) -> (Vec<SessionId>, Option<SessionId>) {
        let mut state = lock(&self.0.state);
        state.keeper_is_out = true;
        let idle = state.idle.drain(..).map(|idle| idle.session).collect();
        (idle, state.keeper.take())
    }

    /// Takes out the sessions of connections before this one, to be closed.
    pub fn take_stale(&self) -> Vec<SessionId> {
        std::mem::take(&mut lock(&self.0.state).stale)
    }

    /// Puts sessions back that are known good. Returns those that are too many, as
    /// others were opened in their place. The token may have room for more again.
    pub fn put_all(&self, mut idle: Vec<SessionId>, keeper: Option<SessionId>) -> Vec<SessionId> {
        let mut state = lock(&self.0.state);
        if let Some((before, _)) = state.lowered.take() {
            state.max = before;
        }
        let room = state.max.saturating_sub(state.leased + state.idle.len());
        let surplus = idle.split_off(room.min(idle.len()));
        let since = Instant::now();
        state
            .idle
            .extend(idle.into_iter().map(|session| Idle { session, since }));
        state.keeper = keeper;
        state.keeper_is_out = false;
        drop(state);
        self.0.changed.notify_all();
        surplus
    }

    /// True when the sessions are those of `connection`.
    pub fn is_connected_by(&self, connection: u64) -> bool {
        lock(&self.0.state).connection == connection
    }

    /// The session that keeps the login, whatever becomes of the others.
    pub fn keeper(&self) -> Option<SessionId> {
        lock(&self.0.state).keeper
    }

    /// Since when the session has been idle that has been so longest.
    pub fn idle_since(&self) -> Option<Instant> {
        lock(&self.0.state).idle.first().map(|idle| idle.since)
    }

    /// How many sessions there are, by what they do.
    pub fn counts(&self) -> SessionCounts {
        let state = lock(&self.0.state);
        SessionCounts {
            max: state.max,
            idle: state.idle.len() + usize::from(state.keeper.is_some()),
            busy: state.leased,
            stuck: state.stuck,
            waiting: state.waiting,
        }
    }
}

/// The right to use one session, given back when dropped.
pub(super) struct Permit {
    seat: Seat,
    connection: u64,
    session: Option<SessionId>,
}

/// A permit as its caller sees it, while another thread works with it.
#[derive(Clone)]
pub(super) struct Seat {
    pool: Pool,
    /// Read and changed under the pool's lock.
    stage: Arc<Mutex<Stage>>,
}

#[derive(Default, PartialEq)]
enum Stage {
    #[default]
    Working,
    Stuck,
    /// For another permit, in this one's place.
    Waiting,
    /// The same, and nobody waits for this one any more.
    WaitingForNobody,
    Over,
}

impl Permit {
    /// What tells the pool that the holder hangs.
    pub fn seat(&self) -> Seat {
        self.seat.clone()
    }

    /// The open session that came with the permit, if it is of `connection`.
    /// Without one the holder may open one of that connection.
    pub fn take_session(&mut self, connection: u64) -> Option<SessionId> {
        let is_current = std::mem::replace(&mut self.connection, connection) == connection;
        let session = self.session.take()?;
        if !is_current {
            lock(&self.seat.pool.0.state).stale.push(session);
            return None;
        }
        Some(session)
    }

    /// Keeps `session` for the next job, here or of the next caller. False when
    /// the pool has no use for it any more, and the holder must close it.
    pub fn put_back(&mut self, session: SessionId) -> bool {
        let state = lock(&self.seat.pool.0.state);
        let is_wanted = self.connection == state.connection
            && *lock(&self.seat.stage) == Stage::Working
            && state.idle.len() + state.leased <= state.max;
        if is_wanted {
            self.session = Some(session);
        }
        is_wanted
    }

    /// Waits for a session that another holder gives back, and goes without until
    /// then.
    ///
    /// # Errors
    /// As [`Pool::acquire`].
    pub fn wait_for_others(&mut self, call: &Call) -> Result<()> {
        let pool = self.seat.pool.clone();
        self.give_up(Stage::Waiting);
        let mut other = pool.acquire(call)?;
        self.session = other.session.take();
        self.connection = other.connection;
        let mut state = lock(&pool.0.state);
        // The count that came with it is this permit's now.
        *lock(&other.seat.stage) = Stage::Over;
        let mut stage = lock(&self.seat.stage);
        if *stage == Stage::WaitingForNobody {
            state.leased -= 1;
            state.stuck += 1;
            *stage = Stage::Stuck;
        } else {
            *stage = Stage::Working;
        }
        Ok(())
    }

    fn give_up(&mut self, next: Stage) {
        let pool = &self.seat.pool.0;
        let mut state = lock(&pool.state);
        match std::mem::replace(&mut *lock(&self.seat.stage), next) {
            Stage::Working => state.leased -= 1,
            Stage::Stuck => state.stuck -= 1,
            Stage::Waiting | Stage::WaitingForNobody | Stage::Over => {}
        }
        match self.session.take() {
            Some(session) if self.connection == state.connection => {
                let since = Instant::now();
                state.idle.push(Idle { session, since });
            }
            Some(session) => state.stale.push(session),
            None => {}
        }
        drop(state);
        pool.changed.notify_one();
    }

    /// The token refused another session. The pool shrinks to those it has, if it
    /// has any; otherwise the keeper is what remains.
    pub fn was_refused(&self) -> Refused {
        let mut state = lock(&self.seat.pool.0.state);
        let others = (state.idle.len() + state.leased).saturating_sub(1);
        if others > 0 {
            let before = state.lowered.map_or(state.max, |(before, _)| before);
            state.lowered = Some((before, Instant::now()));
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
    UseKeeper(SessionId),
    /// Try again after the recovery that is going on.
    AwaitKeeper,
    /// Other programs have them all.
    NothingLeft,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.give_up(Stage::Over);
    }
}

impl Seat {
    /// The holder did not come back in time: somebody else may work in its place
    /// until it does.
    pub fn leave_behind(&self) {
        let mut state = lock(&self.pool.0.state);
        let mut stage = lock(&self.stage);
        match *stage {
            Stage::Working => {
                *stage = Stage::Stuck;
                state.leased -= 1;
                state.stuck += 1;
            }
            Stage::Waiting => *stage = Stage::WaitingForNobody,
            Stage::Stuck | Stage::WaitingForNobody | Stage::Over => {}
        }
        drop(stage);
        drop(state);
        self.pool.0.changed.notify_all();
    }
}

fn no_time(state: &State, wait: Duration) -> Error {
    exhausted(format_args!(
        "all {} sessions with the token were busy for {} ms",
        state.max,
        wait.as_millis()
    ))
}

fn exhausted(problem: std::fmt::Arguments<'_>) -> Error {
    Error::new(
        ErrorCode::PoolTimeout,
        format!("{problem}; allow more time, more sessions (max-sessions), or send less at once"),
    )
    .with_retryable(true)
}

fn all_stuck(stuck: usize) -> Error {
    Error::new(
        ErrorCode::RestartRequired,
        format!(
            "{stuck} calls hang in the module, and no more are sent after them; \
             if they never come back, only a restart of the process helps"
        ),
    )
    .with_retryable(true)
}

#[cfg(test)]
mod tests {
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
}
