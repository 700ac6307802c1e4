//! What a client has done for its tokens, and how it is doing.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// A count that many threads raise.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is counted. Cache hits are not: counting them would cost more than they do.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    pub(super) requests: Counter,
    pub(super) failures: Counter,
    pub(super) refreshes: Counter,
    pub(super) stale: Counter,
    pub(super) rejected: Counter,
    pub(super) shared: Counter,
}

/// How a client's tokens are doing. Counts begin with the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TokenHealth {
    /// Tokens in the cache that may be handed out.
    pub cached: usize,
    /// Requests to the token endpoint, failed ones included.
    pub requests: u64,
    /// Tries that failed, those that sent nothing included: a key that could not sign,
    /// a server whose metadata could not be read.
    pub failures: u64,
    /// Fetches that were begun before a token had to be replaced.
    pub refreshes: u64,
    /// How often a token was handed out near its end because its successor could
    /// not be fetched.
    pub stale: u64,
    /// Tokens that were dropped because an API rejected them.
    pub rejected: u64,
    /// Tokens that another instance had fetched, from the shared cache.
    pub shared: u64,
    /// How far the service's clock is ahead of this machine's, in milliseconds
    /// with an uncertainty of half a second; `None` before the first answer. Up to
    /// 300,000 it is followed: assertions are dated by the service's clock.
    pub clock_skew_ms: Option<i64>,
}
