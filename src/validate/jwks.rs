//! The issuer's keys (JWK set, RFC 7517 section 5).

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::jwt::Header;
use super::refusal::{shown, undecided};
use super::wire::Object;
use crate::alg::Algorithm;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::PublicJwk;
use crate::keys::verifier::Verifier;
use crate::log::{self, Level};

/// Issuers have a handful; those beyond are not used.
const MAX_KEYS: usize = 64;

/// Of one issuer's tokens all but a few headers are equal.
const MAX_HEADERS: usize = 8;

/// The keys of one issuer that segl can use. There is at least one.
#[derive(Debug)]
pub(super) struct KeySet {
    keys: Vec<Key>,
    /// Headers with a `kid`, of tokens whose signature was right, so that the same bytes
    /// need not be read again.
    headers: ArcSwap<Vec<Arc<Known>>>,
}

#[derive(Debug)]
struct Key {
    kid: Option<String>,
    verifier: Verifier,
}

/// A header as it was sent, and the key that had signed.
#[derive(Debug)]
struct Known {
    encoded: String,
    alg: Algorithm,
    key: usize,
}

/// What the keys say about a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
    /// No key may be the one.
    NoKey,
}

#[derive(Deserialize)]
struct Wire {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a JWK set one key after the other: those that segl cannot use, and those that are
    /// not for verifying, are left out.
    ///
    /// # Errors
    /// `JWKS_INVALID` when it is none, or no key is left.
    pub(super) fn from_json(json: &[u8]) -> Result<Self> {
        let Object(wire): Object<Wire> = serde_json::from_slice(json).map_err(|_| {
            invalid("are no JWK set: a JSON object with the array \"keys\" (RFC 7517 section 5)")
        })?;
        let count = wire.keys.len();
        let mut keys = Vec::new();
        let mut first_problem = None;
        for jwk in &wire.keys {
            match Key::read(jwk) {
                Ok(Some(key)) => keys.push(key),
                Ok(None) => {}
                Err(problem) => {
                    first_problem.get_or_insert(problem);
                }
            }
        }
        if keys.is_empty() {
            let problem = first_problem.map_or("none is for signatures".to_owned(), |problem| {
                shown(problem.message())
            });
            return Err(invalid(format_args!(
                "cannot be used, none of {count}: {problem}"
            )));
        }
        if keys.len() > MAX_KEYS {
            log::emit(
                Level::Warn,
                "validate",
                format_args!("the issuer has {count} keys; the first {MAX_KEYS} of them are used"),
            );
            keys.truncate(MAX_KEYS);
        }
        Ok(Self {
            keys,
            headers: ArcSwap::default(),
        })
    }

    /// Verifies a signature of a token whose header was sent before, `None` for other
    /// headers.
    pub(super) fn verify_known(
        &self,
        encoded: &str,
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let headers = self.headers.load();
        let known = headers.iter().find(|known| known.encoded == encoded)?;
        let key = self.keys.get(known.key)?;
        Some(key.verifier.verify(known.alg, message, signature))
    }

    /// Verifies a signature with each key that has the token's `kid`; or, for a token
    /// without one, with each key that has none either. A key's own `alg` does not count,
    /// for its type says what it can make.
    pub(super) fn verify(
        &self,
        encoded: &str,
        header: &Header,
        message: &[u8],
        signature: &[u8],
    ) -> Verdict {
        let mut verdict = Verdict::NoKey;
        for (index, key) in self.keys.iter().enumerate() {
            if key.kid != header.kid {
                continue;
            }
            if key.verifier.verify(header.alg, message, signature) {
                // Other keys with this kid have to be tried each time, and without a kid a wrong
                // signature may be that of a new key.
                let of_kid = self.keys.iter().filter(|other| other.kid == header.kid);
                if header.kid.is_some() && of_kid.count() == 1 {
                    self.remember(encoded, header.alg, index);
                }
                return Verdict::Right;
            }
            verdict = Verdict::Wrong;
        }
        verdict
    }

    /// The `kid`s there are, for messages. They are public, and may be points of time.
    pub(super) fn kids(&self) -> String {
        let kids = self.keys.iter().map(|key| match &key.kid {
            Some(kid) => {
                let start: String = kid.chars().take(100).collect();
                format!("\"{}\"", start.escape_debug())
            }
            None => format!("none ({})", key.verifier.key().thumbprint()),
        });
        kids.take(10).collect::<Vec<_>>().join(", ")
    }

    fn remember(&self, encoded: &str, alg: Algorithm, key: usize) {
        let headers = self.headers.load();
        if headers.len() >= MAX_HEADERS || headers.iter().any(|known| known.encoded == encoded) {
            return;
        }
        let mut more = Vec::clone(&headers);
        more.push(Arc::new(Known {
            encoded: encoded.to_owned(),
            alg,
            key,
        }));
        self.headers.store(Arc::new(more));
    }
}

impl Key {
    /// A key for signatures; `None` for one that is not.
    fn read(jwk: &Value) -> Result<Option<Self>> {
        let none = Map::new();
        let members = jwk.as_object().unwrap_or(&none);
        if !is_to_verify(members) {
            return Ok(None);
        }
        let kid = members.get("kid").and_then(Value::as_str);
        Ok(Some(Self {
            kid: kid.map(str::to_owned),
            verifier: Verifier::new(PublicJwk::from_members(members)?),
        }))
    }
}

/// What `use` and `key_ops` (RFC 7517 sections 4.2, 4.3) say. Some programs write null, or an
/// empty array, for a member that is not there.
fn is_to_verify(members: &Map<String, Value>) -> bool {
    let is_for = |name: &str, wanted: &dyn Fn(&Value) -> bool| match members.get(name) {
        None | Some(Value::Null) => true,
        Some(value) => wanted(value),
    };
    is_for("use", &|usage| usage == "sig")
        && is_for("key_ops", &|operations| {
            let operations = operations.as_array();
            operations.is_some_and(|all| all.is_empty() || all.iter().any(|one| one == "verify"))
        })
}

fn invalid(problem: impl std::fmt::Display) -> Error {
    undecided(
        ErrorCode::JwksInvalid,
        format!("the issuer's keys {problem}"),
    )
}
