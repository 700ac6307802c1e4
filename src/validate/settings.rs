//! The settings of one validator, as in `segl.toml`.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::binding::Binding;
use super::key_cache::KeyCache;
use super::key_source::KeySource;
use super::legacy_consent::{LegacyConsentSettings, LegacyConsents};
use crate::alg::Algorithm;
use crate::error::Result;
use crate::profiles::{
    Environment, Scope, about_setting, check_issuer, endpoint, maskinporten_issuer, metadata_of,
    setting_error,
};

/// Whose access tokens are accepted, and what is required of each. The same words in TOML, in
/// JSON through the C ABI, and in every binding; unknown ones are refused.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ValidatorSettings {
    /// Accepts Maskinporten's tokens of this environment. Excludes `issuer`.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// Accepts the tokens of another issuer: its issuer identifier, which `iss` must equal
    /// letter for letter.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Where the issuer's metadata (RFC 8414) are, which say where its keys are, when they are
    /// not where the issuer's should be. Excludes `jwks_uri`.
    #[serde(default)]
    pub metadata: Option<String>,
    /// Where the issuer's keys are (a JWK set, RFC 7517), without asking its metadata.
    #[serde(default)]
    pub jwks_uri: Option<String>,
    /// The signature algorithms that are accepted. Default `RS256`, `RS384` and `RS512`,
    /// which are Maskinporten's.
    #[serde(default)]
    pub algorithms: Vec<Algorithm>,
    /// How far the issuer's clock and this machine's may be apart, in seconds, 0 to 60.
    /// Default 10.
    #[serde(default)]
    pub leeway_seconds: Option<u32>,
    /// Scopes that every token must have, all of them, unless a check requires others.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// What `aud` of every token must be or have in it, unless a check requires another. A
    /// token without `aud` is refused then.
    #[serde(default)]
    pub audience: Option<String>,
    /// Accepts tokens without `aud`, or with "unspecified" for it (as Maskinporten's older
    /// ones), where an audience is required.
    #[serde(default)]
    pub allow_unspecified_audience: bool,
    /// The certificates (PEM) that the issuer's is checked against in TLS, instead of the
    /// operating system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Time for reading the issuer's keys once, metadata included, in milliseconds. Default
    /// 5,000.
    #[serde(default)]
    pub timeout_ms: Option<u32>,
    /// How old the issuer's keys may become, in seconds, 60 to 604,800. They are read anew
    /// before that, between checks, and used on while that fails. Default 86,400.
    #[serde(default)]
    pub jwks_max_age_seconds: Option<u32>,
    /// The signature algorithms of DPoP proofs that are accepted. Default all that segl knows.
    #[serde(default)]
    pub dpop_algorithms: Vec<Algorithm>,
    /// How old a DPoP proof may be, in seconds, 1 to 300, beside the leeway. Default 60. All
    /// proofs of so long are remembered.
    #[serde(default)]
    pub dpop_window_seconds: Option<u32>,
    /// Checks consent tokens of Altinn 2, which was shut down on 2026-06-19, beside access
    /// tokens. Left out, such a token is never taken.
    #[serde(default)]
    pub legacy_consent: Option<LegacyConsentSettings>,
}

/// Maskinporten signs with these, and no others
/// (docs.digdir.no, `maskinporten_protocol_token`).
const USUAL_ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];

/// As Altinn's platform allows (docs.altinn.studio).
const USUAL_LEEWAY: u32 = 10;

/// RFC 9449 section 11.1 leaves it open: seconds or minutes.
const USUAL_WINDOW: u32 = 60;

const USUAL_TIMEOUT: u32 = 5_000;

/// docs.digdir.no, `maskinporten_guide_apitilbyder`: keep the keys for about a day.
const USUAL_MAX_AGE: u32 = 24 * 3600;

impl ValidatorSettings {
    /// The issuer, and where its keys are.
    pub(super) fn issuer_and_keys(&self) -> Result<(String, KeySource)> {
        let issuer = self.issuer()?;
        let source = match (&self.jwks_uri, &self.metadata) {
            (Some(_), Some(_)) => {
                return Err(setting_error(
                    "jwks_uri",
                    "stands beside \"metadata\", which say where the keys are; leave one of them out",
                ));
            }
            (Some(url), None) => KeySource::Jwks(endpoint("jwks_uri", url)?),
            (None, metadata) => KeySource::Metadata {
                url: match metadata {
                    Some(url) => endpoint("metadata", url)?,
                    None => metadata_of(&issuer).map_err(|error| about_setting("issuer", error))?,
                },
                issuer: issuer.clone(),
            },
        };
        Ok((issuer, source))
    }

    fn issuer(&self) -> Result<String> {
        match (&self.issuer, self.environment) {
            (Some(issuer), None) if issuer.is_empty() => Err(setting_error(
                "issuer",
                "is empty; set what \"iss\" of the tokens has",
            )),
            (Some(issuer), None) => {
                check_issuer("issuer", issuer)?;
                Ok(issuer.clone())
            }
            (None, Some(environment)) => Ok(maskinporten_issuer(environment).to_owned()),
            (Some(_), Some(_)) => Err(setting_error(
                "environment",
                "stands beside \"issuer\"; set one of them: the environment is Maskinporten's",
            )),
            (None, None) => Err(setting_error(
                "environment",
                "is missing; set \"test\" or \"prod\" for Maskinporten's tokens, or \"issuer\"",
            )),
        }
    }

    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        match self.algorithms.as_slice() {
            [] => USUAL_ALGORITHMS.to_vec(),
            named => named.to_vec(),
        }
    }

    /// Seconds.
    pub(super) fn leeway(&self) -> Result<i64> {
        match self.leeway_seconds.unwrap_or(USUAL_LEEWAY) {
            seconds @ 0..=60 => Ok(seconds.into()),
            more => Err(setting_error(
                "leeway_seconds",
                format_args!("is {more}; at most 60 can be allowed, so set the clocks right"),
            )),
        }
    }

    pub(super) fn audience(&self) -> Result<Option<String>> {
        match self.audience.as_deref() {
            Some("") => Err(setting_error(
                "audience",
                "is empty; set what \"aud\" must be, or leave it out",
            )),
            audience => Ok(audience.map(str::to_owned)),
        }
    }

    /// What checks who sends tokens.
    pub(super) fn binding(&self) -> Result<Binding> {
        let window = match self.dpop_window_seconds.unwrap_or(USUAL_WINDOW) {
            seconds @ 1..=300 => i64::from(seconds),
            other => {
                return Err(setting_error(
                    "dpop_window_seconds",
                    format_args!("is {other}; 1 to 300 can be set"),
                ));
            }
        };
        let algorithms = match self.dpop_algorithms.as_slice() {
            [] => Algorithm::ALL.to_vec(),
            named => named.to_vec(),
        };
        Ok(Binding::new(algorithms, window, self.leeway()?))
    }

    /// What checks consent tokens of Altinn 2, if they are taken; `keys` has those at a place.
    pub(super) fn legacy_consents(
        &self,
        keys: impl FnOnce(KeySource) -> KeyCache,
    ) -> Result<Option<LegacyConsents>> {
        let leeway = self.leeway()?;
        let settings = self.legacy_consent.as_ref();
        settings
            .map(|settings| settings.consents(self.environment, leeway, keys))
            .transpose()
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.unwrap_or(USUAL_TIMEOUT).max(1).into())
    }

    pub(super) fn max_age(&self) -> Result<Duration> {
        match self.jwks_max_age_seconds.unwrap_or(USUAL_MAX_AGE) {
            seconds @ 60..=604_800 => Ok(Duration::from_secs(seconds.into())),
            other => Err(setting_error(
                "jwks_max_age_seconds",
                format_args!("is {other}; 60 to 604800 can be set"),
            )),
        }
    }
}
