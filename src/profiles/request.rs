//! What one token request asks for, beside the client's settings.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::authorization_detail::AuthorizationDetail;
use super::values::Scope;
use crate::error::{Error, ErrorCode, Result};
use crate::json;
use crate::keys::OrgNumber;
use crate::person_id::PersonId;

/// One token request. Everything is optional; what is absent comes from the
/// client's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TokenRequest {
    /// Scopes, instead of the client's.
    pub scopes: Option<Vec<Scope>>,
    /// `resource` (RFC 8707), instead of the client's.
    pub resource: Option<Vec<String>>,
    /// The consumer on whose behalf the token is requested (Maskinporten
    /// delegation).
    pub consumer_org: ConsumerOrg,
    /// The supplier's older way to name the consumer. Deprecated: Maskinporten is
    /// to remove it, and its use is logged as a warning. It excludes `consumer_org`.
    pub iss_onbehalfof: Option<String>,
    /// The person to whom the token is restricted (Maskinporten).
    pub pid: Option<PersonId>,
    /// Rich authorisation requests (RFC 9396).
    pub authorization_details: Vec<AuthorizationDetail>,
}

/// On whose behalf a token is requested.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum ConsumerOrg {
    /// As the client's setting `consumer_org` says. The member is absent in JSON.
    #[default]
    OfClient,
    /// The client's own organisation, whatever that setting says. `null` in JSON.
    Own,
    /// This organisation.
    Org(OrgNumber),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    scopes: Option<Vec<Scope>>,
    resource: Option<Vec<String>>,
    #[serde(default, deserialize_with = "present")]
    consumer_org: Option<Option<String>>,
    iss_onbehalfof: Option<String>,
    pid: Option<PersonId>,
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

    /// From a JSON object with the members `scopes`, `resource`, `consumer_org`
    /// (`null`: see [`ConsumerOrg::Own`]), `iss_onbehalfof` (deprecated), `pid` and
    /// `authorization_details`, all optional.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` naming the member at fault; values are not shown.
    pub fn from_json(json: &str) -> Result<Self> {
        let wire: Wire = json::from_object(json).map_err(|problem| {
            Error::new(
                ErrorCode::InvalidArgument,
                problem.told("the token request is"),
            )
        })?;
        Ok(Self {
            scopes: wire.scopes,
            resource: wire.resource,
            consumer_org: match wire.consumer_org {
                None => ConsumerOrg::OfClient,
                Some(None) => ConsumerOrg::Own,
                Some(Some(orgno)) => ConsumerOrg::Org(orgno.parse().map_err(|error: Error| {
                    error.in_context("the token request's \"consumer_org\"")
                })?),
            },
            iss_onbehalfof: wire.iss_onbehalfof,
            pid: wire.pid,
            authorization_details: wire
                .authorization_details
                .into_iter()
                .flatten()
                .map(AuthorizationDetail::from_members)
                .collect::<Result<_>>()?,
        })
    }
}

/// Tells a member that is `null` from one that is absent.
fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
