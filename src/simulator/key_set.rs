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
}

/// A JWK set: `{"keys": […]}`, the bare array that Maskinporten's web
/// self-service takes, or either as JSON text.
///
/// Each key needs a `kid` that is unique in the set. The additional member
/// `registered_at` (seconds since 1970) makes a key older than it is.
#[derive(Debug, Clone)]
pub(super) struct KeySet(Vec<RegisteredKey>);

impl KeySet {
    /// A set of one key.
    pub(super) fn of(key: RegisteredKey) -> Self {
        Self(vec![key])
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &RegisteredKey> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The key named `kid`.
    pub(super) fn find(&self, kid: &str) -> Option<&RegisteredKey> {
        self.0.iter().find(|key| key.kid == kid)
    }

    /// Adds `key`, in place of one with the same `kid`.
    pub(super) fn put(&mut self, key: RegisteredKey) {
        self.0.retain(|other| other.kid != key.kid);
        self.0.push(key);
    }

    /// Dates the keys that carry no date of their own.
    pub(super) fn stamp(&mut self, now: UnixTime) {
        for key in &mut self.0 {
            key.registered_at.get_or_insert(now);
        }
    }

    fn from_value(value: &Value) -> Result<Self, String> {
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
        let mut set = Self(Vec::new());
        for jwk in keys {
            let key = RegisteredKey::from_value(jwk)?;
            if set.find(&key.kid).is_some() {
                return Err(format!("two keys have the kid \"{}\"", key.kid));
            }
            set.0.push(key);
        }
        if set.0.is_empty() {
            return Err("the JWK set is empty".to_owned());
        }
        Ok(set)
    }
}

impl RegisteredKey {
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
