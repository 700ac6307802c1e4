//! What one token request asks for, beside the client's settings.

use std::str::FromStr;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::values::{PersonId, Scope};
use crate::error::{Error, ErrorCode, Result};
use crate::keys::OrgNumber;

/// One token request. Everything is optional; what is absent comes from the
/// client's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TokenRequest {
    /// Scopes, instead of the client's.
    pub scopes: Option<Vec<Scope>>,
    /// `resource` (RFC 8707), instead of the client's.
    pub resource: Option<Vec<String>>,
    /// The consumer on whose behalf the token is requested, instead of the
    /// client's (Maskinporten delegation).
    pub consumer_org: Option<OrgNumber>,
    /// The supplier's older way to name the consumer. Maskinporten has deprecated
    /// it; it excludes `consumer_org`.
    pub iss_onbehalfof: Option<String>,
    /// The person to whom the token is restricted (Maskinporten).
    pub pid: Option<PersonId>,
    /// Rich authorisation requests (RFC 9396).
    pub authorization_details: Vec<AuthorizationDetail>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    scopes: Option<Vec<Scope>>,
    resource: Option<Vec<String>>,
    consumer_org: Option<String>,
    iss_onbehalfof: Option<String>,
    pid: Option<String>,
    authorization_details: Option<Vec<Map<String, Value>>>,
}

impl TokenRequest {
    /// A request for these scopes.
    pub fn for_scopes(scopes: impl IntoIterator<Item = Scope>) -> Self {
        Self {
            scopes: Some(scopes.into_iter().collect()),
            ..Self::default()
        }
    }

    /// From a JSON object with the members `scopes`, `resource`, `consumer_org`,
    /// `iss_onbehalfof`, `pid` and `authorization_details`, all optional.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` naming the member at fault; values are not shown.
    pub fn from_json(json: &str) -> Result<Self> {
        // serde would take an array of the values for an object.
        if !json.trim_start().starts_with('{') {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "the token request is not a JSON object",
            ));
        }
        let deserializer = &mut serde_json::Deserializer::from_str(json);
        let wire: Wire = serde_path_to_error::deserialize(&mut *deserializer).map_err(|error| {
            Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "the token request is not valid at \"{}\" (line {} column {}); its members are scopes, resource, \
                     consumer_org, iss_onbehalfof, pid and authorization_details",
                    error.path(),
                    error.inner().line(),
                    error.inner().column()
                ),
            )
        })?;
        deserializer.end().map_err(|_| {
            Error::new(
                ErrorCode::InvalidArgument,
                "the token request has something behind its object",
            )
        })?;
        Ok(Self {
            scopes: wire.scopes,
            resource: wire.resource,
            consumer_org: wire.consumer_org.as_deref().map(str::parse).transpose()?,
            iss_onbehalfof: wire.iss_onbehalfof,
            pid: wire.pid.as_deref().map(PersonId::from_str).transpose()?,
            authorization_details: wire
                .authorization_details
                .into_iter()
                .flatten()
                .map(AuthorizationDetail::from_members)
                .collect::<Result<_>>()?,
        })
    }
}

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
        detail.insert("type".into(), "urn:altinn:systemuser".into());
        detail.insert(
            "systemuser_org".into(),
            json!({"authority": "iso6523-actorid-upis", "ID": format!("0192:{systemuser_org}")}),
        );
        if let Some(external_ref) = external_ref {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "æøåÆØÅ_-".contains(c);
            if external_ref.is_empty()
                || external_ref.chars().count() > 255
                || !external_ref.chars().all(allowed)
            {
                return Err(Error::new(
                    ErrorCode::InvalidArgument,
                    "externalRef must be 1 to 255 letters, digits, \"_\" and \"-\"",
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
        let refuse = |problem| Error::new(ErrorCode::InvalidArgument, problem);
        let id = uuid::Uuid::parse_str(id)
            .map_err(|source| refuse("the consent's id is not a UUID").with_source(source))?;
        let known = from
            .strip_prefix("urn:altinn:person:identifier-no:")
            .map(|person| person.parse::<PersonId>().is_ok())
            .or_else(|| {
                let org = from.strip_prefix("urn:altinn:organization:identifier-no:")?;
                Some(org.parse::<OrgNumber>().is_ok())
            });
        if known != Some(true) {
            return Err(refuse(
                "the consent's \"from\" must be urn:altinn:person:identifier-no:<11 digits> or \
                 urn:altinn:organization:identifier-no:<9 digits>",
            ));
        }
        let mut detail = Map::new();
        detail.insert("type".into(), "urn:altinn:consent".into());
        detail.insert("id".into(), id.to_string().into());
        detail.insert("from".into(), from.into());
        Ok(Self(detail))
    }

    /// Any other element.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` without a `type`.
    pub fn from_members(members: Map<String, Value>) -> Result<Self> {
        if members.get("type").is_some_and(Value::is_string) {
            return Ok(Self(members));
        }
        Err(Error::new(
            ErrorCode::InvalidArgument,
            "each element of authorization_details needs a \"type\" (RFC 9396 section 2)",
        ))
    }

    /// The element's members.
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// Shows the type only: the members may name a person.
impl std::fmt::Debug for AuthorizationDetail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthorizationDetail({})", self.0["type"])
    }
}
