//! The settings of the services behind a client's tokens.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shared_cache_settings::SecretSetting;

/// The services whose APIs segl knows; `docs/services.md` has a section for each.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ServiceName {
    /// Bits' register of customer relationships (kundeforholdsregisteret).
    Kfr,
    /// Digdir's register of contact information (kontakt- og reservasjonsregisteret).
    Krr,
    /// Lånekassen's balance of student loans.
    Lanekassen,
    /// NAV's disability benefit and work assessment allowance.
    Nav,
    /// Skatteetaten's information with consent.
    Skatteetaten,
    /// The banks' account information for control (DSOP Control).
    DsopControl,
    /// Altinn: its own tokens, and requests for consent.
    Altinn,
    /// DNB's APIs behind access tokens.
    Dnb,
    /// DNB's currency rates.
    DnbCurrencies,
    /// DNB's accounts and payments for third parties (PSD2).
    DnbPsd2,
}

impl ServiceName {
    /// The name in configuration, for example `"dsop_control"`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kfr => "kfr",
            Self::Krr => "krr",
            Self::Lanekassen => "lanekassen",
            Self::Nav => "nav",
            Self::Skatteetaten => "skatteetaten",
            Self::DsopControl => "dsop_control",
            Self::Altinn => "altinn",
            Self::Dnb => "dnb",
            Self::DnbCurrencies => "dnb_currencies",
            Self::DnbPsd2 => "dnb_psd2",
        }
    }
}

/// Where a service is and what it wants to be sent, where that differs from what segl
/// knows.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ServiceSettings {
    /// The base URL, instead of that of the client's environment.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Headers by name, instead of or beside the service's usual ones. In a value,
    /// `{access_token}` and the placeholders that `docs/services.md` names for the service
    /// stand for what belongs there; an empty value leaves the header out.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Where the key is that some services want beside a token: `file:/ABSOLUTE/PATH` or
    /// `env:NAME`. It is `{api_key}` in `headers`.
    #[serde(default)]
    pub api_key: Option<SecretSetting>,
}

/// Shows the names of the headers only: somebody may have written a key into a value.
impl fmt::Debug for ServiceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceSettings")
            .field("base_url", &self.base_url)
            .field("headers", &self.headers.keys())
            .field("api_key", &self.api_key)
            .finish()
    }
}
