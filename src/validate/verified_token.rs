//! A token that passed every check.

use std::fmt;

use serde_json::{Value, json};
use zeroize::Zeroize;

use super::claims::{Claims, Confirmation};
use super::consent::Consent;
use super::jwt::malformed;
use super::legacy_consent::LegacyConsent;
use super::organisation::IssuedOrganisation;
use crate::clock::UnixTime;
use crate::error::Result;
use crate::json::PersonalJson;
use crate::person_id::PersonId;

/// A token that was signed by its issuer and passed every check that was asked for. It can't
/// be built from anything else.
pub struct VerifiedToken {
    claims: Claims,
    payload: Payload,
    consents: Consents,
}

/// The consents that were required and are there.
pub(super) struct Consents {
    pub(super) consent: Option<Consent>,
    pub(super) legacy: Option<LegacyConsent>,
}

impl VerifiedToken {
    pub(super) fn new(claims: Claims, payload: Payload, consents: Consents) -> Self {
        Self {
            claims,
            payload,
            consents,
        }
    }

    /// The issuer (`iss`).
    pub fn issuer(&self) -> &str {
        &self.claims.issuer
    }

    /// Until when it is valid (`exp`).
    pub fn expires_at(&self) -> UnixTime {
        self.claims.expires_at
    }

    /// When it was issued (`iat`).
    pub fn issued_at(&self) -> Option<UnixTime> {
        self.claims.issued_at
    }

    /// Its identifier (`jti`).
    pub fn id(&self) -> Option<&str> {
        self.claims.id.as_deref()
    }

    /// The client that it was issued to (`client_id`). Access is the consumer's, and not the
    /// client's.
    pub fn client_id(&self) -> Option<&str> {
        self.claims.client_id.as_deref()
    }

    /// How the client proved who it is (`client_amr`), such as `private_key_jwt`,
    /// `virksomhetssertifikat` or `QCForESeal`.
    pub fn client_amr(&self) -> Option<&str> {
        self.claims.client_amr.as_deref()
    }

    /// The scopes, one by one.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.claims.scopes()
    }

    /// True when `scope` is one of its scopes.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|own| own == scope)
    }

    /// Whom it is for (`aud`); none when it does not say.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.claims.audiences.iter().map(String::as_str)
    }

    /// The organisation whose access it is.
    pub fn consumer(&self) -> Option<&IssuedOrganisation> {
        self.claims.consumer.as_ref()
    }

    /// The organisation that acts for the consumer, which delegated that to it. Log it.
    pub fn supplier(&self) -> Option<&IssuedOrganisation> {
        self.claims.supplier.as_ref()
    }

    /// Where the delegation is registered, such as `https://www.altinn.no/`.
    pub fn delegation_source(&self) -> Option<&str> {
        self.claims.delegation_source.as_deref()
    }

    /// The person to whom it is restricted (`pid`).
    pub fn person(&self) -> Option<&PersonId> {
        self.claims.person.as_ref()
    }

    /// The key or the certificate that it is bound to (`cnf`).
    pub fn confirmation(&self) -> Option<&Confirmation> {
        self.claims.confirmation.as_ref()
    }

    /// `authorization_details` as they are (RFC 9396). They may name persons.
    pub fn authorization_details(&self) -> Option<&Value> {
        self.claims.authorization_details.as_deref()
    }

    /// The consent of Altinn in it, if one was required.
    pub fn consent(&self) -> Option<&Consent> {
        self.consents.consent.as_ref()
    }

    /// The consent of Altinn 2 beside it, if one was required.
    pub fn legacy_consent(&self) -> Option<&LegacyConsent> {
        self.consents.legacy.as_ref()
    }

    /// All of its claims as they were signed, a JSON object. They may name persons.
    pub fn payload(&self) -> &str {
        &self.payload.0
    }

    /// What it says, an object with the members `issuer`, `issued_at` and `expires_at` (seconds since
    /// 1970), `id`, `client_id`, `client_amr`, `scopes`, `audiences`, `consumer` and
    /// `supplier` (each with `authority`, `id` and `orgno`), `delegation_source`, `pid`,
    /// `consent` and `legacy_consent` where they were required, and all its claims as
    /// `claims`. What is absent is null, or an empty array. It names
    /// the person, if the token does.
    ///
    /// # Errors
    /// `ACCESS_TOKEN_MALFORMED` when a claim that segl does not know cannot be read.
    pub fn to_json(&self) -> Result<PersonalJson> {
        let claims: Value = serde_json::from_str(self.payload()).map_err(|_| {
            malformed("has claims, or members inside of them, that cannot be written as JSON")
        })?;
        // What is put into the object is copied there, and the person would stay in it.
        let claims = PersonalJson::from(claims);
        let organisation =
            |found: Option<&IssuedOrganisation>| found.map(IssuedOrganisation::to_json);
        Ok(PersonalJson::from(json!({
            "issuer": self.issuer(),
            "issued_at": self.issued_at().map(UnixTime::seconds),
            "expires_at": self.expires_at().seconds(),
            "id": self.id(),
            "client_id": self.client_id(),
            "client_amr": self.client_amr(),
            "scopes": self.scopes().collect::<Vec<_>>(),
            "audiences": self.audiences().collect::<Vec<_>>(),
            "consumer": organisation(self.consumer()),
            "supplier": organisation(self.supplier()),
            "delegation_source": self.delegation_source(),
            "pid": self.person().map(PersonId::expose),
            "consent": self.consent().map(Consent::to_json),
            "legacy_consent": self.legacy_consent().map(LegacyConsent::to_json),
            "claims": claims,
        })))
    }
}

/// Shows whose token it is, but no person.
impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("issuer", &self.issuer())
            .field("client_id", &self.client_id())
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}

/// The claims of a token as they were signed, wiped after use.
pub(super) struct Payload(String);

impl Payload {
    /// # Errors
    /// The bytes, wiped, when they are no UTF-8.
    pub(super) fn new(bytes: Vec<u8>) -> std::result::Result<Self, ()> {
        String::from_utf8(bytes)
            .map(Self)
            .map_err(|error| error.into_bytes().zeroize())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        // Whole words at a time, which `zeroize` does not do for bytes.
        bytes.fill(0);
        zeroize::optimization_barrier(bytes.as_slice());
    }
}
