//! The consent that a request needs.

use serde::de::{Deserialize, Deserializer, Error as _};

use super::super::claims::Claims;
use super::super::refusal::insufficient;
use super::refusal::{other_giver, require_not_over, require_organisation};
use super::{Consent, Party, TYPE};
use crate::clock::UnixTime;
use crate::error::{ErrorCode, Result};

/// The action of Altinn's consents.
const ACTION: &str = "consent";

/// The consent that a token must have.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentRequirement {
    /// Whom the request is about: who must have given the consent.
    pub from: Party,
    /// Resources of Altinn's registry, for example
    /// `lanekassen_5498_1`. The consent must cover all of them.
    #[serde(deserialize_with = "at_least_one")]
    pub resources: Vec<String>,
    /// What must be allowed with them: `consent` if this is left out.
    pub action: Option<String>,
}

impl ConsentRequirement {
    /// The consent in the token, if it is what is required. `leeway` is in seconds, and counts for when it was given only.
    ///
    /// # Errors
    /// `CONSENT_MISSING`, `CONSENT_MALFORMED`, `CONSENT_ORGANISATION`, `CONSENT_GIVER`,
    /// `CONSENT_EXPIRED`, `CONSENT_RIGHT`.
    pub(in super::super) fn check(
        &self,
        claims: &Claims,
        now: UnixTime,
        leeway: i64,
    ) -> Result<Consent> {
        let consent = Consent::in_details(claims.authorization_details.as_deref())?.ok_or_else(|| {
            insufficient(
                ErrorCode::ConsentMissing,
                format!(
                    "the token has no consent ({TYPE} in authorization_details); the client must ask \
                     Maskinporten for it, with the consent's id"
                ),
            )
        })?;
        require_organisation(
            &consent.to,
            "the consent was given to",
            claims.consumer_number(),
        )?;
        if consent.from != self.from {
            return Err(other_giver());
        }
        require_time(&consent, now, leeway)?;
        let action = self.action.as_deref().unwrap_or(ACTION);
        let lacking = self
            .resources
            .iter()
            .find(|wanted| !consent.covers(wanted, action));
        match lacking {
            None => Ok(consent),
            Some(wanted) => Err(insufficient(
                ErrorCode::ConsentRight,
                format!(
                    "the consent does not cover \"{action}\" of the resource \"{wanted}\"; it covers {}",
                    consent.covered()
                ),
            )),
        }
    }
}

fn require_time(consent: &Consent, now: UnixTime, leeway: i64) -> Result<()> {
    if consent.consented > now.plus(leeway) {
        return Err(insufficient(
            ErrorCode::ConsentExpired,
            format!(
                "the consent was given at {}, which is in the future; look at this machine's clock",
                consent.consented
            ),
        ));
    }
    require_not_over(consent.valid_to, now)
}

/// Reads an array that is not empty.
pub(in super::super) fn at_least_one<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<T>, D::Error> {
    let items = Vec::<T>::deserialize(deserializer)?;
    match items.is_empty() {
        true => Err(D::Error::custom("name at least one")),
        false => Ok(items),
    }
}
