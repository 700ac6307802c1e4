//! The way from a request to a token: the cache, a fetch that is under way, a new one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::cache::{Entry, Spelling};
use super::client::{TokenClient, TokenSource};
use super::flight::{Flight, Seat};
use super::life::Stage;
use super::response::Token;
use super::workers::{Job, NotRun};
use crate::call::{Call, CancelToken};
use crate::clock::Moment;
use crate::error::{Error, ErrorCode, Result};

impl TokenClient {
    /// What `look` makes of the token that a call would be given without waiting.
    pub(crate) fn peek<T>(
        &self,
        spelling: Spelling<'_>,
        look: impl FnOnce(&Arc<Token>) -> T,
    ) -> Option<T> {
        let now = self.service.clock.moment();
        let seen = self.cache.with(spelling, |entry| {
            let token = entry.token();
            let token = token.as_ref()?;
            match token.stage(now) {
                Stage::Fresh => {}
                Stage::Advisory => self.refresh(entry, now),
                Stage::Mandatory if entry.is_pausing(now) => self.service.statistics.stale.add(),
                Stage::Mandatory | Stage::Over => return None,
            }
            Some(look(token))
        });
        seen.flatten()
    }

    /// As [`TokenClient::token_and_source`].
    pub(crate) fn spelled_token(
        &self,
        spelling: Spelling<'_>,
        call: &Call,
    ) -> Result<(Arc<Token>, TokenSource)> {
        if let Some(token) = self.peek(spelling, Arc::clone) {
            return Ok((token, TokenSource::Cache));
        }
        let entry = self.entry(spelling)?;
        let now = || self.service.clock.moment();
        loop {
            let fetched = match entry.refusal(now()) {
                Some(refusal) => Err(refusal),
                None => match self.board(&entry, call, || self.good(&entry)) {
                    Ok(Boarding::Ready(token)) => return Ok((token, TokenSource::Cache)),
                    Ok(Boarding::Seat(seat)) => {
                        let old_until = usable_until(&entry, now());
                        seat.wait(call, old_until, || self.workers.relieve())
                    }
                    Err(over) => Err(over),
                },
            };
            match fetched {
                // A thread that slept through a token's life waits for the next.
                Ok(token) if token.has_expired(now()) => {}
                Ok(token) => return Ok((token, TokenSource::Service)),
                Err(error) if call.cancel().is_some_and(CancelToken::is_cancelled) => {
                    return Err(error);
                }
                // The old one is better than none, as long as it lasts.
                Err(error) => {
                    let old = entry.usable(now()).ok_or(error)?;
                    self.service.statistics.stale.add();
                    return Ok((old, TokenSource::Cache));
                }
            }
        }
    }

    /// As [`TokenClient::reject`].
    pub(crate) fn reject_generation(&self, spelling: Spelling<'_>, generation: u64) -> bool {
        // A spelling may lead to an entry that others have left; the token is in either.
        let now = self.service.clock.moment();
        let reject = |entry: &Arc<Entry>| entry.reject(generation, now);
        let was_it = self.cache.with(spelling, reject) == Some(true)
            || self.entry(spelling).is_ok_and(|entry| reject(&entry));
        if was_it {
            self.service.statistics.rejected.add();
        }
        was_it
    }

    /// The entry that a spelling leads to.
    pub(super) fn entry(&self, spelling: Spelling<'_>) -> Result<Arc<Entry>> {
        let now = self.service.clock.moment();
        let known = self.cache.with(spelling, Arc::clone);
        let entry = match &known {
            Some(entry) => Arc::clone(entry),
            None => {
                let request = spelling.read()?;
                Arc::new(Entry::new(self.service.cache_key(&request)?, request))
            }
        };
        let entry = self.cache.entry(entry, now);
        if !known.is_some_and(|known| Arc::ptr_eq(&known, &entry)) {
            self.cache.remember(spelling, &entry, now);
        }
        Ok(entry)
    }

    /// A token that need not be replaced now.
    fn good(&self, entry: &Entry) -> Option<Arc<Token>> {
        let now = self.service.clock.moment();
        let token = entry.usable(now)?;
        matches!(token.stage(now), Stage::Fresh | Stage::Advisory).then_some(token)
    }

    /// A place among those who wait for the token of `entry`, whose fetch begins if
    /// there is none, unless `ready` finds it just then.
    pub(super) fn board(
        &self,
        entry: &Arc<Entry>,
        call: &Call,
        ready: impl FnOnce() -> Option<Arc<Token>>,
    ) -> Result<Boarding> {
        let slot = entry.flight();
        let mut present = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = ready() {
            return Ok(Boarding::Ready(token));
        }
        if let Some(flight) = &*present
            && let Some(seat) = flight.join(call)?
        {
            return Ok(Boarding::Seat(seat));
        }
        let flight = Flight::new();
        let seat = flight.board(call)?;
        *present = Some(Arc::clone(&flight));
        drop(present);
        self.launch(entry, &flight, true);
        Ok(Boarding::Seat(seat))
    }

    /// Begins to fetch a successor, if nobody does and nothing speaks against it.
    fn refresh(&self, entry: &Arc<Entry>, now: Moment) {
        if !entry.claim_refresh(now) || entry.refusal(now).is_some() || self.service.is_held(now) {
            return;
        }
        let slot = entry.flight();
        let mut present = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if present.as_ref().is_some_and(|flight| flight.is_under_way()) {
            return;
        }
        let flight = Flight::new();
        *present = Some(Arc::clone(&flight));
        drop(present);
        self.service.statistics.refreshes.add();
        self.launch(entry, &flight, false);
    }

    /// Leaves a flight to a thread. One that somebody waits for is flown here when
    /// there is none.
    fn launch(&self, entry: &Arc<Entry>, flight: &Arc<Flight>, is_awaited: bool) {
        let (service, own) = (Arc::clone(&self.service), Arc::clone(entry));
        let flown = Arc::clone(flight);
        let work = move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| service.fly(&own, &flown)));
            if outcome.is_err() {
                flown.end(Err(panicked()));
            }
            own.land(&flown);
        };
        let job = Job {
            flight: Arc::clone(flight),
            work: Box::new(work),
        };
        match self.workers.run(job) {
            Ok(()) => {}
            Err(NotRun::NoThread(job)) if is_awaited => (job.work)(),
            Err(NotRun::NoThread(_) | NotRun::Crowded) => {
                flight.end(Err(crowded()));
                entry.land(flight);
            }
        }
    }
}

/// Until when a token that may be handed out at `now` still may.
fn usable_until(entry: &Entry, now: Moment) -> Option<Instant> {
    let left = entry.usable(now)?.left_ms(now);
    // Some time is needed to hand it out.
    let left = u64::try_from(left - 20).unwrap_or(0);
    Instant::now().checked_add(Duration::from_millis(left))
}

/// How a call gets its token.
pub(super) enum Boarding {
    /// It waits for a fetch.
    Seat(Seat),
    /// It is there.
    Ready(Arc<Token>),
}

fn panicked() -> Error {
    Error::new(
        ErrorCode::Panic,
        "fetching the token panicked; if the signer and the transport are segl's, this is a fault in segl, \
         please report it",
    )
}

fn crowded() -> Error {
    Error::new(
        ErrorCode::Timeout,
        "fetching the token: there is no thread for it, and too many fetches wait already; \
         look for what hangs, the network or the program's own transport",
    )
    .with_retryable(true)
}
