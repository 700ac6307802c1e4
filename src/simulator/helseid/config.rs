//! What is registered at HelseID.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::super::client_assertion::AssertionTyp;
use super::super::dpop::{DpopConfig, DpopDefaults, DpopMode};
use super::super::key_set::KeySet;

/// Nobody gets a token without a proof, and each proof needs a nonce.
pub(in super::super) const DPOP: DpopDefaults = DpopDefaults {
    mode: DpopMode::Required,
    nonces: true,
};

/// Settings of the service.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in super::super) struct HelseidConfig {
    /// Most seconds from `iat` to `exp` of an assertion.
    #[serde(deserialize_with = "max_lifetime")]
    pub(super) max_lifetime: i64,
    pub(super) assertion_typ: AssertionTyp,
    #[serde(deserialize_with = "access_token_lifetime")]
    pub(super) access_token_lifetime: i64,
    pub(in super::super) dpop: DpopConfig,
    pub(super) clients: Vec<Client>,
}

impl Default for HelseidConfig {
    fn default() -> Self {
        Self {
            max_lifetime: 60,
            assertion_typ: AssertionTyp::ClientAuthentication,
            access_token_lifetime: 600,
            dpop: DpopConfig::default(),
            clients: Vec::new(),
        }
    }
}

/// A client in the self-service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Client {
    pub(in super::super) client_id: String,
    pub(super) jwks: KeySet,
    pub(super) scopes: Vec<String>,
}

fn max_lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    match i64::deserialize(deserializer)? {
        seconds @ 1..=60 => Ok(seconds),
        _ => Err(D::Error::custom("max_lifetime is from 1 to 60 seconds")),
    }
}

fn access_token_lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    match i64::deserialize(deserializer)? {
        seconds @ 1..=86_400 => Ok(seconds),
        _ => Err(D::Error::custom(
            "access_token_lifetime is from 1 to 86400 seconds",
        )),
    }
}
