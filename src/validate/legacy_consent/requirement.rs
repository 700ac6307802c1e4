//! The consent of Altinn 2 that a request needs.

use serde::Deserialize;

use super::super::consent::{
    Party, at_least_one, other_giver, require_not_over, require_organisation,
};
use super::super::refusal::insufficient;
use super::LegacyConsent;
use super::service::ServiceEdition;
use crate::clock::UnixTime;
use crate::error::{ErrorCode, Result};
use crate::keys::OrgNumber;
use crate::secret::Secret;

/// The consent token of Altinn 2 that must stand beside the access token.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegacyConsentRequirement {
    /// The consent token, as it came; quotation marks and apostrophes around it are taken
    /// off.
    #[serde(deserialize_with = "secret")]
    pub token: Secret,
    /// Whom the request is about: who must have given the consent (`OfferedBy`).
    pub from: Party,
    /// Services that the consent must cover, each as `CODE_EDITION`, for example `5498_1`.
    #[serde(deserialize_with = "at_least_one")]
    pub services: Vec<ServiceEdition>,
    /// The API saw this token before its `exp`, which is 30 seconds after it was made, and
    /// kept it: only the end of the consent counts. False if this is left out.
    #[serde(default)]
    pub cached: bool,
}

impl LegacyConsentRequirement {
    /// Requires `consent`, whose token is genuine, to be what is required.
    pub(super) fn require(
        &self,
        consent: &LegacyConsent,
        consumer: Option<&OrgNumber>,
        now: UnixTime,
    ) -> Result<()> {
        require_organisation(
            &consent.to,
            "the consent (CoveredBy) was given to",
            consumer,
        )?;
        if consent.from != self.from {
            return Err(other_giver());
        }
        require_not_over(consent.valid_to, now)?;
        match self.services.iter().find(|wanted| !consent.covers(wanted)) {
            None => Ok(()),
            Some(wanted) => {
                let covered: Vec<_> = consent.services().map(ToString::to_string).collect();
                Err(insufficient(
                    ErrorCode::ConsentRight,
                    format!(
                        "the consent does not cover the service {wanted}; it covers {}",
                        covered.join(", ")
                    ),
                ))
            }
        }
    }
}

impl PartialEq for LegacyConsentRequirement {
    fn eq(&self, other: &Self) -> bool {
        self.token.expose() == other.token.expose()
            && self.from == other.from
            && self.services == other.services
            && self.cached == other.cached
    }
}

impl Eq for LegacyConsentRequirement {}

fn secret<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Secret, D::Error> {
    // serde repeats a value of the wrong type in its error.
    let wrong = |_| serde::de::Error::custom("a consent token must be a text");
    let text = String::deserialize(deserializer).map_err(wrong)?;
    Ok(Secret::new(text.into_bytes()))
}
