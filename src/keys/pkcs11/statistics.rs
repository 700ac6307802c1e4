//! What happened to a token, counted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use cryptoki_sys::CK_RV;

use super::lock::lock;
use super::rv;
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::keys::health::{Counters, LastFailure};

/// A moment before any use of a key, from which others are counted.
static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// How many different return values are counted.
const MAX_VALUES: usize = 64;

/// Counters of one token in one process.
#[derive(Default)]
pub(super) struct Statistics {
    signatures: AtomicU64,
    /// Seconds since 1970; zero before the first signature.
    last_signature: AtomicI64,
    /// Uses of keys that came out right: signatures and decryptions.
    uses: AtomicU64,
    /// When the last one was by the monotonic clock: nanoseconds after `BEGIN`.
    last_use_after: AtomicU64,
    pub failed: AtomicU64,
    pub healed: AtomicU64,
    pub hung: AtomicU64,
    pub signature_faults: AtomicU64,
    pub reinitialisations: AtomicU64,
    pub keep_alives: AtomicU64,
    failures: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    by_rv: BTreeMap<CK_RV, u64>,
    last: Option<LastFailure>,
}

impl Statistics {
    /// One more signature that was right.
    pub fn note_signature(&self) {
        self.signatures.fetch_add(1, Ordering::Relaxed);
        let now = SystemClock.now().seconds();
        self.last_signature.store(now, Ordering::Relaxed);
        self.note_use();
    }

    /// One more use of a key that came out right, which shows that the token works.
    pub fn note_use(&self) {
        let after = nanoseconds(BEGIN.elapsed());
        self.last_use_after.store(after, Ordering::Relaxed);
        self.uses.fetch_add(1, Ordering::Relaxed);
    }

    /// How many uses of keys came out right.
    pub fn uses(&self) -> u64 {
        self.uses.load(Ordering::Relaxed)
    }

    /// True when a use of a key came out right after `moment`.
    pub fn has_worked_since(&self, moment: Instant) -> bool {
        let moment = nanoseconds(moment.saturating_duration_since(*BEGIN));
        self.last_use_after.load(Ordering::Relaxed) > moment
    }

    /// One more failure, whether or not it is put right.
    pub fn note_failure(&self, error: &Error) {
        let details = error.details();
        let mut failures = lock(&self.failures);
        if let Some(Ok(rv)) = details.ck_rv.map(CK_RV::try_from) {
            // Some vendors hide details in their values.
            let is_known = failures.by_rv.contains_key(&rv);
            if is_known || failures.by_rv.len() < MAX_VALUES {
                *failures.by_rv.entry(rv).or_default() += 1;
            }
        }
        failures.last = Some(LastFailure {
            at: SystemClock.now().seconds(),
            error: error.code().name(),
            message: error.message().to_owned(),
            ck_rv: details.ck_rv,
            ck_function: details.ck_function,
        });
    }

    /// How many signatures were right, and when the last was made.
    pub fn signatures(&self) -> (u64, Option<i64>) {
        let last = self.last_signature.load(Ordering::Relaxed);
        (
            self.signatures.load(Ordering::Relaxed),
            (last != 0).then_some(last),
        )
    }

    /// The failures by name of the return value, and the last one.
    pub fn failures(&self) -> (BTreeMap<String, u64>, Option<LastFailure>) {
        let failures = lock(&self.failures);
        let named = failures.by_rv.iter();
        let named = named.map(|(value, count)| (rv::name(*value), *count));
        (named.collect(), failures.last.clone())
    }

    /// The other counters; `logins` are counted elsewhere.
    pub fn counters(&self, logins: u64) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            failed: read(&self.failed),
            healed: read(&self.healed),
            hung: read(&self.hung),
            signature_faults: read(&self.signature_faults),
            logins,
            reinitialisations: read(&self.reinitialisations),
            keep_alives: read(&self.keep_alives),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
