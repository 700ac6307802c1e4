//! Whose consent tokens are accepted.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::key_cache::KeyCache;
use super::super::key_source::KeySource;
use super::LegacyConsents;
use crate::error::Result;
use crate::profiles::{Environment, endpoint, setting_error};

/// Consent tokens of Altinn 2, which was shut down on 2026-06-19. What is left out follows
/// from the validator's `environment`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LegacyConsentSettings {
    /// What `iss` of a consent token must be. Default `altinn.no`.
    #[serde(default)]
    pub issuer: Option<String>,
    /// A document whose member `jwks_uri` says where Altinn's keys are. Default
    /// `.well-known/oauth-authorization-server` of `www.altinn.no`, in test of
    /// `tt02.altinn.no`. Excludes `jwks_uri`.
    #[serde(default)]
    pub metadata: Option<String>,
    /// Where Altinn's keys are (a JWK set, RFC 7517).
    #[serde(default)]
    pub jwks_uri: Option<String>,
}

/// docs.altinn.studio, "Consent token".
const ISSUER: &str = "altinn.no";
const PROD: &str = "https://www.altinn.no/.well-known/oauth-authorization-server";
const TEST: &str = "https://tt02.altinn.no/.well-known/oauth-authorization-server";

impl LegacyConsentSettings {
    /// What checks consent tokens; `keys` has those at a place.
    ///
    /// # Errors
    /// `CONFIG` and `URL` naming the setting.
    pub(in super::super) fn consents(
        &self,
        environment: Option<Environment>,
        leeway: i64,
        keys: impl FnOnce(KeySource) -> KeyCache,
    ) -> Result<LegacyConsents> {
        let issuer = self.issuer.as_deref().unwrap_or(ISSUER);
        if issuer.is_empty() {
            return Err(setting_error(
                "legacy_consent.issuer",
                "is empty; leave it out for Altinn's",
            ));
        }
        let source = match (&self.jwks_uri, &self.metadata, environment) {
            (Some(_), Some(_), _) => {
                return Err(setting_error(
                    "legacy_consent.jwks_uri",
                    "stands beside \"metadata\", which says where the keys are; leave one of them out",
                ));
            }
            (Some(url), None, _) => KeySource::Jwks(endpoint("legacy_consent.jwks_uri", url)?),
            (None, Some(url), _) => KeySource::NamedIn(endpoint("legacy_consent.metadata", url)?),
            (None, None, Some(Environment::Prod)) => KeySource::NamedIn(PROD.parse()?),
            (None, None, Some(Environment::Test)) => KeySource::NamedIn(TEST.parse()?),
            (None, None, None) => {
                return Err(setting_error(
                    "legacy_consent.metadata",
                    "is missing; without \"environment\" set it to where Altinn's metadata are",
                ));
            }
        };
        Ok(LegacyConsents::new(issuer.to_owned(), keys(source), leeway))
    }
}
