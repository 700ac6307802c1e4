//! A few sessions with one token, shared by many threads.
//!
//! A session is used by one thread at a time (PKCS#11 v2.40 section 5.6), so
//! each signature leases one. The pool only counts and keeps handles; whoever
//! holds a permit opens and closes them.

mod permit;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

pub(super) use permit::{Permit, Refused};

use permit::Seat;

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
        Permit::new(Seat::new(self.clone()), state.connection, session)
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
