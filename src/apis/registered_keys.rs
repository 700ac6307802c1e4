//! The keys that a client has registered, as Digdir's administration API shows
//! them.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::clock::UnixTime;
use crate::keys::PublicJwk;

/// The set of a client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegisteredKeys {
    /// When the first set was registered, as the API writes it.
    pub created: Option<String>,
    /// When this set was registered, as the API writes it.
    pub last_updated: Option<String>,
    /// The keys, in the API's order.
    pub keys: Vec<RegisteredKey>,
}

/// One registered key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegisteredKey {
    /// Its identifier.
    pub kid: String,
    /// The members that make up a JWK, without what the API adds.
    pub jwk: Map<String, Value>,
    /// When the key stops working, if the API says so.
    pub exp: Option<UnixTime>,
}

impl RegisteredKey {
    /// The key itself; `None` when segl cannot use such a key.
    pub fn public_key(&self) -> Option<PublicJwk> {
        PublicJwk::from_json(&Value::Object(self.jwk.clone()).to_string()).ok()
    }

    /// True when the key has stopped working at `now`.
    pub fn is_expired(&self, now: UnixTime) -> bool {
        self.exp.is_some_and(|exp| exp <= now)
    }
}

impl RegisteredKeys {
    /// The key named `kid`.
    pub fn find(&self, kid: &str) -> Option<&RegisteredKey> {
        self.keys.iter().find(|key| key.kid == kid)
    }
}

/// Members of a JWK (RFC 7517 section 4, RFC 7518 section 6.3.1) that belong to
/// the key and not to its registration.
const JWK_MEMBERS: [&str; 12] = [
    "kty", "use", "key_ops", "alg", "kid", "n", "e", "x5u", "x5c", "x5t", "x5t#S256", "ext",
];

/// The API's answer; what it may leave out is optional.
#[derive(Deserialize)]
pub(super) struct Wire {
    created: Option<String>,
    last_updated: Option<String>,
    #[serde(default)]
    keys: Vec<Map<String, Value>>,
}

impl Wire {
    /// The set, or what is wrong with it. A key without `kid` is an error: it could
    /// not be told from others, and must not get lost.
    pub(super) fn into_keys(self) -> Result<RegisteredKeys, &'static str> {
        let read = |mut members: Map<String, Value>| -> Result<RegisteredKey, &'static str> {
            let kid = members.get("kid").and_then(Value::as_str);
            let kid = kid.ok_or("has a key without \"kid\"")?.to_owned();
            let exp = members.get("exp").and_then(seconds);
            members.retain(|name, value| JWK_MEMBERS.contains(&name.as_str()) && !value.is_null());
            Ok(RegisteredKey {
                kid,
                jwk: members,
                exp: exp.map(UnixTime::from_seconds),
            })
        };
        Ok(RegisteredKeys {
            created: self.created,
            last_updated: self.last_updated,
            keys: self.keys.into_iter().map(read).collect::<Result<_, _>>()?,
        })
    }
}

/// Seconds since 1970, as a number or as text.
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
