//! Access tokens that are alive, and which of them an API refuses.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::clock::UnixTime;

/// Tokens by `jti`, until they expire.
#[derive(Default)]
pub(super) struct IssuedTokens(Mutex<Tokens>);

#[derive(Default)]
struct Tokens {
    by_jti: HashMap<String, Token>,
    /// The number of tokens at which the expired ones are looked for.
    clean_at: usize,
}

struct Token {
    expires_at: UnixTime,
    is_rejected: bool,
}

impl IssuedTokens {
    /// Remembers a new token.
    pub(super) fn put(&self, jti: &str, expires_at: UnixTime, now: UnixTime) {
        self.change(|tokens| {
            if tokens.by_jti.len() >= tokens.clean_at {
                tokens.forget_expired(now);
                tokens.clean_at = (tokens.by_jti.len() * 2).max(1024);
            }
            let token = Token {
                expires_at,
                is_rejected: false,
            };
            tokens.by_jti.insert(jti.to_owned(), token);
        });
    }

    /// True when the token was rejected.
    pub(super) fn is_rejected(&self, jti: &str) -> bool {
        self.change(|tokens| {
            tokens
                .by_jti
                .get(jti)
                .is_some_and(|token| token.is_rejected)
        })
    }

    /// Rejects one token; false when there is none alive with this `jti`.
    pub(super) fn reject(&self, jti: &str, now: UnixTime) -> bool {
        self.change(|tokens| {
            tokens.forget_expired(now);
            let token = tokens.by_jti.get_mut(jti);
            token.map(|token| token.is_rejected = true).is_some()
        })
    }

    /// Rejects every token that is alive; gives their number.
    pub(super) fn reject_all(&self, now: UnixTime) -> usize {
        self.change(|tokens| {
            tokens.forget_expired(now);
            for token in tokens.by_jti.values_mut() {
                token.is_rejected = true;
            }
            tokens.by_jti.len()
        })
    }

    fn change<T>(&self, work: impl FnOnce(&mut Tokens) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Tokens {
    fn forget_expired(&mut self, now: UnixTime) {
        self.by_jti.retain(|_, token| now < token.expires_at);
    }
}
