//! The shared cache: sealed tokens in a store that may be away.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::breaker::{Breaker, Kind};
use super::entry::SharedToken;
use super::seal::{SealingKey, SealingKeys};
use super::store::SharedStore;
use crate::call::Call;
use crate::error::Result;
use crate::fork::PerProcess;
use crate::log::{self, Level};

pub(super) const DEFAULT_PREFIX: &str = "segl";
const DEFAULT_TIMEOUT: Duration = Duration::from_millis(250);
const DEFAULT_LEASE: Duration = Duration::from_secs(10);
/// Longer than the life of any token, and small enough for every store.
const MAX_TTL: Duration = Duration::from_secs(30 * 24 * 3600);
/// The least time between two warnings about entries that do not open.
const QUIET: Duration = Duration::from_secs(60);

/// Tokens that several instances share. Nothing that is wrong with its store stops a
/// token, or delays it by more than the time of one question; see
/// [`obtain`](super::obtain). `Send` and `Sync`; a forked child can use it too.
pub struct SharedCache {
    store: Arc<dyn SharedStore>,
    keys: SealingKeys,
    prefix: String,
    timeout: Duration,
    lease: Duration,
    breaker: PerProcess<Breaker>,
    made: Instant,
    /// When the last warning about an entry was logged, in milliseconds since `made`,
    /// plus one; 0 when there was none.
    warned: AtomicU64,
}

impl SharedCache {
    /// A cache in `store`, whose entries are sealed with `keys`.
    pub fn new(store: Arc<dyn SharedStore>, keys: impl Into<SealingKeys>) -> Self {
        Self {
            store,
            keys: keys.into(),
            prefix: DEFAULT_PREFIX.to_owned(),
            timeout: DEFAULT_TIMEOUT,
            lease: DEFAULT_LEASE,
            breaker: PerProcess::new(),
            made: Instant::now(),
            warned: AtomicU64::new(0),
        }
    }

    /// What the names of its entries begin with; `segl` by default.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The time for one question to the store; 250 ms by default.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// For how long one instance may keep the others waiting while it fetches; 10
    /// seconds by default.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Deletes the token under `key` when it is one that `is_rejected`, and not one
    /// that has replaced it meanwhile. True when one was deleted. Failures are logged
    /// and no more.
    pub fn forget(
        &self,
        key: &[u8; 32],
        is_rejected: &dyn Fn(&SharedToken) -> bool,
        call: &Call,
    ) -> bool {
        let forget = |sealing: &SealingKey| -> Result<bool> {
            let name = self.name(sealing, key)?;
            let sealed = self.ask(Kind::Read, call, |store, call| store.get(&name, call))?;
            match sealed {
                Some(sealed)
                    if open(sealing, key, &sealed).is_some_and(|token| is_rejected(&token)) =>
                {
                    self.ask(Kind::Write, call, |store, call| {
                        store.remove(&name, &sealed, call)
                    })
                }
                _ => Ok(false),
            }
        };
        // Every key's place is looked at.
        let forgotten = self
            .keys
            .iter()
            .filter(|sealing| forget(sealing).unwrap_or(false));
        forgotten.count() > 0
    }

    /// The token under `key`, whichever of the keys sealed it.
    pub(super) fn get(&self, key: &[u8; 32], call: &Call) -> Result<Option<SharedToken>> {
        for sealing in self.keys.iter() {
            let name = self.name(sealing, key)?;
            let sealed = self.ask(Kind::Read, call, |store, call| store.get(&name, call))?;
            let Some(sealed) = sealed else {
                continue;
            };
            match open(sealing, key, &sealed) {
                Some(token) => return Ok(Some(token)),
                None => self.warn_of(&name),
            }
        }
        Ok(None)
    }

    /// Keeps `token`, which was requested just now, under `key` for its life; no clock
    /// is asked. Failures are logged and no more.
    pub(super) fn put(&self, key: &[u8; 32], token: &SharedToken) {
        let life = token.expires_at.saturating_sub(token.requested_at);
        let life = u64::try_from(life).unwrap_or(0);
        if life == 0 {
            return;
        }
        let ttl = Duration::from_millis(life).min(MAX_TTL);
        let sealing = self.keys.first();
        let put = || {
            let name = self.name(sealing, key)?;
            let sealed = sealing.seal(key, &token.to_bytes())?;
            self.ask(Kind::Write, &Call::none(), |store, call| {
                store.put(&name, &sealed, ttl, call)
            })
        };
        if let Err(error) = put() {
            let message = format_args!("a token is not in the shared cache: {error}");
            log::emit(Level::Debug, "token", message);
        }
    }

    /// The right to fetch the token under `key`, unless another has it.
    pub(super) fn try_lease(
        &self,
        key: &[u8; 32],
        holder: &str,
        call: &Call,
    ) -> Result<Option<Lease<'_>>> {
        let name = self.name(self.keys.first(), key)? + ":lease";
        let is_given = self.ask(Kind::Write, call, |store, call| {
            store.try_lease(&name, holder, self.lease, call)
        })?;
        Ok(is_given.then(|| Lease {
            cache: self,
            name,
            holder: holder.to_owned(),
        }))
    }

    /// For how long a lease lasts that nobody ends.
    pub(super) fn lease_time(&self) -> Duration {
        self.lease
    }

    fn name(&self, sealing: &SealingKey, key: &[u8; 32]) -> Result<String> {
        Ok(format!("{}:{}", self.prefix, sealing.name(key)?))
    }

    /// Asks the store, if it works, within its time and the call's.
    fn ask<T>(
        &self,
        kind: Kind,
        call: &Call,
        question: impl FnOnce(&dyn SharedStore, &Call) -> Result<T>,
    ) -> Result<T> {
        let what = "asking the shared cache";
        let time = call.remaining(self.timeout, what)?.min(self.timeout);
        let breaker = self.breaker.get(|_| Breaker::default());
        breaker.admit()?;
        let mut bounded = Call::within(time);
        if let Some(cancel) = call.cancel() {
            bounded = bounded.with_cancel(cancel.clone());
        }
        match question(&*self.store, &bounded) {
            Ok(answer) => {
                if let Some(outage) = breaker.succeeded(kind) {
                    let seconds = outage.as_secs();
                    let store = &self.store;
                    let message =
                        format_args!("the shared cache {store:?} works again after {seconds} s");
                    log::emit(Level::Info, "token", message);
                }
                Ok(answer)
            }
            // It was the call that ended, which says nothing about the store.
            Err(error) if call.check(what).is_err() => {
                breaker.undecided();
                Err(error)
            }
            Err(error) => {
                if breaker.failed(kind) {
                    let message = format_args!(
                        "the shared cache does not work, tokens are fetched without it: {error}"
                    );
                    log::emit(Level::Warn, "token", message);
                }
                Err(error)
            }
        }
    }

    fn warn_of(&self, name: &str) {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let now = millis(self.made.elapsed()).saturating_add(1);
        let last = self.warned.load(Ordering::Relaxed);
        let is_due = last == 0 || now.saturating_sub(last) >= millis(QUIET);
        let set = |last| {
            self.warned
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
        };
        if is_due && set(last).is_ok() {
            let message = format_args!(
                "what is in the shared cache at {name} was not sealed by segl for this place, or was changed; \
                 it is not used, look for who writes there"
            );
            log::emit(Level::Warn, "token", message);
        }
    }
}

impl fmt::Debug for SharedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedCache")
            .field("store", &self.store)
            .field("keys", &self.keys)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// The right to fetch one token. It is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Lease<'a> {
    cache: &'a SharedCache,
    name: String,
    holder: String,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // One that cannot be given back ends by itself.
        let _ = self.cache.ask(Kind::Write, &Call::none(), |store, call| {
            store.release(&self.name, &self.holder, call)
        });
    }
}

fn open(sealing: &SealingKey, key: &[u8; 32], sealed: &[u8]) -> Option<SharedToken> {
    SharedToken::from_bytes(&sealing.open(key, sealed)?)
}
