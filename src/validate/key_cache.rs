//! The issuer's keys, kept and read anew.
//!
//! They are read at the first check, and again, on a thread of their own, before they are
//! too old; while that fails, however long, those that are known are used on. A token with a
//! `kid` that is not known has them read at once, but not more often than [`NEXT_DEMAND_MS`]
//! allows, whatever is sent.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwapOption, Guard};

use super::jwks::KeySet;
use super::key_source::KeySource;
use crate::call::{Call, timed_out};
use crate::clock::{Clock, Moment};
use crate::error::{Error, ErrorCode, Result};
use crate::fork::PerProcess;
use crate::http::Transport;
use crate::log::{self, Level};

/// At most one fetch for the sake of an unknown `kid` in so many milliseconds.
const NEXT_DEMAND_MS: i64 = 30_000;

/// A fetch to replace keys that are growing old is repeated after so many milliseconds.
const NEXT_REFRESH_MS: i64 = 60_000;

/// The failure of the very first fetch is remembered for so many milliseconds.
const FAILURE_KEPT_MS: i64 = 1_000;

/// A transport of the program's own may never come back; a fetch that is late by this much
/// is left behind.
const LEFT_BEHIND_AFTER: Duration = Duration::from_secs(5);

const WAITING: &str = "waiting for the issuer's keys";

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct KeyCache(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    source: KeySource,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    refresh_after_ms: i64,
    known: ArcSwapOption<Known>,
    fetching: PerProcess<Mutex<Fetching>>,
}

/// Keys, and when they were read.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) keys: KeySet,
    read_at: Moment,
}

/// What is being done to have the keys.
#[derive(Debug, Default)]
struct Fetching {
    flight: Option<Arc<Flight>>,
    /// When the last fetch began.
    tried_at: Option<Moment>,
    /// When the last one began that an unknown `kid` caused.
    demanded_at: Option<Moment>,
    /// Why the last one failed.
    failure: Option<Error>,
}

/// One fetch under way.
#[derive(Debug)]
struct Flight {
    is_over: Mutex<bool>,
    over: Condvar,
    until: Instant,
}

impl KeyCache {
    /// Nothing is read yet. One fetch may take `timeout`.
    pub(super) fn new(
        source: KeySource,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        timeout: Duration,
        max_age: Duration,
    ) -> Self {
        let max_age_ms = i64::try_from(max_age.as_millis()).unwrap_or(i64::MAX);
        Self(Arc::new(Shared {
            source,
            transport,
            clock,
            timeout,
            refresh_after_ms: max_age_ms / 10 * 9,
            known: ArcSwapOption::empty(),
            fetching: PerProcess::new(),
        }))
    }

    /// The keys, if they are known.
    pub(super) fn peek(&self) -> Guard<Option<Arc<Known>>> {
        self.0.known.load()
    }

    /// Begins to read the keys anew if `known` are growing old. Nobody waits here.
    pub(super) fn refresh_if_due(&self, known: &Known) {
        let now = self.0.clock.moment();
        if now.millis_since(known.read_at) >= self.0.refresh_after_ms {
            self.0.refresh(now);
        }
    }

    /// The keys that are known, at once. The first call reads them, and who calls meanwhile
    /// waits for that.
    ///
    /// # Errors
    /// Those of [`KeySource::read`] when no keys are known; `TIMEOUT` and `CANCELLED`.
    pub(super) fn keys(&self, call: &Call) -> Result<Arc<Known>> {
        if let Some(known) = self.0.known.load_full() {
            self.refresh_if_due(&known);
            return Ok(known);
        }
        self.0.read_first(call)
    }

    /// Keys that were read after `seen`, in which a token's `kid` is not. `None` when it is
    /// too early to ask for them.
    ///
    /// # Errors
    /// Those of [`KeySource::read`]; `TIMEOUT` and `CANCELLED`.
    pub(super) fn newer_than(&self, seen: &Arc<Known>, call: &Call) -> Result<Option<Arc<Known>>> {
        self.0.newer_than(seen, call)
    }
}

impl Shared {
    fn read_first(self: &Arc<Self>, call: &Call) -> Result<Arc<Known>> {
        let now = self.clock.moment();
        let own = self.fetching.get(|_| Mutex::default());
        let fetching = lock(&own);
        if let Some(known) = self.known.load_full() {
            return Ok(known);
        }
        let flight = match fetching.under_way() {
            Some(flight) => {
                drop(fetching);
                flight
            }
            None => {
                if let Some(failure) = fetching.failed_within(FAILURE_KEPT_MS, now) {
                    return Err(failure);
                }
                self.begin(fetching, now, true)
            }
        };
        flight.wait(call)?;
        self.known.load_full().ok_or_else(|| lock(&own).failure())
    }

    fn newer_than(self: &Arc<Self>, seen: &Arc<Known>, call: &Call) -> Result<Option<Arc<Known>>> {
        let now = self.clock.moment();
        let own = self.fetching.get(|_| Mutex::default());
        let newer = || {
            let known = self.known.load_full();
            known.filter(|known| !Arc::ptr_eq(known, seen))
        };
        let mut fetching = lock(&own);
        if let Some(known) = newer() {
            return Ok(Some(known));
        }
        let flight = match fetching.under_way() {
            Some(flight) => {
                drop(fetching);
                flight
            }
            None => {
                let is_early = fetching
                    .demanded_at
                    .is_some_and(|at| now.millis_since(at) < NEXT_DEMAND_MS);
                if is_early {
                    return fetching
                        .failure
                        .as_ref()
                        .map_or(Ok(None), |failure| Err(failure.duplicate()));
                }
                fetching.demanded_at = Some(now);
                self.begin(fetching, now, true)
            }
        };
        flight.wait(call)?;
        match newer() {
            Some(known) => Ok(Some(known)),
            None => Err(lock(&own).failure()),
        }
    }

    /// Begins to read the keys anew, if nobody does. Nobody waits here.
    fn refresh(self: &Arc<Self>, now: Moment) {
        let own = self.fetching.get(|_| Mutex::default());
        let Ok(fetching) = own.try_lock() else {
            return;
        };
        let is_early = fetching
            .tried_at
            .is_some_and(|at| now.millis_since(at) < NEXT_REFRESH_MS);
        if !is_early && fetching.under_way().is_none() {
            self.begin(fetching, now, false);
        }
    }

    /// Begins a fetch on a thread of its own. One that somebody waits for is made here when
    /// there is none.
    fn begin(
        self: &Arc<Self>,
        mut fetching: MutexGuard<'_, Fetching>,
        now: Moment,
        is_awaited: bool,
    ) -> Arc<Flight> {
        let flight = Arc::new(Flight {
            is_over: Mutex::new(false),
            over: Condvar::new(),
            until: Instant::now() + self.timeout + LEFT_BEHIND_AFTER,
        });
        fetching.flight = Some(Arc::clone(&flight));
        fetching.tried_at = Some(now);
        drop(fetching);
        let (own, flown) = (Arc::clone(self), Arc::clone(&flight));
        let started = thread::Builder::new()
            .name("segl-jwks".to_owned())
            .spawn(move || own.fly(&flown));
        match started {
            Ok(_) => {}
            Err(_) if is_awaited => self.fly(&flight),
            Err(source) => self.land(&flight, Err(no_thread(source))),
        }
        flight
    }

    fn fly(&self, flight: &Arc<Flight>) {
        let call = Call::within(self.timeout);
        let read = AssertUnwindSafe(|| {
            self.source
                .read(self.transport.as_ref(), self.clock.now(), &call)
        });
        let outcome = catch_unwind(read).unwrap_or_else(|_| Err(panicked()));
        self.land(flight, outcome);
    }

    fn land(&self, flight: &Arc<Flight>, outcome: Result<KeySet>) {
        let read_at = self.clock.moment();
        let failure = match outcome {
            Ok(keys) => {
                self.known.store(Some(Arc::new(Known { keys, read_at })));
                None
            }
            Err(error) => Some(error),
        };
        let now_fails = failure.as_ref().map(ToString::to_string);
        let own = self.fetching.get(|_| Mutex::default());
        let mut fetching = lock(&own);
        let failed = fetching.failure.is_some();
        fetching.failure = failure;
        if fetching
            .flight
            .as_ref()
            .is_some_and(|present| Arc::ptr_eq(present, flight))
        {
            fetching.flight = None;
        }
        drop(fetching);
        self.tell(failed, now_fails);
        flight.end();
    }

    /// One record for each change.
    fn tell(&self, failed: bool, now_fails: Option<String>) {
        match (failed, now_fails) {
            (false, Some(why)) => {
                let instead = match self.known.load().is_some() {
                    true => "those known before are used on",
                    false => "no token can be checked",
                };
                log::emit(Level::Warn, "validate", format_args!("{why}; {instead}"));
            }
            (true, None) => log::emit(
                Level::Info,
                "validate",
                format_args!("{}: the issuer's keys can be had again", self.source),
            ),
            _ => {}
        }
    }
}

impl Fetching {
    /// The fetch under way, unless it hangs.
    fn under_way(&self) -> Option<Arc<Flight>> {
        let flight = self.flight.as_ref()?;
        (Instant::now() < flight.until).then(|| Arc::clone(flight))
    }

    fn failed_within(&self, millis: i64, now: Moment) -> Option<Error> {
        let tried_at = self.tried_at?;
        let failure = self.failure.as_ref()?;
        (now.millis_since(tried_at) < millis).then(|| failure.duplicate())
    }

    /// Why the fetch failed that was waited for.
    fn failure(&self) -> Error {
        match &self.failure {
            Some(failure) => failure.duplicate(),
            None => timed_out(WAITING),
        }
    }
}

impl Flight {
    /// Waits for the end of the fetch, which goes on without those who left.
    fn wait(self: &Arc<Self>, call: &Call) -> Result<()> {
        let wake = Arc::clone(self);
        let _subscription = call.cancel().map(|cancel| {
            cancel.subscribe(Arc::new(move || {
                // A waiter that has just looked is waiting once the lock can be had.
                drop(wake.lock());
                wake.over.notify_all();
            }))
        });
        let mut is_over = self.lock();
        while !*is_over {
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(timed_out(WAITING));
            }
            let wait = call.remaining(left, WAITING)?.min(left);
            let waited = self.over.wait_timeout(is_over, wait);
            is_over = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    fn end(&self) {
        *self.lock() = true;
        self.over.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(fetching: &Mutex<Fetching>) -> MutexGuard<'_, Fetching> {
    fetching.lock().unwrap_or_else(PoisonError::into_inner)
}

fn no_thread(source: std::io::Error) -> Error {
    Error::new(
        ErrorCode::JwksUnavailable,
        "reading the issuer's keys anew: there is no thread for it",
    )
    .with_retryable(true)
    .with_source(source)
}

fn panicked() -> Error {
    Error::new(
        ErrorCode::Panic,
        "reading the issuer's keys panicked; if the transport is segl's, this is a fault in segl, please report it",
    )
}
