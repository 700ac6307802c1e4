//! The right to use one session of the pool, and what becomes of it.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::{Idle, Pool};
use crate::call::Call;
use crate::error::Result;
use crate::keys::pkcs11::instance::SessionId;
use crate::keys::pkcs11::lock::lock;

/// The right to use one session, given back when dropped.
pub(in crate::keys::pkcs11) struct Permit {
    seat: Seat,
    connection: u64,
    session: Option<SessionId>,
}

/// A permit as its caller sees it, while another thread works with it.
#[derive(Clone)]
pub(in crate::keys::pkcs11) struct Seat {
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
    pub(super) fn new(seat: Seat, connection: u64, session: Option<SessionId>) -> Self {
        Self {
            seat,
            connection,
            session,
        }
    }

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
pub(in crate::keys::pkcs11) enum Refused {
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
    pub(super) fn new(pool: Pool) -> Self {
        Self {
            pool,
            stage: Arc::default(),
        }
    }

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
