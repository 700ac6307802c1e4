//! One fetch of one token, whoever waits for it.
//!
//! It belongs to no caller: each waits as long as its own call lasts, and the
//! fetch goes on as long as one of them still does.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::response::Token;
use crate::call::{Call, timed_out};
use crate::error::{Error, ErrorCode, Result};

/// How long a call without a deadline waits for a token.
pub(super) const DEFAULT_WAIT: Duration = Duration::from_secs(30);

/// A try that is late by this much is left behind: a transport of the program's
/// own may never come back.
const LEFT_BEHIND_AFTER: Duration = Duration::from_secs(5);

/// How often those who wait see to it that a flight gets a thread.
const NUDGE_AFTER: Duration = Duration::from_secs(1);

/// A fetch under way, or over.
#[derive(Debug)]
pub(super) struct Flight {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Until when somebody waits.
    deadline: Instant,
    /// Until when the first of them waits.
    first_deadline: Instant,
    /// When one of those who ever waited had half of its time left.
    urgent_at: Option<Instant>,
    waiting: usize,
    /// Until when the present try should be over.
    try_until: Option<Instant>,
    /// Why the last try failed.
    failure: Option<Error>,
    /// It makes no further try; its outcome is about to come.
    is_closed: bool,
    outcome: Option<Result<Arc<Token>>>,
}

/// A caller's place among those who wait for a flight.
#[derive(Debug)]
pub(super) struct Seat {
    flight: Arc<Flight>,
    deadline: Instant,
}

impl Flight {
    /// A flight that nobody waits for yet. It makes at least one try.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                deadline: Instant::now(),
                first_deadline: Instant::now(),
                urgent_at: None,
                waiting: 0,
                try_until: None,
                failure: None,
                is_closed: false,
                outcome: None,
            }),
            changed: Condvar::new(),
        })
    }

    /// A place for `call`; `None` when the flight is over or hangs.
    ///
    /// # Errors
    /// `TIMEOUT` or `CANCELLED` when the call is over.
    pub(super) fn join(self: &Arc<Self>, call: &Call) -> Result<Option<Seat>> {
        let deadline = deadline_of(call)?;
        let mut state = self.lock();
        Ok(state
            .is_under_way()
            .then(|| self.seat(&mut state, deadline)))
    }

    /// A place for `call`.
    ///
    /// # Errors
    /// As [`Flight::join`].
    pub(super) fn board(self: &Arc<Self>, call: &Call) -> Result<Seat> {
        let deadline = deadline_of(call)?;
        Ok(self.seat(&mut self.lock(), deadline))
    }

    fn seat(self: &Arc<Self>, state: &mut State, deadline: Instant) -> Seat {
        let now = Instant::now();
        state.waiting += 1;
        state.deadline = state.deadline.max(deadline);
        let half = now + deadline.saturating_duration_since(now) / 2;
        state.urgent_at = Some(state.urgent_at.map_or(half, |at| at.min(half)));
        if deadline < state.first_deadline || state.first_deadline <= now {
            state.first_deadline = deadline;
        }
        Seat {
            flight: Arc::clone(self),
            deadline,
        }
    }

    /// False when it has ended, or its thread will not come back in time.
    pub(super) fn is_under_way(&self) -> bool {
        self.lock().is_under_way()
    }

    /// True when its thread will not come back in time.
    pub(super) fn hangs(&self) -> bool {
        self.lock().hangs()
    }

    /// For how long somebody still waits.
    pub(super) fn time_left(&self) -> Duration {
        let state = self.lock();
        match state.waiting {
            0 => Duration::ZERO,
            _ => state.deadline.saturating_duration_since(Instant::now()),
        }
    }

    /// For how long all who wait still do, but no more than `at_most`, which it is too
    /// when nobody does.
    pub(super) fn time(&self, at_most: Duration) -> Duration {
        let state = self.lock();
        let now = Instant::now();
        let until = match state.first_deadline > now {
            true => state.first_deadline,
            false => state.deadline,
        };
        match until.saturating_duration_since(now) {
            left if state.waiting == 0 || left.is_zero() => at_most,
            left => left.min(at_most),
        }
    }

    /// True when somebody who waits needs the rest of the time for the fetch itself. It
    /// may have come later than the flight began.
    pub(super) fn is_urgent(&self) -> bool {
        let urgent_at = self.lock().urgent_at;
        urgent_at.is_some_and(|at| at <= Instant::now())
    }

    /// Notes that a try begins, which may take `at_most`.
    pub(super) fn begin_try(&self, at_most: Duration) {
        self.lock().try_until = Some(Instant::now() + at_most);
    }

    /// As if its try should have been over for long.
    #[cfg(test)]
    pub(super) fn begin_try_long_ago(&self) {
        self.lock().try_until = Instant::now().checked_sub(2 * LEFT_BEHIND_AFTER);
    }

    /// Notes that a try failed, and waits for `pause`. The error comes back when
    /// nobody would wait for another try: the flight is to end with it, and takes
    /// nobody aboard any more.
    pub(super) fn pause(&self, failure: Error, pause: Duration) -> Option<Error> {
        let until = Instant::now() + pause;
        let mut state = self.lock();
        state.try_until = None;
        state.failure = Some(failure.duplicate());
        // Those who have another token need not wait for the next try.
        self.changed.notify_all();
        loop {
            if state.waiting == 0 || state.deadline <= until {
                state.is_closed = true;
                return Some(failure);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends it; every caller who waits gets the outcome. The first end counts.
    pub(super) fn end(&self, outcome: Result<Arc<Token>>) {
        self.lock().outcome.get_or_insert(outcome);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Waits for the outcome, no longer than `call` lasts. A caller who has another
    /// token until `other_until` waits no longer than that and than for one try. While
    /// the flight waits for a thread, `nudge` is called once in a while.
    ///
    /// # Errors
    /// The flight's, or `TIMEOUT` or `CANCELLED` when the call is over first.
    pub(super) fn wait(
        self,
        call: &Call,
        other_until: Option<Instant>,
        nudge: impl Fn(),
    ) -> Result<Arc<Token>> {
        let deadline = other_until.map_or(self.deadline, |until| until.min(self.deadline));
        let flight = &self.flight;
        let waker = Arc::clone(flight);
        let _subscription = call.cancel().map(|cancel| {
            cancel.subscribe(Arc::new(move || {
                drop(waker.lock());
                waker.changed.notify_all();
            }))
        });
        let mut state = flight.lock();
        loop {
            if let Some(outcome) = &state.outcome {
                return match outcome {
                    Ok(token) => Ok(Arc::clone(token)),
                    Err(error) => Err(error.duplicate()),
                };
            }
            if call.cancel().is_some_and(|cancel| cancel.is_cancelled()) {
                let message = format!("{WHAT}: cancelled by the caller");
                return Err(Error::new(ErrorCode::Cancelled, message));
            }
            if let Some(failure) = state.failure.as_ref().filter(|_| other_until.is_some()) {
                return Err(failure.duplicate());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(late(state.failure.as_ref()));
            }
            let (left, is_queued) = match state.is_queued() {
                true => (left.min(NUDGE_AFTER), true),
                false => (left, false),
            };
            let waited = flight.changed.wait_timeout(state, left);
            let (woken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if is_queued && timeout.timed_out() {
                drop(state);
                nudge();
                // What changed meanwhile is seen when the loop looks again.
                state = flight.lock();
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.flight.lock().waiting -= 1;
        // A pause need not go on when nobody waits any more.
        self.flight.changed.notify_all();
    }
}

impl State {
    fn is_under_way(&self) -> bool {
        self.outcome.is_none() && !self.is_closed && !self.hangs()
    }

    /// True while it waits for a thread.
    fn is_queued(&self) -> bool {
        self.try_until.is_none() && self.failure.is_none() && self.outcome.is_none()
    }

    fn hangs(&self) -> bool {
        self.try_until
            .is_some_and(|until| Instant::now() > until + LEFT_BEHIND_AFTER)
    }
}

const WHAT: &str = "waiting for an access token";

fn deadline_of(call: &Call) -> Result<Instant> {
    Ok(Instant::now() + call.remaining(DEFAULT_WAIT, WHAT)?)
}

/// The end of a call that waited in vain, with what is known of the reason.
fn late(failure: Option<&Error>) -> Error {
    let error = timed_out(WHAT);
    match failure {
        None => error,
        Some(failure) => Error::new(
            error.code(),
            format!("{}; the last try failed: {failure}", error.message()),
        )
        .with_details(|details| {
            *details = failure.details().clone();
            details.retryable = true;
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flight_that_gave_up_takes_nobody_aboard() {
        let flight = Flight::new();
        let seat = flight.board(&Call::within(Duration::from_millis(20)));
        assert!(flight.join(&Call::none()).unwrap().is_some());
        drop(seat);
        let failure = Error::new(ErrorCode::Network, "down");
        assert!(flight.pause(failure, Duration::from_secs(1)).is_some());
        // Its end has not come yet.
        assert!(flight.join(&Call::none()).unwrap().is_none());
    }
}
