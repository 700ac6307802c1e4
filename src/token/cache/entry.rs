//! One token of the cache, with what is known about fetching it.

use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};

use super::key::CacheKey;
use crate::clock::Moment;
use crate::error::{Error, ErrorCode};
use crate::fork::{OfProcess, PerProcess};
use crate::profiles::TokenRequest;
use crate::token::flight::Flight;
use crate::token::life::Stage;
use crate::token::response::Token;
use crate::token::retry;

/// Where the token for one [`CacheKey`] is.
#[derive(Debug)]
pub(in super::super) struct Entry {
    key: CacheKey,
    request: TokenRequest,
    token: ArcSwapOption<Token>,
    failure: ArcSwapOption<Failure>,
    failures_in_a_row: AtomicU32,
    /// The number of the error with which the last try failed, 0 for none.
    failed_with: AtomicI32,
    /// No successor is fetched in advance before this, in milliseconds of the
    /// steady clock.
    refresh_not_before: AtomicI64,
    /// Tokens that were requested up to then are out of date, wherever they are
    /// kept, in milliseconds since 1970 by this machine's clock.
    outdated_until: AtomicI64,
    /// When a token was last dropped because it was rejected, in milliseconds of the
    /// steady clock.
    rejected_at: AtomicI64,
    /// When the last token that was rejected had been requested, as [`Token::shared_at`].
    rejected_until: AtomicI64,
    flight: PerProcess<Mutex<Option<Arc<Flight>>>>,
}

/// A refusal that asking again at once would not change.
#[derive(Debug)]
struct Failure {
    error: Error,
    at: Moment,
    lasts_ms: i64,
}

/// How long a refusal is remembered, at random between these.
const REFUSAL_LASTS_MS: std::ops::RangeInclusive<i64> = 1_000..=5_000;

/// How long after a rejection the next one counts.
const REJECTION_LASTS_MS: i64 = 10_000;

impl Entry {
    pub(in super::super) fn new(key: CacheKey, request: TokenRequest) -> Self {
        Self {
            key,
            request,
            token: ArcSwapOption::empty(),
            failure: ArcSwapOption::empty(),
            failures_in_a_row: AtomicU32::new(0),
            failed_with: AtomicI32::new(0),
            refresh_not_before: AtomicI64::new(i64::MIN),
            outdated_until: AtomicI64::new(i64::MIN),
            rejected_at: AtomicI64::new(i64::MIN),
            rejected_until: AtomicI64::new(i64::MIN),
            flight: PerProcess::new(),
        }
    }

    pub(in super::super) fn key(&self) -> &CacheKey {
        &self.key
    }

    pub(in super::super) fn request(&self) -> &TokenRequest {
        &self.request
    }

    /// The token, whatever its age.
    pub(in super::super) fn token(&self) -> Guard<Option<Arc<Token>>> {
        self.token.load()
    }

    /// The token while it may be handed out.
    pub(in super::super) fn usable(&self, now: Moment) -> Option<Arc<Token>> {
        let token = self.token.load();
        let token = token.as_ref()?;
        (token.stage(now) != Stage::Over).then(|| Arc::clone(token))
    }

    /// A flight that fetches the token, in this process.
    pub(in super::super) fn flight(&self) -> Arc<OfProcess<Mutex<Option<Arc<Flight>>>>> {
        self.flight.get(|_| Mutex::default())
    }

    /// Keeps a token that `flight` fetched, unless another took the flight's place or
    /// the token was forgotten: it would be older than what is wanted.
    pub(in super::super) fn keep(&self, token: &Arc<Token>, flight: &Flight) {
        let slot = self.flight();
        let present = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_present(&present, flight) {
            return;
        }
        self.token.store(Some(Arc::clone(token)));
        self.failure.store(None);
        self.failures_in_a_row.store(0, Ordering::Relaxed);
        self.refresh_not_before.store(i64::MIN, Ordering::Relaxed);
    }

    /// Notes how a try ended. True when the try before ended otherwise: an outage is
    /// news once, however often it is met.
    pub(in super::super) fn note_try(&self, failure: Option<ErrorCode>) -> bool {
        let number = failure.map_or(0, ErrorCode::number);
        self.failed_with.swap(number, Ordering::Relaxed) != number
    }

    /// Notes that `flight` failed: a refusal is remembered for some seconds, and no
    /// successor is fetched in advance for a while. As in [`Entry::keep`], one that
    /// does not count any more changes nothing.
    pub(in super::super) fn failed(&self, error: &Error, now: Moment, flight: &Flight) {
        let slot = self.flight();
        let present = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_present(&present, flight) {
            return;
        }
        if retry::is_refusal(error) {
            self.failure.store(Some(Arc::new(Failure {
                error: error.duplicate(),
                at: now,
                lasts_ms: fastrand::i64(REFUSAL_LASTS_MS),
            })));
        }
        let failures = self.failures_in_a_row.fetch_add(1, Ordering::Relaxed);
        let pause = retry::backoff(failures).as_millis() as i64;
        self.refresh_not_before
            .store(now.steady_ms().saturating_add(pause), Ordering::Relaxed);
    }

    /// The refusal that is still remembered.
    pub(in super::super) fn refusal(&self, now: Moment) -> Option<Error> {
        let failure = self.failure.load();
        let failure = failure.as_ref()?;
        let left = failure.lasts_ms - now.millis_since(failure.at);
        (left > 0).then(|| {
            failure.error.duplicate().with_details(|details| {
                let left = Duration::from_millis(left.unsigned_abs());
                details.retry_after = Some(details.retry_after.unwrap_or(left).max(left));
            })
        })
    }

    /// True for the one caller who is to fetch a successor in advance.
    pub(in super::super) fn claim_refresh(&self, now: Moment) -> bool {
        let not_before = self.refresh_not_before.load(Ordering::Relaxed);
        let claimed = now.steady_ms().saturating_add(CLAIM_MS);
        now.steady_ms() >= not_before
            && self
                .refresh_not_before
                .compare_exchange(not_before, claimed, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// True for a while after a fetch has failed.
    pub(in super::super) fn is_pausing(&self, now: Moment) -> bool {
        self.failures_in_a_row.load(Ordering::Relaxed) > 0
            && now.steady_ms() < self.refresh_not_before.load(Ordering::Relaxed)
    }

    /// Notes that `flight` is over.
    pub(in super::super) fn land(&self, flight: &Flight) {
        let slot = self.flight();
        let mut present = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if is_present(&present, flight) {
            *present = None;
        }
    }

    /// Drops the token, and whatever was requested before `now`.
    pub(in super::super) fn forget(&self, now: Moment) {
        let slot = self.flight();
        let mut present = slot.lock().unwrap_or_else(PoisonError::into_inner);
        *present = None;
        self.outdate(now);
        self.token.store(None);
        self.failure.store(None);
    }

    /// Marks tokens that were requested up to then as out of date.
    pub(in super::super) fn outdate(&self, until: Moment) {
        self.outdated_until
            .fetch_max(until.wall_ms(), Ordering::Relaxed);
    }

    /// Up to when a token must not have been requested, as [`Token::shared_at`]: it would
    /// be no newer than the one that is here, or that was dropped. The service's clock is
    /// ahead of this machine's by up to `skew_ms`.
    pub(in super::super) fn outdated_until(&self, skew_ms: i64) -> i64 {
        let token = self.token.load();
        let own = token.as_ref().and_then(|token| token.shared_at());
        let dropped = self.outdated_until.load(Ordering::Relaxed);
        let rejected = self.rejected_until.load(Ordering::Relaxed);
        own.unwrap_or(i64::MIN)
            .max(rejected)
            .max(dropped.saturating_add(skew_ms))
    }

    /// True when the token that was requested at `shared_at` was rejected, or one after
    /// it.
    pub(in super::super) fn was_rejected(&self, shared_at: i64) -> bool {
        shared_at <= self.rejected_until.load(Ordering::Relaxed)
    }

    /// Drops the token if it is still the one with this generation, but not again
    /// within [`REJECTION_LASTS_MS`]: an API that takes no token at all is not helped
    /// by new ones.
    pub(in super::super) fn reject(&self, generation: u64, now: Moment) -> bool {
        let token = self.token.load();
        let Some(rejected) = token.as_ref().filter(|t| t.generation() == generation) else {
            return false;
        };
        let last = self.rejected_at.load(Ordering::Relaxed);
        let since = now.steady_ms().saturating_sub(last);
        let is_due = last == i64::MIN || !(0..REJECTION_LASTS_MS).contains(&since);
        if !is_due
            || self
                .rejected_at
                .compare_exchange(last, now.steady_ms(), Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return false;
        }
        let shared_at = rejected.shared_at().unwrap_or(i64::MIN);
        self.rejected_until.fetch_max(shared_at, Ordering::Relaxed);
        let before = self.token.compare_and_swap(&*token, None);
        before
            .as_ref()
            .is_some_and(|t| t.generation() == generation)
    }

    /// What it is worth to keep this: how many milliseconds its token has left,
    /// and everything while it is being fetched.
    pub(super) fn worth(&self, now: Moment) -> i64 {
        let is_flying = match self.flight().try_lock() {
            Ok(flight) => flight.is_some(),
            Err(_) => true,
        };
        if is_flying {
            return i64::MAX;
        }
        let token = self.token.load();
        token.as_ref().map_or(0, |token| token.left_ms(now))
    }
}

fn is_present(present: &Option<Arc<Flight>>, flight: &Flight) -> bool {
    let present = present.as_deref();
    present.is_some_and(|present| std::ptr::eq(present, flight))
}

/// How long a claim lasts, should nothing come of it.
const CLAIM_MS: i64 = 1_000;
