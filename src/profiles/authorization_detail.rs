//! Elements of `authorization_details` (RFC 9396): those of Altinn are checked as
//! Maskinporten checks them (docs.digdir.no, "Systembruker"; docs.altinn.studio,
//! "Samtykke"), others go as they are.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::error::{Error, ErrorCode, Result};
use crate::keys::OrgNumber;
use crate::person_id::PersonId;

const SYSTEM_USER: &str = "urn:altinn:systemuser";
const CONSENT: &str = "urn:altinn:consent";

/// How organisations are named (ISO 6523).
const AUTHORITY: &str = "iso6523-actorid-upis";
const ORGANISATION: &str = "0192:";

/// One element of `authorization_details` (RFC 9396 section 2).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AuthorizationDetail(Map<String, Value>);

impl AuthorizationDetail {
    /// A system user of Altinn (`urn:altinn:systemuser`) that belongs to
    /// `systemuser_org`. `external_ref` is at most 255 letters, digits, `_` and `-`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for another `external_ref`.
    pub fn system_user(systemuser_org: &OrgNumber, external_ref: Option<&str>) -> Result<Self> {
        let mut detail = Map::new();
        detail.insert("type".into(), SYSTEM_USER.into());
        detail.insert(
            "systemuser_org".into(),
            json!({"authority": AUTHORITY, "ID": format!("{ORGANISATION}{systemuser_org}")}),
        );
        if let Some(external_ref) = external_ref {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "æøåÆØÅ_-".contains(c);
            if external_ref.is_empty()
                || external_ref.chars().count() > 255
                || !external_ref.chars().all(allowed)
            {
                return Err(refused(
                    "externalRef must be 1 to 255 letters (a to z, æ, ø, å), digits, \"_\" and \"-\"",
                ));
            }
            detail.insert("externalRef".into(), external_ref.into());
        }
        Ok(Self(detail))
    }

    /// A consent given in Altinn (`urn:altinn:consent`): its UUID and who gave it,
    /// as `urn:altinn:person:identifier-no:…` or
    /// `urn:altinn:organization:identifier-no:…`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when `id` is no UUID or `from` no such URN.
    pub fn consent(id: &str, from: &str) -> Result<Self> {
        let id = uuid::Uuid::parse_str(id)
            .map_err(|_| refused("the consent's \"id\" is not a UUID; copy it from Altinn"))?;
        let known = from
            .strip_prefix("urn:altinn:person:identifier-no:")
            .map(|person| person.parse::<PersonId>().is_ok())
            .or_else(|| {
                let org = from.strip_prefix("urn:altinn:organization:identifier-no:")?;
                Some(org.parse::<OrgNumber>().is_ok())
            });
        if known != Some(true) {
            return Err(refused(
                "the consent's \"from\" must be urn:altinn:person:identifier-no:<11 digits> or \
                 urn:altinn:organization:identifier-no:<9 digits>",
            ));
        }
        let mut detail = Map::new();
        detail.insert("type".into(), CONSENT.into());
        detail.insert("id".into(), id.to_string().into());
        detail.insert("from".into(), from.into());
        Ok(Self(detail))
    }

    /// An element from its JSON members. Those of the types `urn:altinn:systemuser`
    /// and `urn:altinn:consent` are checked as [`AuthorizationDetail::system_user`]
    /// and [`AuthorizationDetail::consent`] do; of other types only `type` is.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` without a `type`, or when a member of those two is
    /// missing, unknown or wrong. Values are not shown.
    pub fn from_members(members: Map<String, Value>) -> Result<Self> {
        match members.get("type").and_then(Value::as_str) {
            Some(SYSTEM_USER) => {
                only(
                    SYSTEM_USER,
                    &members,
                    &["type", "systemuser_org", "externalRef"],
                )?;
                let org = members.get("systemuser_org").and_then(Value::as_object);
                let org = organisation(org.ok_or_else(wrong_organisation)?)?;
                Self::system_user(&org, optional_text(&members, "externalRef")?)
            }
            Some(CONSENT) => {
                only(CONSENT, &members, &["type", "id", "from"])?;
                let text = |name| {
                    optional_text(&members, name)?
                        .ok_or_else(|| refused(format!("{CONSENT} needs \"{name}\"")))
                };
                Self::consent(text("id")?, text("from")?)
            }
            Some(_) => Ok(Self(members)),
            None => Err(refused(
                "each element of authorization_details needs a \"type\" (RFC 9396 section 2)",
            )),
        }
    }

    /// The element's members.
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// True for a type of which Maskinporten takes one element a request.
    pub(super) fn stands_alone(&self) -> bool {
        matches!(self.0["type"].as_str(), Some(SYSTEM_USER | CONSENT))
    }
}

/// Shows the type only: the members may name a person.
impl fmt::Debug for AuthorizationDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorizationDetail({})", self.0["type"])
    }
}

/// `{"authority":"iso6523-actorid-upis","ID":"0192:<orgno>"}`
fn organisation(members: &Map<String, Value>) -> Result<OrgNumber> {
    only("systemuser_org", members, &["authority", "ID"])?;
    let text = |name| members.get(name).and_then(Value::as_str);
    let id = text("ID").and_then(|id| id.strip_prefix(ORGANISATION));
    match (text("authority"), id) {
        (Some(AUTHORITY), Some(orgno)) => orgno
            .parse()
            .map_err(|error: Error| error.in_context("\"systemuser_org\"")),
        _ => Err(wrong_organisation()),
    }
}

fn wrong_organisation() -> Error {
    refused(format!(
        "{SYSTEM_USER} needs \"systemuser_org\" as \
         {{\"authority\":\"{AUTHORITY}\",\"ID\":\"{ORGANISATION}<9 digits>\"}}"
    ))
}

fn optional_text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(refused(format!("\"{name}\" must be a text"))),
    }
}

fn only(what: &str, members: &Map<String, Value>, known: &[&str]) -> Result<()> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(_) => Err(refused(format!(
            "{what} has a member that it does not know; it has {}",
            known.join(", ")
        ))),
    }
}

fn refused(problem: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidArgument, problem).in_context("authorization_details")
}
