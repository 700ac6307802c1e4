//! Altinn's consent inside a Maskinporten token (docs.digdir.no, "Samtykketoken i
//! Maskinporten"; docs.altinn.studio, "Validate consent tokens").

mod party;
mod read;
mod refusal;
mod requirement;
mod time;

use std::fmt;

use serde_json::{Value, json};

pub use party::Party;
pub use requirement::ConsentRequirement;

pub(super) use refusal::{malformed, other_giver, require_not_over, require_organisation};
pub(super) use requirement::at_least_one;
pub(super) use time::unix_time;

use super::refusal::shown;
use crate::clock::UnixTime;
use crate::error::Result;
use crate::json::PersonalJson;
use crate::keys::OrgNumber;

/// The type of the element in `authorization_details`.
const TYPE: &str = "urn:altinn:consent";

/// As early pages of Altinn's documentation have it. No issued token was seen with it.
const MISSPELT_TYPE: &str = "urn:altinn:concent";

/// A consent that somebody gave to an organisation. `Debug` shows no person.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Consent {
    /// Its UUID at Altinn.
    pub id: String,
    /// Who gave it.
    pub from: Party,
    /// The organisation that it was given to.
    pub to: OrgNumber,
    /// When it was given.
    pub consented: UnixTime,
    /// The first second at which it is over.
    pub valid_to: UnixTime,
    /// What it covers.
    pub rights: Vec<ConsentRight>,
}

/// One element of `consentRights`.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ConsentRight {
    /// What may be done.
    pub actions: Vec<String>,
    /// With which resources of Altinn's registry.
    pub resources: Vec<String>,
    /// What narrows it down, an object, for example `{"inntektsaar": "2022"}`. Altinn has it
    /// as it was asked for, so it may name a person. Whether that fits the
    /// request is for the API to decide.
    pub metadata: PersonalJson,
}

impl Consent {
    /// The one consent in `authorization_details`, if there is one.
    ///
    /// # Errors
    /// `CONSENT_MALFORMED` when there are several, or a member is missing or wrong.
    pub fn in_details(details: Option<&Value>) -> Result<Option<Self>> {
        let elements = match details {
            None => return Ok(None),
            Some(Value::Array(elements)) => elements.as_slice(),
            Some(_) => return Err(malformed("authorization_details is not an array")),
        };
        let of_type = |name: &'static str| {
            elements
                .iter()
                .filter(move |element| element.get("type").and_then(Value::as_str) == Some(name))
        };
        if of_type(MISSPELT_TYPE).next().is_some() {
            return Err(malformed(format!(
                "its type is \"{MISSPELT_TYPE}\", which is a misspelling of \"{TYPE}\" and not taken"
            )));
        }
        let mut consents = of_type(TYPE);
        match (consents.next(), consents.next()) {
            (None, _) => Ok(None),
            (Some(Value::Object(members)), None) => read::consent(members).map(Some),
            _ => Err(malformed("there is more than one")),
        }
    }

    /// True when `action` is allowed with `resource`.
    pub fn covers(&self, resource: &str, action: &str) -> bool {
        let has = |texts: &[String], wanted| texts.iter().any(|text| text == wanted);
        self.rights
            .iter()
            .any(|right| has(&right.resources, resource) && has(&right.actions, action))
    }

    /// As JSON, with the names that a token has, and `metadata` always spelt so. It names
    /// the person who gave it.
    pub fn to_json(&self) -> PersonalJson {
        let rights: Vec<_> = self
            .rights
            .iter()
            .map(|right| {
                PersonalJson::from(json!({
                    "action": right.actions,
                    "resource": right.resources,
                    "metadata": right.metadata,
                }))
            })
            .collect();
        PersonalJson::from(json!({
            "id": self.id,
            "from": self.from.to_urn().as_str(),
            "to": self.to.as_str(),
            "consented": self.consented.to_string(),
            "validTo": self.valid_to.to_string(),
            "consentRights": rights,
        }))
    }

    /// What it covers, for messages.
    fn covered(&self) -> String {
        let mut names = Vec::new();
        for right in &self.rights {
            let actions = shown(&right.actions.join(", "));
            for resource in &right.resources {
                names.push(format!("\"{actions}\" of \"{}\"", shown(resource)));
            }
        }
        match names.len() {
            0 => "nothing".to_owned(),
            1..=10 => names.join(", "),
            _ => format!("{} and more", names[..10].join(", ")),
        }
    }
}

/// Shows neither who gave it nor what narrows it down.
impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Consent({} to {} until {}: {})",
            shown(&self.id),
            self.to,
            self.valid_to,
            self.covered()
        )
    }
}

impl fmt::Debug for ConsentRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ConsentRight({:?} of {:?})",
            self.actions, self.resources
        )
    }
}
