//! What bounds one call: a deadline and a cancel token.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorCode, Result};
use crate::fork::PerProcess;

/// The bounds of one call. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Call {
    deadline: Option<Instant>,
    cancel: Option<CancelToken>,
}

impl Call {
    /// No deadline of its own: the defaults of each layer apply.
    pub fn none() -> Self {
        Self::default()
    }

    /// A call that must be over within `timeout` from now.
    pub fn within(timeout: Duration) -> Self {
        Self {
            deadline: Instant::now().checked_add(timeout),
            cancel: None,
        }
    }

    /// The same call, ended early when `cancel` is triggered.
    #[must_use]
    pub fn with_cancel(mut self, cancel: CancelToken) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// The cancel token, if the call has one.
    pub fn cancel(&self) -> Option<&CancelToken> {
        self.cancel.as_ref()
    }

    /// The time left: that of the call's own deadline, else `default`.
    ///
    /// # Errors
    /// `TIMEOUT` when none is left, `CANCELLED` when the call was cancelled;
    /// `what` names the work that was not done.
    pub fn remaining(&self, default: Duration, what: &str) -> Result<Duration> {
        if self.cancel.as_ref().is_some_and(CancelToken::is_cancelled) {
            return Err(Error::new(
                ErrorCode::Cancelled,
                format!("{what}: cancelled by the caller"),
            ));
        }
        let Some(deadline) = self.deadline else {
            return Ok(default);
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(timed_out(what));
        }
        Ok(left)
    }

    /// The same call; one without a deadline is over within `default` from now.
    #[must_use]
    pub fn or_within(&self, default: Duration) -> Self {
        Self {
            deadline: self
                .deadline
                .or_else(|| Instant::now().checked_add(default)),
            cancel: self.cancel.clone(),
        }
    }

    /// A call for the first of `tries` that are left of one piece of work: over
    /// after an even share of the time left, so that a try that hangs leaves the
    /// others theirs. What a try does not use is shared by those after it, and the
    /// last one (`tries` is 1) has all that is left. Each share of a call that has
    /// no deadline is `default`, but for the last, which has none. The cancel
    /// token is kept.
    #[must_use]
    pub fn share(&self, tries: usize, default: Duration) -> Self {
        let tries = u32::try_from(tries).unwrap_or(u32::MAX);
        if tries <= 1 {
            return self.clone();
        }
        let now = Instant::now();
        let share = match self.deadline {
            Some(deadline) => deadline.saturating_duration_since(now) / tries,
            None => default,
        };
        Self {
            deadline: now.checked_add(share),
            cancel: self.cancel.clone(),
        }
    }

    /// Waits for `time`, or until the call is over.
    ///
    /// # Errors
    /// As [`Call::remaining`], at once when less time than that is left.
    pub(crate) fn pause(&self, time: Duration, what: &str) -> Result<()> {
        if self.remaining(Duration::MAX, what)? <= time {
            return Err(timed_out(what));
        }
        let Some(cancel) = &self.cancel else {
            std::thread::sleep(time);
            return Ok(());
        };
        let (wake, woken) = std::sync::mpsc::sync_channel(1);
        let _subscription = cancel.subscribe(Arc::new(move || {
            let _ = wake.try_send(());
        }));
        let _ = woken.recv_timeout(time);
        self.check(what)
    }

    /// Fails when the call is over: see [`Call::remaining`].
    pub fn check(&self, what: &str) -> Result<()> {
        self.remaining(Duration::MAX, what).map(|_| ())
    }
}

/// The error of a call whose time ran out during `what`.
pub(crate) fn timed_out(what: &str) -> Error {
    Error::new(
        ErrorCode::Timeout,
        format!("{what}: the call's time ran out; allow more time or look for what is slow"),
    )
    .with_retryable(true)
}

/// Ends calls early, from any thread. Clones share one state; once triggered it
/// stays so.
#[derive(Clone, Default)]
pub struct CancelToken(Arc<CancelState>);

#[derive(Default)]
struct CancelState {
    cancelled: AtomicBool,
    next_id: AtomicU64,
    /// Those who wait in this process; a forked child does not wake its parent's.
    listeners: PerProcess<Mutex<Listeners>>,
}

type Listeners = BTreeMap<u64, Arc<dyn Fn() + Send + Sync>>;

impl CancelToken {
    /// A token that is not triggered.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends every call that carries this token. Further triggers do nothing.
    pub fn trigger(&self) {
        if self.0.cancelled.swap(true, Ordering::SeqCst) {
            return;
        }
        let listeners =
            self.with_listeners(|listeners| listeners.values().cloned().collect::<Vec<_>>());
        for listener in listeners {
            listener();
        }
    }

    /// True once [`CancelToken::trigger`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Runs `listener` when the token is triggered, at once if it was already,
    /// until the subscription is dropped.
    pub(crate) fn subscribe(&self, listener: Arc<dyn Fn() + Send + Sync>) -> Subscription<'_> {
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        self.with_listeners(|listeners| listeners.insert(id, Arc::clone(&listener)));
        if self.is_cancelled() {
            listener();
        }
        Subscription { token: self, id }
    }

    fn with_listeners<T>(&self, work: impl FnOnce(&mut Listeners) -> T) -> T {
        let listeners = self.0.listeners.get(|_| Mutex::default());
        let mut listeners = listeners.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut listeners)
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelToken")
            .field(&self.is_cancelled())
            .finish()
    }
}

/// Keeps a listener of a [`CancelToken`] registered.
pub(crate) struct Subscription<'a> {
    token: &'a CancelToken,
    id: u64,
}

impl Drop for Subscription<'_> {
    fn drop(&mut self) {
        self.token
            .with_listeners(|listeners| listeners.remove(&self.id));
    }
}
