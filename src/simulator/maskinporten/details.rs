//! `authorization_details` (RFC 9396): Altinn's system users and consents.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::altinn::{Consents, Given};
use super::client::Client;
use super::errors::Refusal;
use crate::clock::UnixTime;
use crate::keys::OrgNumber;

/// The types that the metadata lists.
pub(super) const TYPES: [&str; 2] = ["urn:altinn:systemuser", "urn:altinn:consent"];

/// Checks what was asked for and gives what the access token says about it.
///
/// One element a request: Maskinporten takes one party or one consent.
pub(super) fn enrich(
    requested: &Value,
    client: &Client,
    consents: &Consents,
    consumer: &OrgNumber,
    now: UnixTime,
) -> Result<Value, Refusal> {
    let [element] = requested.as_array().map_or(&[][..], Vec::as_slice) else {
        return Err(Refusal::details_values("exactly one element is supported"));
    };
    let element = element.as_object().ok_or_else(Refusal::details_type)?;
    let granted = match element.get("type").and_then(Value::as_str) {
        Some("urn:altinn:systemuser") => system_user(element, client)?,
        Some("urn:altinn:consent") => consent(element, client, consents, consumer, now)?,
        _ => return Err(Refusal::details_type()),
    };
    Ok(json!([granted]))
}

/// An organisation as tokens name it (ISO 6523).
pub(super) fn organization(orgno: &OrgNumber) -> Value {
    json!({ "authority": "iso6523-actorid-upis", "ID": format!("0192:{orgno}") })
}

fn system_user(element: &Map<String, Value>, client: &Client) -> Result<Value, Refusal> {
    only(element, &["type", "systemuser_org", "externalRef"])?;
    let org = element
        .get("systemuser_org")
        .and_then(Value::as_object)
        .ok_or_else(|| Refusal::details_values("systemuser_org"))?;
    only(org, &["authority", "ID"])?;
    let orgno: OrgNumber = (org.get("authority").and_then(Value::as_str)
        == Some("iso6523-actorid-upis"))
    .then(|| org.get("ID")?.as_str()?.strip_prefix("0192:")?.parse().ok())
    .flatten()
    .ok_or_else(|| Refusal::details_values("systemuser_org"))?;
    let external_ref = match element.get("externalRef") {
        None => orgno.as_str(),
        Some(value) => value
            .as_str()
            .filter(|text| is_external_ref(text))
            .ok_or_else(|| Refusal::details_values("externalRef"))?,
    };
    let user = client
        .system_users
        .iter()
        .find(|user| {
            user.orgno == orgno
                && user.external_ref.as_deref().unwrap_or(user.orgno.as_str()) == external_ref
        })
        .ok_or_else(Refusal::customer_configuration)?;
    Ok(json!({
        "type": "urn:altinn:systemuser",
        "systemuser_id": [user.systemuser_id],
        "systemuser_org": organization(&orgno),
        "system_id": user.system_id,
    }))
}

fn consent(
    element: &Map<String, Value>,
    client: &Client,
    consents: &Consents,
    consumer: &OrgNumber,
    now: UnixTime,
) -> Result<Value, Refusal> {
    only(element, &["type", "id", "from"])?;
    let text = |name: &str| element.get(name).and_then(Value::as_str);
    let id = text("id")
        .filter(|id| Uuid::try_parse(id).is_ok())
        .ok_or_else(|| Refusal::details_values("id"))?;
    let from = text("from")
        .filter(|from| is_party(from))
        .ok_or_else(|| Refusal::details_values("from"))?;
    let consent = configured(client, id)
        .or_else(|| consents.given(id))
        .ok_or_else(|| Refusal::details_values("id"))?;
    if consent.from != from {
        return Err(Refusal::details_values("from"));
    }
    if consent.to != *consumer {
        return Err(Refusal::details_values("to is not the consumer"));
    }
    if now >= consent.valid_to {
        return Err(Refusal::details_values("validTo has passed"));
    }
    Ok(json!({
        "type": "urn:altinn:consent",
        "id": id,
        "from": consent.from,
        "to": organization(&consent.to),
        "consented": consent.consented.to_string(),
        "validTo": consent.valid_to.to_string(),
        "consentRights": consent.rights,
    }))
}

/// The client's own consent with this id.
fn configured(client: &Client, id: &str) -> Option<Given> {
    let consent = client.consents.iter().find(|consent| consent.id == id)?;
    Some(Given {
        from: consent.from.clone(),
        to: consent.to.as_ref().unwrap_or(&client.orgno).clone(),
        consented: UnixTime::from_seconds(consent.consented),
        valid_to: UnixTime::from_seconds(consent.valid_to),
        rights: consent.consent_rights.clone(),
    })
}

fn only(object: &Map<String, Value>, fields: &[&str]) -> Result<(), Refusal> {
    if object.keys().all(|name| fields.contains(&name.as_str())) {
        Ok(())
    } else {
        Err(Refusal::details_fields())
    }
}

fn is_external_ref(text: &str) -> bool {
    (1..=255).contains(&text.chars().count())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "æøåÆØÅ_-".contains(c))
}

fn is_party(urn: &str) -> bool {
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    urn.strip_prefix("urn:altinn:person:identifier-no:")
        .is_some_and(|pid| digits(pid, 11))
        || urn
            .strip_prefix("urn:altinn:organization:identifier-no:")
            .is_some_and(|orgno| digits(orgno, 9))
}
