//! What a token says, as it was signed.

use serde::Deserialize;

use super::binding::Bound;
use super::jwt::malformed;
use super::organisation::IssuedOrganisation;
use super::wire::{NumericDate, Object, Text, Texts};
use crate::clock::UnixTime;
use crate::error::{Error, Result};
use crate::json::unique::UniqueValue;
use crate::json::{self, PersonalJson};
use crate::keys::OrgNumber;
use crate::person_id::PersonId;

/// The claims that segl knows (docs.digdir.no, `maskinporten_protocol_token`; RFC 9068). Each,
/// and each member inside of them, is there once at most; others are ignored.
pub(super) struct Claims {
    pub(super) issuer: String,
    pub(super) expires_at: UnixTime,
    pub(super) issued_at: Option<UnixTime>,
    pub(super) not_before: Option<UnixTime>,
    /// `jti`.
    pub(super) id: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_amr: Option<String>,
    /// With single blanks between them.
    pub(super) scope: String,
    pub(super) audiences: Vec<String>,
    pub(super) consumer: Option<IssuedOrganisation>,
    pub(super) supplier: Option<IssuedOrganisation>,
    pub(super) delegation_source: Option<String>,
    pub(super) person: Option<PersonId>,
    pub(super) confirmation: Option<Confirmation>,
    /// `authorization_details`, as they are (RFC 9396). They may name persons.
    pub(super) authorization_details: Option<PersonalJson>,
}

/// What a token is bound to (`cnf`, RFC 7800).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Confirmation {
    /// The thumbprint of a DPoP key (RFC 9449 section 6.1).
    pub jkt: Option<String>,
    /// The SHA-256 thumbprint of a client certificate (RFC 8705 section 3.1), base64url.
    #[serde(rename = "x5t#S256")]
    pub x5t_s256: Option<String>,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    iss: Text<'a>,
    exp: NumericDate,
    iat: Option<NumericDate>,
    nbf: Option<NumericDate>,
    #[serde(borrow)]
    jti: Option<Text<'a>>,
    #[serde(borrow)]
    client_id: Option<Text<'a>>,
    #[serde(borrow)]
    client_amr: Option<Text<'a>>,
    #[serde(borrow)]
    scope: Option<Texts<'a>>,
    #[serde(borrow)]
    aud: Option<Texts<'a>>,
    #[serde(borrow)]
    consumer: Option<Object<WireOrganisation<'a>>>,
    #[serde(borrow)]
    supplier: Option<Object<WireOrganisation<'a>>>,
    #[serde(borrow)]
    delegation_source: Option<Text<'a>>,
    #[serde(borrow)]
    pid: Option<Text<'a>>,
    cnf: Option<Object<Confirmation>>,
    authorization_details: Option<UniqueValue>,
}

#[derive(Deserialize)]
struct WireOrganisation<'a> {
    #[serde(borrow)]
    authority: Text<'a>,
    #[serde(borrow, rename = "ID")]
    id: Text<'a>,
}

impl Claims {
    /// From the payload of a token.
    ///
    /// # Errors
    /// `ACCESS_TOKEN_MALFORMED` naming the claim; values are not shown.
    pub(super) fn from_json(payload: &str) -> Result<Self> {
        // serde would take an array of the values for an object.
        if !payload.starts_with('{') {
            return Err(malformed("has a payload that is not a JSON object"));
        }
        let wire: Wire<'_> = serde_json::from_str(payload).map_err(|error| {
            let problem = error.to_string();
            let problem = problem
                .rsplit_once(" at line ")
                .map_or(&*problem, |(p, _)| p);
            malformed(format_args!(
                "has claims that cannot be read: {}",
                json::without_value(problem)
            ))
        })?;
        Ok(Self {
            issuer: wire.iss.0.into_owned(),
            expires_at: time(wire.exp),
            issued_at: wire.iat.map(time),
            not_before: wire.nbf.map(time),
            id: text(wire.jti),
            client_id: text(wire.client_id),
            client_amr: text(wire.client_amr),
            scope: scope(wire.scope)?,
            audiences: audiences(wire.aud),
            consumer: organisation("consumer", wire.consumer)?,
            supplier: organisation("supplier", wire.supplier)?,
            delegation_source: text(wire.delegation_source),
            person: wire.pid.as_deref().map(person).transpose()?,
            confirmation: wire.cnf.map(|Object(confirmation)| confirmation),
            authorization_details: wire
                .authorization_details
                .map(|UniqueValue(value)| value.into()),
        })
    }

    /// What the token is bound to.
    pub(super) fn bound(&self) -> Bound<'_> {
        let confirmation = self.confirmation.as_ref();
        Bound {
            is_bound: confirmation.is_some(),
            jkt: confirmation.and_then(|bound| bound.jkt.as_deref()),
            x5t_s256: confirmation.and_then(|bound| bound.x5t_s256.as_deref()),
        }
    }

    /// The organisation number of the consumer, if it is a Norwegian organisation.
    pub(super) fn consumer_number(&self) -> Option<&OrgNumber> {
        self.consumer.as_ref()?.org_number()
    }

    pub(super) fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.split(' ').filter(|scope| !scope.is_empty())
    }
}

fn time(date: NumericDate) -> UnixTime {
    UnixTime::from_seconds(date.0)
}

fn text(text: Option<Text<'_>>) -> Option<String> {
    text.map(|text| text.0.into_owned())
}

fn scope(scope: Option<Texts<'_>>) -> Result<String> {
    match scope {
        None => Ok(String::new()),
        Some(Texts::One(scope)) => Ok(scope.into_owned()),
        // A blank in one of them would make it two.
        Some(Texts::Many(scopes)) if scopes.iter().any(|scope| scope.contains(' ')) => {
            Err(malformed("has a scope with a blank in it in an array"))
        }
        Some(Texts::Many(scopes)) => {
            let texts: Vec<&str> = scopes.iter().map(|scope| &**scope).collect();
            Ok(texts.join(" "))
        }
    }
}

fn audiences(aud: Option<Texts<'_>>) -> Vec<String> {
    match aud {
        None => Vec::new(),
        Some(Texts::One(audience)) => vec![audience.into_owned()],
        Some(Texts::Many(audiences)) => audiences
            .into_iter()
            .map(|audience| audience.0.into_owned())
            .collect(),
    }
}

fn organisation(
    claim: &str,
    wire: Option<Object<WireOrganisation<'_>>>,
) -> Result<Option<IssuedOrganisation>> {
    wire.map(|Object(wire)| IssuedOrganisation::parse(&wire.authority, &wire.id))
        .transpose()
        .map_err(|error| in_claim(claim, &error))
}

fn person(pid: &str) -> Result<PersonId> {
    pid.parse().map_err(|error| in_claim("pid", &error))
}

fn in_claim(claim: &str, error: &Error) -> Error {
    malformed(format_args!(
        "has a claim \"{claim}\" that cannot be read: {error}"
    ))
}
