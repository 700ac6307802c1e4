//! What may be used once: assertions and proofs, until they would have expired anyway.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use openssl::sha::Sha256;

use crate::clock::UnixTime;
use crate::jws::received::Jws;

/// About a hundred megabytes, and more than any sender makes within the lifetime of
/// an assertion.
const MAX_ENTRIES: usize = 1 << 20;

/// Why a JWT cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// The `jti`, or a JWT without one, was seen before.
    Used,
    /// The table is full of what is still valid, or the owner's share of it is. Nothing
    /// is forgotten to make room: what is forgotten could be used again.
    Full,
}

/// A table of used JWTs, safe between threads.
pub(crate) struct ReplayTable {
    most: usize,
    most_of_one: usize,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    used: HashSet<[u8; 32]>,
    by_expiry: BTreeSet<(UnixTime, [u8; 32], u64)>,
    /// How many each owner has.
    by_owner: HashMap<u64, usize>,
}

/// Its owners have no shares.
impl Default for ReplayTable {
    fn default() -> Self {
        Self::bounded(MAX_ENTRIES, MAX_ENTRIES)
    }
}

impl ReplayTable {
    /// A table in which one owner has at most a quarter, so that none can fill it alone.
    pub(crate) fn in_shares() -> Self {
        Self::bounded(MAX_ENTRIES, MAX_ENTRIES / 4)
    }

    pub(super) fn bounded(most: usize, most_of_one: usize) -> Self {
        Self {
            most,
            most_of_one,
            entries: Mutex::default(),
        }
    }

    /// Marks the JWT of `owner` as used. `keep_until` is the last second at which it
    /// could be accepted again.
    ///
    /// With a `jti` that value alone decides; without one the signed text does,
    /// so that a second signature over the same text is a replay too.
    pub(crate) fn use_once(
        &self,
        owner: &str,
        jti: Option<&str>,
        jws: &Jws<'_>,
        keep_until: UnixTime,
        now: UnixTime,
    ) -> Result<(), Reuse> {
        let entry = match jti {
            Some(jti) => digest(&["jti", owner, jti]),
            None => digest(&["text", owner, jws.signing_input()]),
        };
        let owner = short(digest(&["owner", owner]));
        let mut guard = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = &mut *guard;
        entries.forget_expired(now);
        if entries.used.contains(&entry) {
            return Err(Reuse::Used);
        }
        let of_owner = entries.by_owner.get(&owner).copied().unwrap_or_default();
        if entries.used.len() >= self.most || of_owner >= self.most_of_one {
            return Err(Reuse::Full);
        }
        entries.used.insert(entry);
        entries.by_expiry.insert((keep_until, entry, owner));
        *entries.by_owner.entry(owner).or_default() += 1;
        Ok(())
    }
}

impl Entries {
    fn forget_expired(&mut self, now: UnixTime) {
        while let Some((expiry, oldest, owner)) = self.by_expiry.first().copied() {
            if expiry >= now {
                break;
            }
            self.by_expiry.pop_first();
            self.used.remove(&oldest);
            if let Some(count) = self.by_owner.get_mut(&owner) {
                *count -= 1;
                if *count == 0 {
                    self.by_owner.remove(&owner);
                }
            }
        }
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

fn short(digest: [u8; 32]) -> u64 {
    digest[..8]
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{}` and `{}`.
    const TEXT: &str = "e30.e30.AA";

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    #[test]
    fn one_owner_cannot_keep_others_out() {
        let table = ReplayTable::bounded(4, 2);
        let jws = Jws::parse(TEXT).unwrap();
        let put = |owner: &str, jti: &str, now| {
            table.use_once(owner, Some(jti), &jws, at(now + 10), at(now))
        };
        assert_eq!(put("a", "1", 0), Ok(()));
        assert_eq!(put("a", "1", 10), Err(Reuse::Used));
        assert_eq!(put("a", "2", 0), Ok(()));
        assert_eq!(put("a", "3", 0), Err(Reuse::Full));
        assert_eq!(put("b", "1", 0), Ok(()));
        assert_eq!(put("c", "1", 0), Ok(()));
        assert_eq!(put("d", "1", 0), Err(Reuse::Full));
        assert_eq!(put("b", "1", 10), Err(Reuse::Used), "none was forgotten");
        assert_eq!(put("a", "3", 11), Ok(()), "all have expired");
        assert_eq!(put("a", "4", 11), Ok(()));
        assert_eq!(put("a", "5", 11), Err(Reuse::Full));
    }

    #[test]
    fn without_a_jti_the_text_decides() {
        let table = ReplayTable::default();
        let jws = Jws::parse(TEXT).unwrap();
        let put = |owner: &str| table.use_once(owner, None, &jws, at(10), at(0));
        assert_eq!(put("a"), Ok(()));
        assert_eq!(put("a"), Err(Reuse::Used));
        assert_eq!(put("b"), Ok(()));
    }
}
