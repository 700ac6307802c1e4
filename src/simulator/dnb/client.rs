//! What is registered at DNB.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::super::client_assertion::AssertionTyp;
use super::super::key_set::KeySet;
use super::certificate::{MutualTls, Thumbprint};
use super::currencies::CurrenciesConfig;
use super::psd2::Psd2Config;
use crate::alg::Algorithm;

/// The values of `aud` that DNB's own examples use.
const AUDIENCES: [&str; 2] = [
    "https://api.ciam.dnb.no/as/token.oauth2",
    "https://mtls.auth.dnb.no/as/token.oauth2",
];

/// `aud` of a registration JWT.
const REGISTRATION_AUDIENCE: &str = "https://api.ciam.dnb.no/clients/v1";

/// The scopes of account pre-validation.
const SCOPES: [&str; 2] = [
    "openbanking.prevalidation.norway:validate",
    "openbanking.prevalidation.international:validate",
];

/// Settings of the bank.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in super::super) struct DnbConfig {
    /// Accepted in a client assertion, besides the simulator's own URL.
    pub(super) audiences: Vec<String>,
    pub(super) registration_audience: String,
    /// Given to a client that registers with a JWT.
    pub(super) scopes: Vec<String>,
    pub(super) clients: Vec<Client>,
    /// `None`: over HTTPS only.
    pub(in super::super) mutual_tls: Option<MutualTls>,
    pub(super) assertion_typ: AssertionTyp,
    pub(super) currencies: CurrenciesConfig,
    pub(super) psd2: Psd2Config,
}

impl Default for DnbConfig {
    fn default() -> Self {
        Self {
            audiences: AUDIENCES.map(str::to_owned).to_vec(),
            registration_audience: REGISTRATION_AUDIENCE.to_owned(),
            scopes: SCOPES.map(str::to_owned).to_vec(),
            clients: Vec::new(),
            mutual_tls: None,
            assertion_typ: AssertionTyp::Any,
            currencies: CurrenciesConfig::default(),
            psd2: Psd2Config::default(),
        }
    }
}

/// A client, as the bank's people enter it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Client {
    pub(in super::super) client_id: String,
    #[serde(deserialize_with = "es256_keys")]
    pub(super) jwks: KeySet,
    pub(super) scopes: Vec<String>,
    /// The certificates that it may show. Empty: any that the bank accepts.
    #[serde(default)]
    pub(super) certificates: Vec<Thumbprint>,
}

fn es256_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<KeySet, D::Error> {
    let keys = KeySet::deserialize(deserializer)?;
    for key in keys.iter() {
        if !key.key.algorithms().contains(&Algorithm::ES256) {
            return Err(D::Error::custom(format!(
                "{key} is no P-256 key; DNB takes ES256 only"
            )));
        }
    }
    Ok(keys)
}
