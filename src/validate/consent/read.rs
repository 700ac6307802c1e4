//! The members of a consent.

use serde_json::{Map, Value};

use super::refusal::malformed;
use super::time::unix_time;
use super::{Consent, ConsentRight, Party};
use crate::clock::UnixTime;
use crate::error::{Error, Result};
use crate::json::PersonalJson;
use crate::keys::OrgNumber;

/// The type of a resource.
const RESOURCE: &str = "urn:altinn:resource";

/// How tokens name organisations (ISO 6523).
const AUTHORITY: &str = "iso6523-actorid-upis";
const ICD: &str = "0192:";

/// A consent from the members of its element.
pub(super) fn consent(members: &Map<String, Value>) -> Result<Consent> {
    let id = text(members, "id")?;
    if uuid::Uuid::try_parse(id).is_err() {
        return Err(malformed("\"id\" is no UUID"));
    }
    let party = |error: Error| malformed(format!("\"from\": {}", error.message()));
    let rights = members
        .get("consentRights")
        .and_then(Value::as_array)
        .ok_or_else(|| malformed("\"consentRights\" is missing or no array"))?;
    Ok(Consent {
        id: id.to_owned(),
        from: text(members, "from")?.parse().map_err(party)?,
        to: organisation(members.get("to"))?,
        consented: time(members, "consented")?,
        valid_to: time(members, "validTo")?,
        rights: rights.iter().map(right).collect::<Result<_>>()?,
    })
}

fn right(value: &Value) -> Result<ConsentRight> {
    let right = value
        .as_object()
        .ok_or_else(|| malformed("\"consentRights\" has an element that is no object"))?;
    let actions = match right.get("action") {
        Some(Value::String(action)) => vec![action.clone()],
        Some(Value::Array(actions)) => actions
            .iter()
            .map(|action| action.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| malformed("an \"action\" is no text"))?,
        _ => return Err(malformed("\"action\" is missing in \"consentRights\"")),
    };
    let resources = right
        .get("resource")
        .and_then(Value::as_array)
        .ok_or_else(|| malformed("\"resource\" is missing in \"consentRights\" or no array"))?;
    Ok(ConsentRight {
        actions,
        resources: resources
            .iter()
            .map(resource)
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect(),
        metadata: metadata(right)?,
    })
}

/// The name of a resource of the registry; none for another kind of resource, which can
/// be no answer to what is required.
fn resource(value: &Value) -> Result<Option<String>> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    match (text("type"), text("value")) {
        (Some(RESOURCE), Some(value)) => Ok(Some(value.to_owned())),
        (Some(_), Some(_)) => Ok(None),
        _ => Err(malformed("a \"resource\" lacks \"type\" or \"value\"")),
    }
}

/// Altinn's pages spell it in both ways.
fn metadata(right: &Map<String, Value>) -> Result<PersonalJson> {
    let is_given = |name| right.get(name).filter(|value| !value.is_null());
    match (is_given("metadata"), is_given("metaData")) {
        (None, None) => Ok(Value::Object(Map::new()).into()),
        (Some(metadata @ Value::Object(_)), None) | (None, Some(metadata @ Value::Object(_))) => {
            Ok(metadata.clone().into())
        }
        (Some(_), Some(_)) => Err(malformed("both \"metadata\" and \"metaData\" are there")),
        _ => Err(malformed("\"metadata\" is no object")),
    }
}

/// An organisation as tokens name it (ISO 6523), or as Altinn's first pages did.
fn organisation(value: Option<&Value>) -> Result<OrgNumber> {
    let wrong = || malformed("\"to\" names no Norwegian organisation");
    let orgno = match value.ok_or_else(|| malformed("\"to\" is missing"))? {
        Value::Object(to) => {
            let text = |name: &str| to.get(name).and_then(Value::as_str);
            let is_known = text("authority") == Some(AUTHORITY);
            text("ID")
                .filter(|_| is_known)
                .and_then(|id| id.strip_prefix(ICD)?.parse().ok())
        }
        Value::String(urn) => match urn.parse() {
            Ok(Party::Organisation(orgno)) => Some(orgno),
            _ => None,
        },
        _ => None,
    };
    orgno.ok_or_else(wrong)
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str> {
    let value = members.get(name).and_then(Value::as_str);
    value.ok_or_else(|| malformed(format!("\"{name}\" is missing or no text")))
}

fn time(members: &Map<String, Value>, name: &str) -> Result<UnixTime> {
    let value = members
        .get(name)
        .ok_or_else(|| malformed(format!("\"{name}\" is missing")))?;
    unix_time(value).ok_or_else(|| {
        malformed(format!(
            "\"{name}\" is no time of RFC 3339 with its offset, nor one in seconds since 1970"
        ))
    })
}
