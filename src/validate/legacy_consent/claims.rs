//! The claims of a consent token of Altinn 2.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use super::super::consent::{Party, malformed, unix_time};
use super::service::{ServiceEdition, Services, services};
use crate::clock::UnixTime;
use crate::error::{Error, Result};
use crate::json::PersonalJson;
use crate::keys::OrgNumber;

/// A consent given in Altinn 2. `Debug` shows no person.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LegacyConsent {
    /// `OfferedBy`: who gave it.
    pub from: Party,
    /// `CoveredBy`: the organisation that it was given to.
    pub to: OrgNumber,
    /// `HandledBy`: the organisation that asked for it instead.
    pub handled_by: Option<OrgNumber>,
    /// `ValidToDate`: the first second at which it is over.
    pub valid_to: UnixTime,
    services: Services,
}

impl LegacyConsent {
    /// The consent in the claims of a token.
    ///
    /// # Errors
    /// `CONSENT_MALFORMED`.
    pub(super) fn from_claims(claims: &Map<String, Value>) -> Result<Self> {
        Ok(Self {
            from: required(claims, "OfferedBy")?,
            to: required(claims, "CoveredBy")?,
            handled_by: optional(claims, "HandledBy")?,
            valid_to: valid_to(claims)?,
            services: services(
                claims
                    .get("Services")
                    .ok_or_else(|| malformed("\"Services\" is missing"))?,
            )?,
        })
    }

    /// The services that it covers.
    pub fn services(&self) -> impl Iterator<Item = &ServiceEdition> {
        self.services.keys()
    }

    /// True when it covers `service`.
    pub fn covers(&self, service: &ServiceEdition) -> bool {
        self.services.contains_key(service)
    }

    /// A parameter of a service, for example `Navn`. Whether it fits the request is for the
    /// API to decide.
    pub fn parameter(&self, service: &ServiceEdition, name: &str) -> Option<&str> {
        self.services
            .get(service)?
            .get(name)
            .map(|value| value.as_str())
    }

    /// As JSON. It names the person who gave it.
    pub fn to_json(&self) -> PersonalJson {
        let services: BTreeMap<_, _> = self
            .services
            .iter()
            .map(|(service, parameters)| (service.to_string(), parameters))
            .collect();
        let mut object = json!({
            "from": self.from.to_urn().as_str(),
            "to": self.to.as_str(),
            "validTo": self.valid_to.to_string(),
            "services": services,
        });
        if let Some(handled_by) = &self.handled_by {
            object["handledBy"] = handled_by.as_str().into();
        }
        object.into()
    }
}

/// `ValidToDate`, which prose calls `ValidTo`. When both are there, the earlier one counts.
fn valid_to(claims: &Map<String, Value>) -> Result<UnixTime> {
    let mut earliest: Option<UnixTime> = None;
    for name in ["ValidToDate", "ValidTo"] {
        if let Some(value) = given(claims, name) {
            let time = unix_time(value).ok_or_else(|| {
                malformed(format!(
                    "\"{name}\" is neither seconds since 1970 nor a time of RFC 3339 with its offset"
                ))
            })?;
            earliest = Some(earliest.map_or(time, |known| known.min(time)));
        }
    }
    earliest.ok_or_else(|| malformed("\"ValidToDate\" is missing"))
}

fn required<T: std::str::FromStr<Err = Error>>(
    claims: &Map<String, Value>,
    name: &str,
) -> Result<T> {
    optional(claims, name)?.ok_or_else(|| malformed(format!("\"{name}\" is missing")))
}

fn optional<T: std::str::FromStr<Err = Error>>(
    claims: &Map<String, Value>,
    name: &str,
) -> Result<Option<T>> {
    let Some(value) = given(claims, name) else {
        return Ok(None);
    };
    let text = value
        .as_str()
        .ok_or_else(|| malformed(format!("\"{name}\" is no text")))?;
    text.parse()
        .map(Some)
        .map_err(|error: Error| malformed(format!("\"{name}\": {}", error.message())))
}

/// Altinn writes empty claims for what there is not.
fn given<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let is_nothing = |value: &Value| value.is_null() || value.as_str() == Some("");
    claims.get(name).filter(|value| !is_nothing(value))
}

impl fmt::Debug for LegacyConsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LegacyConsent(to {} until {}:", self.to, self.valid_to)?;
        for service in self.services() {
            write!(f, " {service}")?;
        }
        f.write_str(")")
    }
}
