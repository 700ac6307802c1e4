//! Persons' consents, as Lånekassen, NAV and Skatteetaten check them: a token of Altinn 2
//! in a header of its own, or the consent in the access token (Altinn 3).

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::access_token::AccessToken;
use super::config::org_number;
use crate::clock::UnixTime;
use crate::keys::OrgNumber;
use crate::person_id::PersonId;

/// A table of `[[consents]]`: a consent whose token the services know.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Consent {
    /// The token as text; nothing in it is read.
    token: String,
    service: ConsentService,
    /// Whose consent it is.
    offered_by: PersonId,
    /// The organisation that has it.
    #[serde(deserialize_with = "org_number")]
    covered_by: OrgNumber,
    /// Seconds since 1970.
    valid_to: i64,
}

/// Whom a consent lets answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ConsentService {
    Lanekassen,
    Nav,
    Skatteetaten,
}

/// What a consent that is good says.
pub(super) struct Consented {
    pub(super) person: PersonId,
    pub(super) valid_to: UnixTime,
}

/// The consent of a request to `service`: by the token in its header, else by the access
/// token, if it is good and the access token's consumer has it; else what is wrong.
pub(super) fn check(
    known: &[Consent],
    service: ConsentService,
    header: Option<&str>,
    token: &AccessToken,
    now: UnixTime,
) -> Result<Consented, &'static str> {
    let (consent, organization) = match header {
        Some(text) => {
            let consent = known
                .iter()
                .find(|consent| consent.token == text && consent.service == service)
                .ok_or("the consent token is unknown")?;
            let consented = Consented {
                person: consent.offered_by.clone(),
                valid_to: UnixTime::from_seconds(consent.valid_to),
            };
            (consented, consent.covered_by.as_str())
        }
        None => in_access_token(token).ok_or("there is no consent")?,
    };
    if organization != token.consumer() {
        return Err("the consent is another organization's");
    }
    if now >= consent.valid_to {
        return Err("the consent has ended");
    }
    Ok(consent)
}

/// The one consent in `authorization_details`, and the organisation that has it.
fn in_access_token(token: &AccessToken) -> Option<(Consented, &str)> {
    let [consent] = token.authorization_details() else {
        return None;
    };
    let text = |name: &str| consent.get(name).and_then(Value::as_str);
    if text("type") != Some("urn:altinn:consent") {
        return None;
    }
    let from = text("from")?.strip_prefix("urn:altinn:person:identifier-no:")?;
    let to = consent.get("to")?.get("ID")?.as_str()?;
    let valid_to = OffsetDateTime::parse(text("validTo")?, &Rfc3339).ok()?;
    let consented = Consented {
        person: from.parse().ok()?,
        valid_to: UnixTime::from_seconds(valid_to.unix_timestamp()),
    };
    Some((consented, to.strip_prefix("0192:")?))
}
