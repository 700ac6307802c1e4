//! The issuer's keys, kept and read anew.
//!
//! They are read at the first check, and again, on a thread of their own, before they are
//! too old; while that fails, however long, those that are known are used on. A token with a
//! `kid` that is not known, or a signature that is none of the known keys', has them read at
//! once, but not more often than [`NEXT_DEMAND_MS`] allows, whatever is sent.

mod fetching;
mod flight;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};

use self::fetching::Fetching;
use self::flight::Flight;
use super::jwks::KeySet;
use super::key_source::KeySource;
use crate::call::Call;
use crate::clock::{Clock, Moment};
use crate::error::{Error, ErrorCode, Result};
use crate::fork::PerProcess;
use crate::http::Transport;
use crate::log::{self, Level};

/// At most one fetch for the sake of tokens that no known key has signed in so many
/// milliseconds.
const NEXT_DEMAND_MS: i64 = 30_000;

/// A fetch to replace keys that are growing old is repeated after so many milliseconds.
const NEXT_REFRESH_MS: i64 = 60_000;

/// The failure of the very first fetch is remembered for so many milliseconds.
const FAILURE_KEPT_MS: i64 = 1_000;

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
    /// Those of [`KeySource::read`] when no keys are known; `TIMEOUT` and `CANCELLED`. All
    /// have `http_status` 503.
    pub(super) fn keys(&self, call: &Call) -> Result<Arc<Known>> {
        if let Some(known) = self.0.known.load_full() {
            self.refresh_if_due(&known);
            return Ok(known);
        }
        self.0.read_first(call).map_err(undecided)
    }

    /// Keys that were read after `seen`, none of which has signed a token. `None` when it is
    /// too early to ask for them.
    ///
    /// # Errors
    /// Those of [`KeySource::read`]; `TIMEOUT` and `CANCELLED`. All have `http_status` 503.
    pub(super) fn newer_than(&self, seen: &Arc<Known>, call: &Call) -> Result<Option<Arc<Known>>> {
        self.0.newer_than(seen, call).map_err(undecided)
    }
}

impl Shared {
    fn read_first(self: &Arc<Self>, call: &Call) -> Result<Arc<Known>> {
        let now = self.clock.moment();
        let own = self.fetching.get(|_| Mutex::default());
        let fetching = Fetching::lock(&own);
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
                self.begin(fetching, now, true)?
            }
        };
        flight.wait(call)?;
        self.known
            .load_full()
            .ok_or_else(|| Fetching::lock(&own).why_failed())
    }

    fn newer_than(self: &Arc<Self>, seen: &Arc<Known>, call: &Call) -> Result<Option<Arc<Known>>> {
        let now = self.clock.moment();
        let own = self.fetching.get(|_| Mutex::default());
        let newer = || {
            let known = self.known.load_full();
            known.filter(|known| !Arc::ptr_eq(known, seen))
        };
        let mut fetching = Fetching::lock(&own);
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
                self.begin(fetching, now, true)?
            }
        };
        flight.wait(call)?;
        match newer() {
            Some(known) => Ok(Some(known)),
            None => Err(Fetching::lock(&own).why_failed()),
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
            // When too many hang, the keys that are known are used on.
            self.begin(fetching, now, false).ok();
        }
    }

    /// Begins a fetch on a thread of its own. One that somebody waits for is made here when
    /// there is none.
    fn begin(
        self: &Arc<Self>,
        mut fetching: MutexGuard<'_, Fetching>,
        now: Moment,
        is_awaited: bool,
    ) -> Result<Arc<Flight>> {
        let flight = fetching.take_off(now, self.timeout)?;
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
        Ok(flight)
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
        let own = self.fetching.get(|_| Mutex::default());
        let mut fetching = Fetching::lock(&own);
        let is_last = fetching.land(flight);
        // One that was left behind may have what the issuer has withdrawn since.
        if is_last || self.known.load().is_none() {
            let failed = fetching.failure.is_some();
            fetching.failure = match outcome {
                Ok(keys) => {
                    self.known.store(Some(Arc::new(Known { keys, read_at })));
                    None
                }
                Err(error) => Some(error),
            };
            let now_fails = fetching.failure.as_ref().map(ToString::to_string);
            drop(fetching);
            self.tell(failed, now_fails);
        } else {
            drop(fetching);
        }
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

/// `error` of who has no keys: nobody can tell whether a token is good.
fn undecided(error: Error) -> Error {
    error.with_details(|details| details.http_status = Some(503))
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
