//! One fetch for all instances: the one with the lease fetches, the others wait for
//! what it gets.

use std::thread;
use std::time::{Duration, Instant};

use super::cache::{Lease, SharedCache};
use super::entry::SharedToken;
use crate::call::Call;
use crate::error::Result;
use crate::jitter;

/// The pauses of one who waits.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// A token and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obtained {
    /// The token.
    pub token: SharedToken,
    /// Where it came from.
    pub from: ObtainedFrom,
}

/// Where a token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObtainedFrom {
    /// Another instance fetched it, or this one did earlier.
    Shared,
    /// `fetch` did, just now.
    Fetched,
}

/// A token under `key` that `is_good`: one that is shared already, else what `fetch`
/// gets, which is then shared.
///
/// One instance at a time fetches. The others wait for its token, or for the lease to
/// end: when `fetch` failed there, at once; when the instance died, after the lease's
/// time. They wait no longer than the lease's time and a tenth, and then fetch too. When
/// the store does not work, `fetch` is called without it. It is called at most once, and
/// half of the time that the call has left is for it.
///
/// `key` is a digest of everything that makes two tokens different: issuer, endpoint,
/// client, key, scopes and what else a request has. It is the only thing that keeps
/// one client's tokens from another's where they share the sealing key.
///
/// # Errors
/// That of `fetch`; `TIMEOUT` or `CANCELLED` when the call is over before. Never one
/// of the store.
pub fn obtain(
    shared: &SharedCache,
    key: &[u8; 32],
    is_good: &dyn Fn(&SharedToken) -> bool,
    fetch: &mut dyn FnMut() -> Result<SharedToken>,
    call: &Call,
) -> Result<Obtained> {
    obtain_unless(shared, key, is_good, fetch, call, &|| false)
}

/// As [`obtain`], but waits for no other instance once `is_urgent`.
pub(in super::super) fn obtain_unless(
    shared: &SharedCache,
    key: &[u8; 32],
    is_good: &dyn Fn(&SharedToken) -> bool,
    fetch: &mut dyn FnMut() -> Result<SharedToken>,
    call: &Call,
    is_urgent: &dyn Fn() -> bool,
) -> Result<Obtained> {
    let waiting = call.share(2, Duration::MAX);
    let turn = match wait_for_turn(shared, key, is_good, &waiting, is_urgent) {
        Ok(turn) => turn,
        Err(_) => {
            call.check("getting a token")?;
            Turn::WithoutStore
        }
    };
    if let Turn::Found(token) = turn {
        let from = ObtainedFrom::Shared;
        return Ok(Obtained { token, from });
    }
    let token = fetch()?;
    if !matches!(turn, Turn::WithoutStore) {
        shared.put(key, &token);
    }
    let from = ObtainedFrom::Fetched;
    Ok(Obtained { token, from })
}

/// What an instance is to do.
enum Turn<'a> {
    /// Use this one.
    Found(SharedToken),
    /// Fetch, while the others wait; they go on when this is dropped.
    First(#[expect(dead_code, reason = "held until the token is there")] Lease<'a>),
    /// Fetch beside another that takes too long.
    Beside,
    /// Fetch; the store does not work.
    WithoutStore,
}

fn wait_for_turn<'a>(
    shared: &'a SharedCache,
    key: &[u8; 32],
    is_good: &dyn Fn(&SharedToken) -> bool,
    call: &Call,
    is_urgent: &dyn Fn() -> bool,
) -> Result<Turn<'a>> {
    let what = "waiting for another instance's token";
    let begun = Instant::now();
    let patience = shared.lease_time() + shared.lease_time() / 10;
    let patience = patience.min(call.remaining(Duration::MAX, what)?);
    let holder = uuid::Uuid::new_v4().to_string();
    let look = || -> Result<Option<SharedToken>> { Ok(shared.get(key, call)?.filter(is_good)) };
    loop {
        if let Some(token) = look()? {
            return Ok(Turn::Found(token));
        }
        if let Some(lease) = shared.try_lease(key, &holder, call)? {
            // The one before may have put its token there since.
            return Ok(match look()? {
                Some(token) => Turn::Found(token),
                None => Turn::First(lease),
            });
        }
        let left = patience.saturating_sub(begun.elapsed());
        thread::sleep(pause().min(left));
        if begun.elapsed() >= patience || is_urgent() {
            return Ok(Turn::Beside);
        }
        call.check(what)?;
    }
}

/// Anything between the shortest and the longest, so that those who wait do not ask
/// at the same moments.
fn pause() -> Duration {
    SHORTEST_PAUSE + jitter::up_to(LONGEST_PAUSE - SHORTEST_PAUSE)
}
