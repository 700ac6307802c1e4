//! A client's tokens in the cache that instances share.
//!
//! Instances tell each other times by the service's clock, as each knows it. Where one
//! may be wrong about it, it takes a shared token to be as much older.

use std::cell::Cell;

use super::cache::Entry;
use super::life::Stage;
use super::response::Token;
use super::shared::{SharedCache, SharedToken, obtain_unless};
use super::skew;
use crate::call::Call;
use crate::clock::Moment;
use crate::error::Result;

/// How far the service's clock may be ahead of this machine's while no answer of its
/// has told.
const UNKNOWN_SKEW_MS: i64 = 60_000;

/// How far two instances may differ about the service's time when both know it.
const KNOWN_SKEW_MS: i64 = 2 * skew::LEAST_MS;

/// What an instance knows of the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// By this machine's clocks.
    pub(super) now: Moment,
    /// How far the service's clock is ahead of it, once that is known.
    pub(super) skew_ms: Option<i64>,
}

/// The token of `entry` that another instance has fetched, or else the one that
/// `fetch` gets. True when another instance had it. Half of the call's time is for
/// `fetch`, and all that is left once `is_urgent`. `bound_to` is as in
/// [`super::response::parse`].
///
/// # Errors
/// As [`super::shared::obtain`].
pub(super) fn obtain_shared(
    shared: &SharedCache,
    entry: &Entry,
    view: &dyn Fn() -> View,
    fetch: &dyn Fn() -> Result<Token>,
    call: &Call,
    is_urgent: &dyn Fn() -> bool,
    bound_to: Option<&str>,
) -> Result<(Token, bool)> {
    let key = entry.key().bytes();
    let found_rejected = Cell::new(false);
    let found = Cell::new(None);
    let is_good = |candidate: &SharedToken| {
        if entry.was_rejected(candidate.requested_at) {
            found_rejected.set(true);
        }
        let token = read(candidate, view(), bound_to).filter(|token| {
            let is_newer = candidate.requested_at > entry.outdated_until(view().latest_skew_ms());
            is_newer && matches!(token.stage(view().now), Stage::Fresh | Stage::Advisory)
        });
        let is_good = token.is_some();
        found.set(token);
        is_good
    };
    let mut fetched = None;
    let mut fetch_to_share = || {
        if found_rejected.get() {
            // Should the fetch fail, no other instance is to be given it.
            let is_rejected = |found: &SharedToken| entry.was_rejected(found.requested_at);
            shared.forget(key, &is_rejected, call);
        }
        let token = fetch()?;
        let requested = token.requested().wall_ms();
        let requested_at = requested.saturating_add(view().skew_ms.unwrap_or(0));
        let written = SharedToken {
            response_json: token.response_json().to_owned().into(),
            requested_at,
            expires_at: requested_at.saturating_add(token.life_ms()),
        };
        fetched = Some(token.with_shared_at(requested_at));
        Ok(written)
    };
    obtain_unless(shared, key, &is_good, &mut fetch_to_share, call, is_urgent)?;
    let own = fetched.map(|token| (token, false));
    match own.or_else(|| found.take().map(|token| (token, true))) {
        Some(obtained) => Ok(obtained),
        None => fetch().map(|token| (token, false)),
    }
}

/// A token as an instance wrote it; `None` when it is none, or of a time that shows
/// that one of the two is wrong about the service's clock.
fn read(shared: &SharedToken, view: View, bound_to: Option<&str>) -> Option<Token> {
    let doubt = view.doubt_ms(shared.expires_at.saturating_sub(shared.requested_at));
    let service_now = view.now.wall_ms().saturating_add(view.skew_ms.unwrap_or(0));
    let age = service_now.saturating_sub(shared.requested_at);
    if age < -doubt {
        return None;
    }
    let requested = view.now.plus_millis(-age.max(0).saturating_add(doubt));
    let token = Token::from_json(&shared.response_json, requested, bound_to).ok()?;
    Some(token.with_shared_at(shared.requested_at))
}

impl View {
    /// By how much a shared token with a life of `life_ms` may be older than it seems.
    fn doubt_ms(self, life_ms: i64) -> i64 {
        match self.skew_ms {
            // Short lives would be over before anybody could share them.
            Some(_) => KNOWN_SKEW_MS.min(life_ms / 10).max(0),
            None => UNKNOWN_SKEW_MS,
        }
    }

    /// How far the service's clock is ahead at the most.
    fn latest_skew_ms(self) -> i64 {
        match self.skew_ms {
            Some(skew_ms) => skew_ms.saturating_add(KNOWN_SKEW_MS),
            None => UNKNOWN_SKEW_MS,
        }
    }
}
