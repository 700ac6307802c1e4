//! What one check requires of a token.

use serde::{Deserialize, Deserializer};

use crate::error::{Error, ErrorCode, Result};
use crate::json::{self, Problem};
use crate::keys::OrgNumber;
use crate::person_id::PersonId;
use crate::profiles::Scope;

/// What a token must say for what its sender wants to do now. What is absent is not
/// required, but by the validator's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requirements {
    /// Scopes, all of which it must have; instead of the settings'.
    pub scopes: Option<Vec<Scope>>,
    /// Scopes, one of which is enough; beside the others.
    pub any_scope: Option<Vec<Scope>>,
    /// What its `aud` must be or have in it; instead of the settings'.
    pub audience: Option<String>,
    /// The organisation that it must be of (`consumer`).
    pub consumer: Option<OrgNumber>,
    /// The organisation that may act for the consumer.
    pub supplier: Supplier,
    /// Where the delegation must come from, such as `https://www.altinn.no/`. A final slash
    /// makes no difference. A token without delegation is refused.
    pub delegation_source: Option<String>,
    /// The person to whom it must be restricted (`pid`).
    pub pid: Option<PersonId>,
}

/// Who may act for the consumer (Maskinporten's delegation).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Supplier {
    /// Anybody to whom it delegated, or nobody. The member is absent in JSON.
    #[default]
    Any,
    /// Nobody: the token must not be delegated. `null` in JSON.
    None,
    /// This organisation, to which it must have delegated.
    Org(OrgNumber),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    scopes: Option<Vec<Scope>>,
    any_scope: Option<Vec<Scope>>,
    audience: Option<String>,
    consumer: Option<String>,
    #[serde(default, deserialize_with = "present")]
    supplier: Option<Option<String>>,
    delegation_source: Option<String>,
    pid: Option<PersonId>,
}

impl Requirements {
    /// From a JSON object with the members `scopes`, `any_scope`, `audience`, `consumer`,
    /// `supplier` (`null`: see [`Supplier::None`]), `delegation_source` and `pid`, all
    /// optional.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` naming the member at fault; values are not shown.
    pub fn from_json(text: &str) -> Result<Self> {
        let wire: Wire = json::from_object(text).map_err(|problem| match problem {
            Problem::Syntax { what, .. } => wrong(format_args!("are no JSON object: {what}")),
            Problem::Member { path, what } => {
                wrong(format_args!("are wrong at \"{path}\": {what}"))
            }
        })?;
        if wire.any_scope.as_ref().is_some_and(Vec::is_empty) {
            return Err(wrong("name no scope in \"any_scope\"; leave it out"));
        }
        if wire.audience.as_deref() == Some("") {
            return Err(wrong("have an empty \"audience\"; leave it out"));
        }
        Ok(Self {
            scopes: wire.scopes,
            any_scope: wire.any_scope,
            audience: wire.audience,
            consumer: organisation("consumer", wire.consumer)?,
            supplier: match wire.supplier {
                None => Supplier::Any,
                Some(supplier) => {
                    organisation("supplier", supplier)?.map_or(Supplier::None, Supplier::Org)
                }
            },
            delegation_source: wire.delegation_source,
            pid: wire.pid,
        })
    }
}

fn organisation(member: &str, number: Option<String>) -> Result<Option<OrgNumber>> {
    number
        .map(|number| number.parse())
        .transpose()
        .map_err(|error: Error| error.in_context(format_args!("the requirements' \"{member}\"")))
}

/// Tells a member that is `null` from one that is absent.
fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn wrong(problem: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorCode::InvalidArgument,
        format!("the requirements {problem}"),
    )
}
