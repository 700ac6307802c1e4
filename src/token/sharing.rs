//! A client's tokens in the cache that instances share.

use super::cache::Entry;
use super::life::Stage;
use super::response::Token;
use super::shared::{SharedCache, SharedToken, obtain};
use crate::call::Call;
use crate::clock::Moment;
use crate::error::Result;

/// The token of `entry` that another instance has fetched, or else the one that
/// `fetch` gets. `skew_ms` is how far the service's clock is ahead: instances tell
/// each other times by that one. True when another instance had it.
///
/// # Errors
/// As [`obtain`].
pub(super) fn obtain_shared(
    shared: &SharedCache,
    entry: &Entry,
    now: &dyn Fn() -> Moment,
    skew_ms: &dyn Fn() -> i64,
    fetch: &dyn Fn() -> Result<Token>,
    call: &Call,
) -> Result<(Token, bool)> {
    let mut fetched = None;
    let is_good = |candidate: &SharedToken| {
        let is_usable = read(candidate, now(), skew_ms())
            .is_ok_and(|token| matches!(token.stage(now()), Stage::Fresh | Stage::Advisory));
        is_usable && candidate.requested_at > entry.outdated_until(skew_ms())
    };
    let mut fetch = || {
        let token = fetch()?;
        let requested_at = token.requested().wall_ms().saturating_add(skew_ms());
        let written = SharedToken {
            response_json: token.response_json().to_owned().into(),
            requested_at,
            expires_at: requested_at.saturating_add(token.life_ms()),
        };
        fetched = Some(token);
        Ok(written)
    };
    let obtained = obtain(shared, entry.key().bytes(), &is_good, &mut fetch, call)?;
    match fetched {
        Some(token) => Ok((token, false)),
        None => Ok((read(&obtained.token, now(), skew_ms())?, true)),
    }
}

/// A token as an instance wrote it.
fn read(shared: &SharedToken, now: Moment, skew_ms: i64) -> Result<Token> {
    Token::from_json(&shared.response_json, local(shared, now, skew_ms))
}

/// When it was requested, by this machine's clocks. Not in the future, whatever the
/// other's clock showed.
fn local(shared: &SharedToken, now: Moment, skew_ms: i64) -> Moment {
    let service_now = now.wall_ms().saturating_add(skew_ms);
    let age = service_now.saturating_sub(shared.requested_at).max(0);
    now.plus_millis(-age)
}
