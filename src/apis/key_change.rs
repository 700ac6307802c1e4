//! What becomes of a client's registered keys: the set is replaced as a whole, so
//! that every key that is to stay has to be sent again.

use serde_json::{Map, Value};

use super::registered_keys::{RegisteredKey, RegisteredKeys};
use crate::alg::Algorithm;
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::PublicJwk;

/// Digdir's limit.
const MAX_KEYS: usize = 5;

const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];

/// A key that is to be registered. It keeps Digdir's rules for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedKey {
    kid: String,
    key: PublicJwk,
    alg: Algorithm,
}

impl WantedKey {
    /// A key under the name `kid`, for signatures with `alg`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a `kid` of other characters than letters, digits,
    /// `.`, `_` and `-`; `KEY_TYPE` for a key that is not RSA; `ALGORITHM` for
    /// another than RS256, RS384 and RS512.
    pub fn new(kid: &str, key: PublicJwk, alg: Algorithm) -> Result<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if kid.is_empty() || !kid.bytes().all(is_plain) {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "the kid \"{}\" cannot be registered; use letters, digits, '.', '_' and '-'",
                    kid.escape_debug()
                ),
            ));
        }
        if key.kty() != "RSA" {
            return Err(Error::new(
                ErrorCode::KeyType,
                format!(
                    "the key \"{kid}\" is an {} key; Maskinporten takes RSA keys only",
                    key.kty()
                ),
            ));
        }
        if !ALGORITHMS.contains(&alg) {
            return Err(Error::new(
                ErrorCode::Algorithm,
                format!(
                    "the key \"{kid}\" is for {alg}; Maskinporten takes RS256, RS384 and RS512 only"
                ),
            ));
        }
        Ok(Self {
            kid: kid.to_owned(),
            key,
            alg,
        })
    }

    /// The name under which it is to be registered.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key itself.
    pub fn key(&self) -> &PublicJwk {
        &self.key
    }

    fn jwk(&self) -> Map<String, Value> {
        self.key.to_registration(&self.kid, self.alg)
    }
}

/// What happens to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyAction {
    /// It was not registered.
    Added,
    /// It was registered, is wanted, and gets another year.
    Renewed,
    /// It was registered and nobody said that it should go. It has to be sent
    /// again with the others, which gives it another year too.
    Kept,
    /// It goes.
    Removed,
}

/// One key of a [`KeyChange`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangedKey {
    /// Its identifier.
    pub kid: String,
    /// What happens to it.
    pub action: KeyAction,
    /// When it would have stopped working without the change; `None` for a new key,
    /// and when the API does not say.
    pub exp: Option<UnixTime>,
    jwk: Map<String, Value>,
}

/// A plan for a client's registered keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChange(Vec<ChangedKey>);

impl KeyChange {
    /// The plan that leads from `registered` to a set with every key of `wanted` and
    /// without those named by `remove`. Nothing else is taken away.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when a `kid` is registered with another key, is wanted for
    /// two keys, or is to be removed and wanted, or not registered; when nothing or
    /// more than five keys would be left, with those that could go.
    pub fn plan(
        registered: &RegisteredKeys,
        wanted: &[WantedKey],
        remove: &[String],
        now: UnixTime,
    ) -> Result<Self> {
        check_removals(registered, wanted, remove)?;
        let mut keys: Vec<_> = registered
            .keys
            .iter()
            .map(|key| changed(key, wanted, remove))
            .collect::<Result<_>>()?;
        for key in wanted {
            match keys.iter().find(|other| other.kid == key.kid) {
                None => keys.push(ChangedKey {
                    kid: key.kid.clone(),
                    action: KeyAction::Added,
                    exp: None,
                    jwk: key.jwk(),
                }),
                // The same pair twice, for example on two tokens.
                Some(same) if same.jwk == key.jwk() => {}
                Some(_) => {
                    return Err(refused(format!(
                        "two of the client's keys would be registered as \"{}\"; give each its own kid",
                        key.kid
                    )));
                }
            }
        }
        let change = Self(keys);
        change.check_number(registered, now)?;
        Ok(change)
    }

    /// Every key of before and after.
    pub fn keys(&self) -> &[ChangedKey] {
        &self.0
    }

    /// The whole set to register: what is added, renewed or kept.
    pub fn jwks(&self) -> Vec<Map<String, Value>> {
        self.remaining().map(|key| key.jwk.clone()).collect()
    }

    fn remaining(&self) -> impl Iterator<Item = &ChangedKey> {
        self.0.iter().filter(|key| key.action != KeyAction::Removed)
    }

    fn check_number(&self, registered: &RegisteredKeys, now: UnixTime) -> Result<()> {
        let number = self.remaining().count();
        if number == 0 {
            return Err(refused(
                "no key would be left; a client without keys needs a certificate".to_owned(),
            ));
        }
        if number <= MAX_KEYS {
            return Ok(());
        }
        let mut kept: Vec<_> = self
            .0
            .iter()
            .filter(|key| key.action == KeyAction::Kept)
            .filter_map(|key| registered.find(&key.kid))
            .collect();
        // A key lives a year from its upload, so the first to expire is the oldest.
        kept.sort_by_key(|key| key.exp.map_or(i64::MAX, UnixTime::seconds));
        let candidates: Vec<_> = kept.iter().map(|key| candidate(key, now)).collect();
        let advice = match candidates.as_slice() {
            [] => "give fewer of the client's keys, see --key".to_owned(),
            _ => format!(
                "remove {} of these with --remove: {}",
                number - MAX_KEYS,
                candidates.join(", ")
            ),
        };
        Err(refused(format!(
            "{number} keys would be registered, and a client has at most {MAX_KEYS}; {advice}"
        )))
    }
}

/// What happens to a key that is registered.
fn changed(key: &RegisteredKey, wanted: &[WantedKey], remove: &[String]) -> Result<ChangedKey> {
    let wanted = wanted.iter().find(|wanted| wanted.kid == key.kid);
    let (action, jwk) = match wanted {
        Some(wanted) if key.public_key().as_ref() == Some(&wanted.key) => {
            (KeyAction::Renewed, wanted.jwk())
        }
        Some(wanted) => {
            return Err(refused(format!(
                "the kid \"{}\" is registered with another key than the client's ({}); \
                 choose another kid, and remove the registered key if nobody uses it",
                key.kid,
                wanted.key.thumbprint()
            )));
        }
        None if remove.contains(&key.kid) => (KeyAction::Removed, key.jwk.clone()),
        None => (KeyAction::Kept, complete(&key.jwk)),
    };
    Ok(ChangedKey {
        kid: key.kid.clone(),
        action,
        exp: key.exp,
        jwk,
    })
}

/// A registered key as it can be sent again: the API asks for `use` and `alg`
/// today, and did not always.
fn complete(jwk: &Map<String, Value>) -> Map<String, Value> {
    let mut jwk = jwk.clone();
    for (member, value) in [("use", "sig"), ("alg", Algorithm::RS256.name())] {
        jwk.entry(member).or_insert_with(|| value.into());
    }
    jwk
}

fn check_removals(
    registered: &RegisteredKeys,
    wanted: &[WantedKey],
    remove: &[String],
) -> Result<()> {
    for kid in remove {
        if registered.find(kid).is_none() {
            let kids: Vec<_> = registered.keys.iter().map(|key| key.kid.as_str()).collect();
            return Err(refused(format!(
                "there is no registered key \"{}\" to remove; registered: {}",
                kid.escape_debug(),
                match kids.is_empty() {
                    true => "none".to_owned(),
                    false => kids.join(", "),
                }
            )));
        }
        if wanted.iter().any(|key| key.kid == *kid) {
            return Err(refused(format!(
                "the key \"{kid}\" is one of the client's keys and is to be removed; \
                 take it out of the client's settings first, or choose the keys with --key"
            )));
        }
    }
    Ok(())
}

fn candidate(key: &RegisteredKey, now: UnixTime) -> String {
    match key.exp {
        Some(exp) if key.is_expired(now) => format!("{} (expired {exp})", key.kid),
        Some(exp) => format!("{} (expires {exp})", key.kid),
        None => key.kid.clone(),
    }
}

fn refused(problem: String) -> Error {
    Error::new(ErrorCode::InvalidArgument, problem)
}
