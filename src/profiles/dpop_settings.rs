//! The settings of DPoP (RFC 9449), and which services have it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::choices::ProfileName;
use super::client_settings::{ClientSettings, KeySetting};
use super::setting_error;
use crate::error::Result;

/// Tokens that are bound to a key of the client (DPoP, RFC 9449): who steals one can
/// do nothing with it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DpopSettings {
    /// The URI of the private key that tokens are bound to, with its PIN source:
    /// `pkcs11:…` or `file:…`. Left out, the client's own key is used, which several
    /// `keys` do not allow.
    #[serde(default)]
    pub key: Option<KeySetting>,
    /// The algorithm of the proofs. Left out, that of the assertions when the key is
    /// the client's own, else the key's usual one.
    #[serde(default)]
    pub alg: Option<String>,
}

/// How the tokens of `settings` are bound to a key; `None` when they are not.
/// `is_wanted` turns it on where the settings do not say.
///
/// # Errors
/// `CONFIG` when the service has no DPoP.
pub fn dpop(settings: &ClientSettings, is_wanted: bool) -> Result<Option<DpopSettings>> {
    let asked = || match (&settings.dpop, is_wanted) {
        (Some(dpop), _) => Some(dpop.clone()),
        (None, true) => Some(DpopSettings::default()),
        (None, false) => None,
    };
    let profile = match settings.profile {
        // ID-porten's tokens come by the program's own requests, which need proofs too.
        ProfileName::Generic | ProfileName::Idporten => return Ok(asked()),
        // HelseID's security profile has no tokens without it.
        ProfileName::Helseid => return Ok(Some(settings.dpop.clone().unwrap_or_default())),
        ProfileName::Maskinporten => "maskinporten",
        ProfileName::Skyporten => "skyporten",
        ProfileName::Dnb => "dnb",
    };
    match asked() {
        None => Ok(None),
        Some(_) => Err(setting_error(
            "dpop",
            format_args!(
                "has no meaning for profile {profile}, whose service documents no DPoP; leave it out, and give no signer for it"
            ),
        )),
    }
}
