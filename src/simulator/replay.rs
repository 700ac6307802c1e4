//! Assertions that were used, until they would have expired anyway.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use openssl::sha::Sha256;

use super::assertion::Jws;
use crate::clock::UnixTime;

/// About a hundred megabytes, and more than any test sends within an
/// assertion's lifetime.
const MAX_ENTRIES: usize = 1 << 20;

/// Why an assertion cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reuse {
    /// The `jti`, or an assertion without one, was seen before.
    Used,
    /// The table is full of assertions that are still valid.
    Full,
}

/// A table of used assertions, safe between threads.
#[derive(Default)]
pub(super) struct ReplayTable(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    used: HashSet<[u8; 32]>,
    by_expiry: BTreeSet<(UnixTime, [u8; 32])>,
}

impl ReplayTable {
    /// Marks the assertion of `client_id` as used. `keep_until` is the last
    /// second at which it could be accepted again.
    ///
    /// With a `jti` that value alone decides; without one the signed text does,
    /// so that a second signature over the same text is a replay too.
    pub(super) fn use_once(
        &self,
        client_id: &str,
        jti: Option<&str>,
        jws: &Jws<'_>,
        keep_until: UnixTime,
        now: UnixTime,
    ) -> Result<(), Reuse> {
        let entry = match jti {
            Some(jti) => digest(&["jti", client_id, jti]),
            None => digest(&["text", client_id, jws.signing_input()]),
        };
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = &mut *guard;
        while let Some((expiry, oldest)) = entries.by_expiry.first().copied() {
            if expiry >= now {
                break;
            }
            entries.by_expiry.pop_first();
            entries.used.remove(&oldest);
        }
        if entries.used.contains(&entry) {
            return Err(Reuse::Used);
        }
        if entries.used.len() >= MAX_ENTRIES {
            return Err(Reuse::Full);
        }
        entries.used.insert(entry);
        entries.by_expiry.insert((keep_until, entry));
        Ok(())
    }
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(&part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finish()
}
