//! What one check requires of a token.

use serde::{Deserialize, Deserializer};

use super::binding::{ClientCertificate, DpopRequirement, Shown};
use super::consent::ConsentRequirement;
use super::legacy_consent::LegacyConsentRequirement;
use crate::error::{Error, ErrorCode, Result};
use crate::json;
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
    /// The consent of Altinn that must be in it.
    pub consent: Option<ConsentRequirement>,
    /// The consent token of Altinn 2 that must stand beside it. The validator's setting
    /// `legacy_consent` must be there.
    pub legacy_consent: Option<LegacyConsentRequirement>,
    /// The DPoP proof of its sender. The token must be bound to the key that made it; a token
    /// that is bound to a key is refused without.
    pub dpop: Option<DpopRequirement>,
    /// The certificate that its sender showed in TLS. The token must be bound to it; a token
    /// that is bound to a certificate is refused without. Leave it out where senders show
    /// certificates that tokens are not bound to.
    pub client_certificate: Option<ClientCertificate>,
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
    #[serde(default, deserialize_with = "given")]
    scopes: Option<Vec<Scope>>,
    #[serde(default, deserialize_with = "given")]
    any_scope: Option<Vec<Scope>>,
    #[serde(default, deserialize_with = "given")]
    audience: Option<String>,
    #[serde(default, deserialize_with = "given")]
    consumer: Option<String>,
    #[serde(default, deserialize_with = "given")]
    supplier: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    delegation_source: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pid: Option<PersonId>,
    #[serde(default, deserialize_with = "given")]
    consent: Option<ConsentRequirement>,
    #[serde(default, deserialize_with = "given")]
    legacy_consent: Option<LegacyConsentRequirement>,
    #[serde(default, deserialize_with = "given")]
    dpop: Option<DpopRequirement>,
    #[serde(default, deserialize_with = "given")]
    client_certificate: Option<ClientCertificate>,
}

impl Requirements {
    /// From a JSON object with the members `scopes`, `any_scope`, `audience`, `consumer`,
    /// `supplier` (`null`: see [`Supplier::None`]), `delegation_source`, `pid`, `consent`,
    /// `legacy_consent`, `dpop` and `client_certificate`, all optional. No other than `supplier` may be
    /// `null`, and no list of scopes empty.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` naming the member at fault; values are not shown.
    pub fn from_json(text: &str) -> Result<Self> {
        let wire: Wire = json::from_object(text).map_err(|problem| {
            Error::new(
                ErrorCode::InvalidArgument,
                problem.told("the requirements are"),
            )
        })?;
        let requirements = Self {
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
            consent: wire.consent,
            legacy_consent: wire.legacy_consent,
            dpop: wire.dpop,
            client_certificate: wire.client_certificate,
        };
        requirements.require_something()?;
        Ok(requirements)
    }

    /// Refuses what is there and empty: a program that lost what it wanted to require must
    /// not have everything accepted, nor the settings' scopes switched off.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` naming the member.
    pub(super) fn require_something(&self) -> Result<()> {
        let resources = self.consent.as_ref().map(|consent| &consent.resources);
        let services = self.legacy_consent.as_ref();
        let services = services.map(|consent| &consent.services);
        let empty = [
            ("scopes", self.scopes.as_ref().is_some_and(Vec::is_empty)),
            (
                "any_scope",
                self.any_scope.as_ref().is_some_and(Vec::is_empty),
            ),
            ("consent.resources", resources.is_some_and(Vec::is_empty)),
            (
                "legacy_consent.services",
                services.is_some_and(Vec::is_empty),
            ),
            ("audience", self.audience.as_deref() == Some("")),
            (
                "delegation_source",
                self.delegation_source.as_deref() == Some(""),
            ),
        ];
        match empty.iter().find(|(_, is_empty)| *is_empty) {
            Some((member, _)) => Err(wrong(format_args!(
                "have an empty \"{member}\"; leave it out, or name something in it"
            ))),
            None => Ok(()),
        }
    }

    /// What the sender has shown.
    pub(super) fn shown(&self) -> Shown<'_> {
        Shown {
            dpop: self.dpop.as_ref(),
            certificate: self.client_certificate.as_ref(),
        }
    }
}

fn organisation(member: &str, number: Option<String>) -> Result<Option<OrgNumber>> {
    number
        .map(|number| number.parse())
        .transpose()
        .map_err(|error: Error| error.in_context(format_args!("the requirements' \"{member}\"")))
}

/// A member that is there. `null` is none but where the type has it: a program that lost what it
/// wanted to require must not have everything accepted.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn wrong(problem: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorCode::InvalidArgument,
        format!("the requirements {problem}"),
    )
}
