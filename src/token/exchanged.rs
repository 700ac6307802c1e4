//! Tokens that other issuers gave for the client's own.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::clock::Moment;
use crate::fork::PerProcess;
use crate::profiles::TokenRequest;
use crate::secret::Secret;

/// How many are kept; the oldest goes first.
const MOST: usize = 64;

/// Tokens by where they were got and what the client's own token was for.
#[derive(Default)]
pub(crate) struct ExchangedTokens(PerProcess<Mutex<Tokens>>);

#[derive(Default)]
struct Tokens {
    kept: Vec<Kept>,
    /// How often some were forgotten.
    forgotten: u64,
}

/// When an exchange began.
#[derive(Clone, Copy)]
pub(crate) struct Begun {
    at: Moment,
    forgotten: u64,
}

struct Kept {
    place: String,
    request: TokenRequest,
    token: Secret,
    since: Moment,
    life_ms: i64,
}

impl ExchangedTokens {
    /// The token that was got at `place` for the client's token of `request`, unless its
    /// time is over at `now`.
    pub(crate) fn find(&self, place: &str, request: &TokenRequest, now: Moment) -> Option<Secret> {
        self.change(|Tokens { kept: all, .. }| {
            all.retain(|kept| kept.is_good(now));
            let found = all.iter().find(|kept| kept.is_for(place, request));
            found.map(|kept| kept.token.clone())
        })
    }

    /// To be called before the client's own token is taken for an exchange.
    pub(crate) fn begin(&self, at: Moment) -> Begun {
        self.change(|tokens| Begun {
            at,
            forgotten: tokens.forgotten,
        })
    }

    /// Keeps `token` for `life_ms` milliseconds from when its exchange had `begun`, in place
    /// of the one before; not when tokens were forgotten meanwhile, of which it may be one.
    pub(crate) fn put(
        &self,
        place: &str,
        request: &TokenRequest,
        token: Secret,
        begun: Begun,
        life_ms: i64,
    ) {
        self.change(|tokens| {
            if tokens.forgotten != begun.forgotten {
                return;
            }
            let all = &mut tokens.kept;
            all.retain(|kept| !kept.is_for(place, request));
            if all.len() >= MOST {
                all.remove(0);
            }
            all.push(Kept {
                place: place.to_owned(),
                request: request.clone(),
                token,
                since: begun.at,
                life_ms,
            });
        });
    }

    /// Drops what was got for the token of `request`, or everything. What is being got now
    /// is not kept.
    pub(super) fn forget(&self, request: Option<&TokenRequest>) {
        self.change(|tokens| {
            tokens.forgotten += 1;
            let is_other = |kept: &Kept| request.is_some_and(|own| kept.request != *own);
            tokens.kept.retain(is_other);
        });
    }

    fn change<T>(&self, work: impl FnOnce(&mut Tokens) -> T) -> T {
        let own = self.0.get(|_| Mutex::default());
        work(&mut own.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn is_for(&self, place: &str, request: &TokenRequest) -> bool {
        self.place == place && self.request == *request
    }

    fn is_good(&self, now: Moment) -> bool {
        now.millis_since(self.since) < self.life_ms
    }
}

impl fmt::Debug for ExchangedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExchangedTokens")
    }
}
