//! Nonces that a server gives out (RFC 9449 section 8), one at a time.

use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::clock::UnixTime;

/// The nonce of an endpoint. One that was replaced is good for nothing.
pub(super) struct Nonces {
    seconds: i64,
    uses: Option<u32>,
    current: Mutex<Nonce>,
}

struct Nonce {
    value: String,
    made_at: UnixTime,
    used: u32,
}

impl Nonces {
    /// Replaces its nonce after `seconds`, and after that many `uses`.
    pub(super) fn new(seconds: i64, uses: Option<u32>, now: UnixTime) -> Self {
        Self {
            seconds,
            uses,
            current: Mutex::new(Nonce::new(now)),
        }
    }

    /// The nonce for the next proof.
    pub(super) fn current(&self, now: UnixTime) -> String {
        self.change(now, |nonce| nonce.value.clone())
    }

    /// Counts a proof with `given`; false when that is not the nonce of the moment.
    pub(super) fn use_once(&self, given: &str, now: UnixTime) -> bool {
        self.change(now, |nonce| {
            let is_current = nonce.value == given;
            if is_current {
                nonce.used = nonce.used.saturating_add(1);
            }
            is_current
        })
    }

    fn change<T>(&self, now: UnixTime, work: impl FnOnce(&mut Nonce) -> T) -> T {
        let mut nonce = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = now >= nonce.made_at.plus(self.seconds);
        if is_old || self.uses.is_some_and(|uses| nonce.used >= uses) {
            *nonce = Nonce::new(now);
        }
        work(&mut nonce)
    }
}

impl Nonce {
    fn new(now: UnixTime) -> Self {
        Self {
            value: Uuid::new_v4().simple().to_string(),
            made_at: now,
            used: 0,
        }
    }
}
