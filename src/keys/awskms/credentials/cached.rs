//! Credentials are kept until shortly before they expire, and renewed by one caller
//! while the others go on with the old ones.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::{Credentials, CredentialsProvider};
use crate::call::Call;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorCode, Result};
use crate::fork::PerProcess;

/// Seconds before their end at which credentials are renewed.
const RENEWED_BEFORE: i64 = 300;
/// Seconds before their end at which they are not used any more.
const UNUSED_BEFORE: i64 = 30;
/// Seconds until a renewal that failed is tried again while the old ones are good.
const LEFT_ALONE: i64 = 20;
/// How long a caller without a deadline waits for another's renewal.
const DEFAULT_WAIT: Duration = Duration::from_secs(60);
/// How often those who wait look whether their call was cancelled.
const LOOK: Duration = Duration::from_millis(50);

/// A provider and what it gave last.
#[derive(Debug)]
pub(in super::super) struct CachedCredentials {
    provider: Arc<dyn CredentialsProvider>,
    current: ArcSwapOption<Credentials>,
    /// Who renews them; a forked child waits for nobody of its parent.
    renewal: PerProcess<Renewal>,
}

#[derive(Debug, Default)]
struct Renewal {
    state: Mutex<State>,
    over: Condvar,
}

#[derive(Debug, Default)]
struct State {
    under_way: bool,
    /// How many have ended.
    ended: u64,
    failure: Option<Error>,
    not_before: i64,
}

impl CachedCredentials {
    pub(in super::super) fn new(provider: Arc<dyn CredentialsProvider>) -> Self {
        Self {
            provider,
            current: ArcSwapOption::empty(),
            renewal: PerProcess::new(),
        }
    }

    /// Credentials that are good for now.
    pub(in super::super) fn get(&self, call: &Call) -> Result<Arc<Credentials>> {
        let renewal = self.renewal.get(|_| Renewal::default());
        loop {
            let current = self.current.load_full();
            let now = SystemClock.now().seconds();
            let left = current.as_ref().map(|current| match current.expires_at() {
                Some(end) => end.seconds().saturating_sub(now),
                None => i64::MAX,
            });
            let usable = current.filter(|_| left.is_some_and(|left| left > UNUSED_BEFORE));
            if let Some(current) = &usable
                && left.is_some_and(|left| left > RENEWED_BEFORE)
            {
                return Ok(Arc::clone(current));
            }
            let state = renewal.lock();
            if let Some(current) = usable {
                if state.under_way || now < state.not_before {
                    return Ok(current);
                }
                return match self.renew(&renewal, state, call) {
                    Err(error) if error.code() == ErrorCode::Cancelled => Err(error),
                    Err(_) => Ok(current),
                    renewed => renewed,
                };
            }
            if !state.under_way {
                return self.renew(&renewal, state, call);
            }
            // Of those who wait, each renews when the one before it was called off.
            if let Some(failure) = renewal.wait(state, call)?
                && !matches!(failure.code(), ErrorCode::Cancelled | ErrorCode::Timeout)
            {
                return Err(failure);
            }
        }
    }

    /// Forgets `refused`, which AWS did not take.
    pub(in super::super) fn reject(&self, refused: &Arc<Credentials>) {
        self.current
            .compare_and_swap(&Some(Arc::clone(refused)), None);
    }

    fn renew(
        &self,
        renewal: &Renewal,
        mut state: MutexGuard<'_, State>,
        call: &Call,
    ) -> Result<Arc<Credentials>> {
        state.under_way = true;
        drop(state);
        let mut turn = Turn {
            renewal,
            failure: None,
        };
        match self.provider.credentials(call) {
            Ok(credentials) => {
                let credentials = Arc::new(credentials);
                self.current.store(Some(Arc::clone(&credentials)));
                Ok(credentials)
            }
            Err(error) => {
                turn.failure = Some(error.duplicate());
                Err(error)
            }
        }
    }
}

impl Renewal {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the renewal under way is over, and tells how it failed, if it did.
    fn wait(&self, mut state: MutexGuard<'_, State>, call: &Call) -> Result<Option<Error>> {
        let what = "waiting for AWS credentials";
        let before = state.ended;
        let until = std::time::Instant::now() + DEFAULT_WAIT;
        while state.ended == before {
            let left = until.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return Err(crate::call::timed_out(what));
            }
            let left = call.remaining(left, what)?;
            let waited = self.over.wait_timeout(state, left.min(LOOK));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(state.failure.as_ref().map(Error::duplicate))
    }
}

/// Ends a renewal however it comes out.
struct Turn<'a> {
    renewal: &'a Renewal,
    failure: Option<Error>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.renewal.lock();
        state.under_way = false;
        state.ended += 1;
        state.not_before = match self.failure {
            Some(_) => SystemClock.now().seconds() + LEFT_ALONE,
            None => 0,
        };
        state.failure = self.failure.take();
        self.renewal.over.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::secret::Secret;

    #[derive(Debug, Default)]
    struct Numbered(AtomicU32);

    impl CredentialsProvider for Numbered {
        fn credentials(&self, _: &Call) -> Result<Credentials> {
            let number = self.0.fetch_add(1, Ordering::SeqCst);
            Credentials::new(&format!("AKIA{number}"), Secret::from(&b"secret"[..]))
        }
    }

    #[test]
    fn a_late_refusal_of_old_ones_does_not_forget_the_new() {
        let cached = CachedCredentials::new(Arc::new(Numbered::default()));
        let get = || cached.get(&Call::none()).unwrap();
        let old = get();
        cached.reject(&old);
        let new = get();
        assert_eq!(new.access_key_id(), "AKIA1");
        cached.reject(&old);
        assert!(Arc::ptr_eq(&get(), &new));
    }
}
