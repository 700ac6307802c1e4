//! Tokens by what was asked for. A hit takes no lock and allocates nothing.

mod entry;
mod key;
mod table;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use zeroize::Zeroizing;

pub(super) use entry::Entry;
pub(super) use key::CacheKey;

use crate::clock::Moment;
use crate::error::Result;
use crate::profiles::TokenRequest;
use table::Table;

/// The most tokens one client keeps.
const MAX_TOKENS: usize = 10_000;

/// The tokens of one client. Requests that are spelled differently and mean the
/// same share one [`Entry`]; a spelling that was seen finds it without being
/// understood again.
#[derive(Debug)]
pub(super) struct Cache {
    entries: Table<CacheKey, Entry>,
    by_request: Table<TokenRequest, Entry>,
    by_json: Table<Json, Entry>,
}

/// How a request is spelled.
#[derive(Clone, Copy)]
pub(crate) enum Spelling<'a> {
    Request(&'a TokenRequest),
    /// As [`TokenRequest::from_json`] reads it.
    #[cfg_attr(
        not(feature = "capi"),
        expect(dead_code, reason = "only the C ABI is given requests as texts")
    )]
    Json(&'a str),
}

impl Spelling<'_> {
    /// The request.
    ///
    /// # Errors
    /// As [`TokenRequest::from_json`].
    pub(super) fn read(self) -> Result<TokenRequest> {
        match self {
            Self::Request(request) => Ok(request.clone()),
            Self::Json(json) => TokenRequest::from_json(json),
        }
    }
}

impl<'a> From<&'a TokenRequest> for Spelling<'a> {
    fn from(request: &'a TokenRequest) -> Self {
        Self::Request(request)
    }
}

/// The text of a request. It may name a person, so it is wiped and not shown.
#[derive(PartialEq, Eq)]
struct Json(Zeroizing<Vec<u8>>);

impl Borrow<[u8]> for Json {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl Hash for Json {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_slice().hash(state);
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            entries: Table::new(MAX_TOKENS),
            by_request: Table::new(MAX_TOKENS),
            by_json: Table::new(MAX_TOKENS),
        }
    }
}

impl Cache {
    /// What `work` makes of the entry that a spelling led to before.
    pub(super) fn with<T>(
        &self,
        spelling: Spelling<'_>,
        work: impl FnOnce(&Arc<Entry>) -> T,
    ) -> Option<T> {
        match spelling {
            Spelling::Request(request) => self.by_request.with(request, work),
            Spelling::Json(json) => self.by_json.with(json.as_bytes(), work),
        }
    }

    /// The entry for `key`, which is `entry` unless there is one already.
    pub(super) fn entry(&self, entry: Arc<Entry>, now: Moment) -> Arc<Entry> {
        let key = *entry.key();
        match self.entries.with(&key, Arc::clone) {
            Some(known) => known,
            None => self
                .entries
                .insert(key, entry, |_| true, |entry| entry.worth(now)),
        }
    }

    /// Remembers where a spelling leads.
    pub(super) fn remember(&self, spelling: Spelling<'_>, entry: &Arc<Entry>, now: Moment) {
        let is_this = |known: &Entry| std::ptr::eq(known, &**entry);
        let worth = |entry: &Entry| entry.worth(now);
        let entry = Arc::clone(entry);
        match spelling {
            Spelling::Request(request) => {
                let request = request.clone();
                self.by_request.insert(request, entry, is_this, worth)
            }
            Spelling::Json(json) => {
                let json = Json(Zeroizing::new(json.as_bytes().to_vec()));
                self.by_json.insert(json, entry, is_this, worth)
            }
        };
    }

    /// Every entry that a call could find; some may come twice.
    pub(super) fn all(&self) -> Vec<Arc<Entry>> {
        let mut all = self.entries.values();
        all.append(&mut self.by_request.values());
        all.append(&mut self.by_json.values());
        all
    }

    /// How many tokens may be handed out at `now`.
    pub(super) fn usable(&self, now: Moment) -> usize {
        let entries = self.entries.values();
        let usable = entries.iter().filter(|entry| entry.usable(now).is_some());
        usable.count()
    }
}
