//! Tokens that are still good, by what was asked for.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::response::Token;
use crate::clock::UnixTime;
use crate::profiles::TokenRequest;

/// The most tokens one client keeps.
const MAX_ENTRIES: usize = 1000;

type Entries = HashMap<TokenRequest, Arc<Token>>;

/// A bounded cache without locks, so that a forked child never meets a held one:
/// writers replace the whole map, which is rare and short.
///
/// A client has its own, so the key need not name issuer, client or key.
#[derive(Debug, Default)]
pub(super) struct Cache(ArcSwap<Entries>);

impl Cache {
    /// A token for `request` that is fresh at `now`.
    pub(super) fn get(&self, request: &TokenRequest, now: UnixTime) -> Option<Arc<Token>> {
        let entries = self.0.load();
        let token = entries.get(request).filter(|token| token.is_fresh(now));
        token.cloned()
    }

    pub(super) fn put(&self, request: &TokenRequest, token: &Arc<Token>, now: UnixTime) {
        self.0.rcu(|entries| {
            let mut entries = Entries::clone(entries);
            if entries.len() >= MAX_ENTRIES {
                entries.retain(|_, token| token.is_fresh(now));
            }
            if entries.len() >= MAX_ENTRIES {
                entries.clear();
            }
            entries.insert(request.clone(), Arc::clone(token));
            entries
        });
    }

    /// Drops the token for `request`, or all of them.
    pub(super) fn forget(&self, request: Option<&TokenRequest>) {
        self.0.rcu(|entries| match request {
            Some(request) => {
                let mut entries = Entries::clone(entries);
                entries.remove(request);
                entries
            }
            None => Entries::new(),
        });
    }
}
