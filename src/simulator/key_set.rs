//! Public keys that clients have registered.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;

use crate::clock::UnixTime;
use crate::keys::PublicJwk;

/// One registered key.
#[derive(Debug, Clone)]
pub(super) struct RegisteredKey {
    pub(super) kid: String,
    pub(super) key: PublicJwk,
    /// `use` of the JWK (RFC 7517 section 4.2).
    pub(super) key_use: Option<String>,
    /// `alg` of the JWK (RFC 7517 section 4.4).
    pub(super) alg: Option<String>,
    /// When the key was uploaded. `None` in what was read: at that moment.
    pub(super) registered_at: Option<UnixTime>,
    /// When the token endpoint learns of it. `None`: at once.
    pub(super) works_from: Option<UnixTime>,
}

/// A JWK set: `{"keys": […]}`, the bare array that Maskinporten's web
/// self-service takes, or either as JSON text.
///
/// Each key needs a `kid` that is unique in the set. The additional member
/// `registered_at` (seconds since 1970) makes a key older than it is.
#[derive(Debug, Clone)]
pub(super) struct KeySet {
    keys: Vec<RegisteredKey>,
    /// When the first set was uploaded.
    created: Option<UnixTime>,
    /// When this set was uploaded.
    last_updated: Option<UnixTime>,
}

impl KeySet {
    fn from_keys(keys: Vec<RegisteredKey>) -> Self {
        Self {
            keys,
            created: None,
            last_updated: None,
        }
    }

    /// A set of one key.
    pub(super) fn of(key: RegisteredKey) -> Self {
        Self::from_keys(vec![key])
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &RegisteredKey> {
        self.keys.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key named `kid`.
    pub(super) fn find(&self, kid: &str) -> Option<&RegisteredKey> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    /// Adds `key`, in place of one with the same `kid`.
    pub(super) fn put(&mut self, key: RegisteredKey) {
        self.keys.retain(|other| other.kid != key.kid);
        self.keys.push(key);
    }

    /// Dates the keys that carry no date of their own.
    pub(super) fn stamp(&mut self, now: UnixTime) {
        for key in &mut self.keys {
            key.registered_at.get_or_insert(now);
        }
        let dates = || self.keys.iter().filter_map(|key| key.registered_at);
        self.created = self.created.or(dates().min());
        self.last_updated = self.last_updated.or(dates().max());
    }

    /// This set as uploaded at `now` in the place of `before`. Every key gets a new
    /// life; one that was there before works on, others from `works_from`.
    pub(super) fn uploaded(
        mut self,
        before: Option<&Self>,
        now: UnixTime,
        works_from: UnixTime,
    ) -> Self {
        for key in &mut self.keys {
            let same = before
                .and_then(|before| before.find(&key.kid))
                .filter(|same| same.key == key.key);
            key.registered_at = Some(now);
            key.works_from = match same {
                Some(same) => same.works_from,
                None => Some(works_from),
            };
        }
        self.created = before.and_then(|before| before.created).or(Some(now));
        self.last_updated = Some(now);
        self
    }

    pub(super) fn created(&self) -> Option<UnixTime> {
        self.created
    }

    pub(super) fn last_updated(&self) -> Option<UnixTime> {
        self.last_updated
    }

    /// True when the token endpoint does not know of every key at `now`.
    pub(super) fn is_any_pending(&self, now: UnixTime) -> bool {
        self.keys.iter().any(|key| key.is_pending(now))
    }

    /// The keys that the token endpoint knows of at `now`.
    pub(super) fn without_pending(&self, now: UnixTime) -> Self {
        let mut known = self.clone();
        known.keys.retain(|key| !key.is_pending(now));
        known
    }

    /// Reads a set; the error says what is wrong with it.
    pub(super) fn from_value(value: &Value) -> Result<Self, String> {
        let keys = match value {
            Value::String(json) => {
                let parsed: Value = serde_json::from_str(json)
                    .map_err(|error| format!("the JWK set is not JSON: {error}"))?;
                return match parsed {
                    Value::String(_) => Err("the JWK set is a string within a string".to_owned()),
                    parsed => Self::from_value(&parsed),
                };
            }
            Value::Object(set) => set.get("keys").and_then(Value::as_array),
            Value::Array(keys) => Some(keys),
            _ => None,
        };
        let keys =
            keys.ok_or("a JWK set is {\"keys\": […]}, an array of keys, or either as text")?;
        let mut set = Self::from_keys(Vec::new());
        for jwk in keys {
            let key = RegisteredKey::from_value(jwk)?;
            if set.find(&key.kid).is_some() {
                return Err(format!("two keys have the kid \"{}\"", key.kid));
            }
            set.keys.push(key);
        }
        if set.keys.is_empty() {
            return Err("the JWK set is empty".to_owned());
        }
        Ok(set)
    }
}

impl RegisteredKey {
    fn is_pending(&self, now: UnixTime) -> bool {
        self.works_from.is_some_and(|from| now < from)
    }

    /// From a JWK with a `kid`.
    pub(super) fn from_value(jwk: &Value) -> Result<Self, String> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str).map(str::to_owned);
        let registered_at = match jwk.get("registered_at") {
            None => None,
            Some(seconds) => {
                Some(UnixTime::from_seconds(seconds.as_i64().ok_or(
                    "\"registered_at\" is not in whole seconds since 1970",
                )?))
            }
        };
        Ok(Self {
            key: PublicJwk::from_json(&jwk.to_string()).map_err(|error| error.to_string())?,
            kid: text("kid").ok_or("a key has no \"kid\"")?,
            key_use: text("use"),
            alg: text("alg"),
            registered_at,
            works_from: None,
        })
    }
}

impl<'de> Deserialize<'de> for KeySet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(&value).map_err(D::Error::custom)
    }
}

impl fmt::Display for RegisteredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key \"{}\"", self.kid)
    }
}
