//! What is registered at Maskinporten and, for delegations, system users and
//! consents, at Altinn.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Value;

use super::super::config::{optional_org_number, optional_org_numbers, org_number};
use super::super::dpop::{DpopConfig, DpopDefaults, DpopMode};
use super::super::key_set::{KeySet, RegisteredKey};
use super::super::trust::Certificates;
use crate::clock::UnixTime;
use crate::keys::OrgNumber;

/// A proof is ignored.
pub(in super::super) const DPOP: DpopDefaults = DpopDefaults {
    mode: DpopMode::Off,
    nonces: false,
};

/// Settings of the issuer.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in super::super) struct MaskinportenConfig {
    /// Most seconds from `iat` to `exp` of a grant.
    pub(super) max_lifetime: i64,
    pub(super) trusted_certificates: Certificates,
    pub(super) eseals: Eseals,
    pub(super) tolerated_claims: Vec<String>,
    #[serde(deserialize_with = "propagation_seconds")]
    pub(super) propagation_seconds: i64,
    pub(super) scopes: BTreeMap<String, Scope>,
    pub(super) clients: Vec<Client>,
    pub(in super::super) dpop: DpopConfig,
}

impl Default for MaskinportenConfig {
    fn default() -> Self {
        Self {
            max_lifetime: 120,
            trusted_certificates: Certificates::default(),
            eseals: Eseals::default(),
            tolerated_claims: Vec::new(),
            propagation_seconds: 0,
            scopes: BTreeMap::new(),
            clients: Vec::new(),
            dpop: DpopConfig::default(),
        }
    }
}

/// European eSeals.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Eseals {
    /// Who issues them.
    pub(super) trusted_certificates: Certificates,
}

/// A client in the self-service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Client {
    pub(in super::super) client_id: String,
    /// The organisation that owns it.
    #[serde(deserialize_with = "org_number")]
    pub(in super::super) orgno: OrgNumber,
    /// Registered keys. `None`: it sends an enterprise certificate.
    #[serde(default, deserialize_with = "registered_keys")]
    pub(in super::super) jwks: Option<KeySet>,
    pub(in super::super) scopes: Vec<String>,
    /// Seconds.
    #[serde(default = "default_lifetime", deserialize_with = "lifetime")]
    pub(in super::super) access_token_lifetime: i64,
    #[serde(default)]
    pub(super) delegations: Vec<Delegation>,
    #[serde(default)]
    pub(super) system_users: Vec<SystemUser>,
    #[serde(default)]
    pub(super) consents: Vec<Consent>,
}

impl Client {
    /// The client as the token endpoint knows it at `now`: without keys that were
    /// registered a moment ago and have not got there.
    pub(super) fn as_seen_at(&self, now: UnixTime) -> Cow<'_, Self> {
        let Some(keys) = self.jwks.as_ref().filter(|keys| keys.is_any_pending(now)) else {
            return Cow::Borrowed(self);
        };
        let mut client = self.clone();
        client.jwks = Some(keys.without_pending(now));
        Cow::Owned(client)
    }
}

/// `consumer` lets the client's organisation use `scopes` for it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delegation {
    #[serde(deserialize_with = "org_number")]
    pub(super) consumer: OrgNumber,
    pub(super) scopes: Vec<String>,
}

/// A system user of the organisation `orgno` for the client's system.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SystemUser {
    #[serde(deserialize_with = "org_number")]
    pub(super) orgno: OrgNumber,
    /// `None`: the orgno, as Altinn sets it.
    pub(super) external_ref: Option<String>,
    pub(super) systemuser_id: String,
    pub(super) system_id: String,
}

/// A consent that was given in Altinn 3.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Consent {
    pub(super) id: String,
    /// `urn:altinn:person:identifier-no:…` or
    /// `urn:altinn:organization:identifier-no:…`.
    pub(super) from: String,
    /// `None`: the client's organisation.
    #[serde(default, deserialize_with = "optional_org_number")]
    pub(super) to: Option<OrgNumber>,
    /// Seconds since 1970.
    pub(super) consented: i64,
    /// Seconds since 1970.
    pub(super) valid_to: i64,
    pub(super) consent_rights: Vec<Value>,
}

/// A scope, where it is not open to every consumer of Maskinporten.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in super::super) struct Scope {
    pub(super) integration_types: Vec<String>,
    /// Who has been granted access. `None`: everybody.
    #[serde(deserialize_with = "optional_org_numbers")]
    pub(super) consumers: Option<Vec<OrgNumber>>,
    /// Most seconds that a token lives.
    pub(super) at_max_age: Option<i64>,
    /// Its owner lets the holders of European eSeals have it.
    pub(super) eseals: bool,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            integration_types: vec!["maskinporten".to_owned()],
            consumers: None,
            at_max_age: None,
            eseals: false,
        }
    }
}

fn default_lifetime() -> i64 {
    120
}

fn lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let seconds = i64::deserialize(deserializer)?;
    if (1..=7200).contains(&seconds) {
        Ok(seconds)
    } else {
        Err(D::Error::custom(
            "access_token_lifetime is from 1 to 7200 seconds",
        ))
    }
}

fn propagation_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    u32::deserialize(deserializer).map(i64::from)
}

fn registered_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<KeySet>, D::Error> {
    let keys = KeySet::deserialize(deserializer)?;
    check_keys(&keys).map_err(D::Error::custom)?;
    Ok(Some(keys))
}

/// The rules of the self-service API: at most five RSA keys, each with `kid`,
/// `use` and `alg`.
pub(in super::super) fn check_keys(keys: &KeySet) -> Result<(), String> {
    if keys.len() > 5 {
        return Err("a client has at most 5 keys".to_owned());
    }
    keys.iter().try_for_each(check_key)
}

fn check_key(key: &RegisteredKey) -> Result<(), String> {
    let kid_is_plain = key
        .kid
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if key.kid.is_empty() || !kid_is_plain {
        return Err("a kid consists of letters, digits, '.', '_' and '-'".to_owned());
    }
    if key.key.kty() != "RSA" {
        return Err(format!("{key} is no RSA key; Maskinporten takes no other"));
    }
    if key.key_use.as_deref() != Some("sig") {
        return Err(format!("{key} needs \"use\":\"sig\""));
    }
    if !matches!(key.alg.as_deref(), Some("RS256" | "RS384" | "RS512")) {
        return Err(format!("{key} needs \"alg\": RS256, RS384 or RS512"));
    }
    Ok(())
}
