//! When what a client's keys depend on ends, and that somebody is told in time.

use std::sync::atomic::{AtomicI64, Ordering};

use serde::Serialize;

use crate::clock::UnixTime;
use crate::log::Level;

/// Within so many days of an end a warning is logged as an error.
const URGENT_DAYS: i64 = 7;

const DAY: i64 = 86_400;

const NEVER: i64 = i64::MIN;

/// How many days before an end warnings begin, unless `warn_days` in the settings
/// says otherwise.
pub(crate) const DEFAULT_WARN_DAYS: u32 = 30;

/// The end of something without which a service refuses a key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expiry {
    /// What ends.
    pub what: Expiring,
    /// The setting that names the key, as in [`super::KeyHealth::name`].
    pub key: String,
    /// The last second at which it is good.
    pub not_after: UnixTime,
}

/// What ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Expiring {
    /// The certificate in the assertions' header. After its end segl does not sign.
    Certificate,
    /// The key's registration at the service, as `registered_until` says.
    RegisteredKey,
    /// The certificate that servers are shown in TLS. After its end segl shows it to
    /// none.
    TlsCertificate,
}

impl Expiry {
    /// The end of what the key called `key` depends on.
    pub fn new(what: Expiring, key: impl Into<String>, not_after: UnixTime) -> Self {
        Self {
            what,
            key: key.into(),
            not_after,
        }
    }

    /// Whole days from `now` to the end; negative when it is over.
    pub fn days_left(&self, now: UnixTime) -> i64 {
        self.seconds_left(now).div_euclid(DAY)
    }

    /// What ends when, and what to do, one line; `None` when the end is more than
    /// `warn_days` days after `now`, or `warn_days` is 0.
    pub fn warning(&self, now: UnixTime, warn_days: u32) -> Option<String> {
        if warn_days == 0 || self.seconds_left(now) > i64::from(warn_days) * DAY {
            return None;
        }
        let (what, consequence, remedy) = match self.what {
            Expiring::Certificate => (
                "the certificate",
                "the key signs no more",
                "renew it, put the new one in its place, and make the client anew",
            ),
            Expiring::TlsCertificate => (
                "the client certificate of TLS",
                "servers that ask for it are not reached",
                "renew it, put the new one in its place, and make the client anew",
            ),
            Expiring::RegisteredKey => (
                "the key's registration",
                "the service refuses it",
                "register the same key again, or a new one beside it, and set \"registered_until\" to the new end",
            ),
        };
        let (key, end) = (&self.key, self.not_after);
        let text = match self.days_left(now) {
            ..0 => format!("ended at {end}, and {consequence}"),
            0 => format!("ends at {end}, within a day, and then {consequence}"),
            1 => format!("ends at {end}, in 1 day, and then {consequence}"),
            left if self.is_urgent(now) => {
                format!("ends at {end}, in {left} days, and then {consequence}")
            }
            left => format!("ends at {end}, in {left} days"),
        };
        Some(format!("{key}: {what} {text}; {remedy}"))
    }

    /// How much [`Expiry::warning`] matters.
    pub(super) fn level(&self, now: UnixTime) -> Level {
        match self.is_urgent(now) {
            true => Level::Error,
            false => Level::Warn,
        }
    }

    fn is_urgent(&self, now: UnixTime) -> bool {
        self.seconds_left(now) <= URGENT_DAYS * DAY
    }

    fn seconds_left(&self, now: UnixTime) -> i64 {
        self.not_after.seconds().saturating_sub(now.seconds())
    }
}

/// When each kind of end of one key was looked at last, without a lock.
#[derive(Debug)]
pub(super) struct Watch {
    certificate: AtomicI64,
    registered_key: AtomicI64,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            certificate: AtomicI64::new(NEVER),
            registered_key: AtomicI64::new(NEVER),
        }
    }
}

impl Watch {
    /// True once a day, for one of all threads. A clock that was set back does not
    /// make the wait longer.
    pub(super) fn is_due(&self, what: Expiring, now: UnixTime) -> bool {
        let looked_at = match what {
            Expiring::Certificate | Expiring::TlsCertificate => &self.certificate,
            Expiring::RegisteredKey => &self.registered_key,
        };
        let (last, now) = (looked_at.load(Ordering::SeqCst), now.seconds());
        !(0..DAY).contains(&now.saturating_sub(last))
            && looked_at
                .compare_exchange(last, now, Ordering::SeqCst, Ordering::SeqCst)
                .is_ok()
    }
}
