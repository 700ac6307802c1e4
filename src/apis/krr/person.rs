//! What KRR knows of a person (docs.digdir.no, `krr_attributter` and
//! `oppslagstjenesten_rest`).

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::code::{Language, NotificationStatus, Reservation, Status};
use crate::apis::timestamp::Timestamp;
use crate::clock::UnixTime;
use crate::person_id::PersonId;

/// Contact information may be used to notify of decisions while it was changed or
/// verified within so many months (eForvaltningsforskriften § 32, docs.digdir.no
/// `krr_18mnd`).
const CURRENT_MONTHS: u8 = 18;

/// One person in KRR. Which members are there depends on the scopes of the token: each
/// gives the identifier and the reservation. Serialises with the register's own names.
///
/// `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Person {
    /// `personidentifikator`.
    #[serde(rename = "personidentifikator", serialize_with = "expose")]
    pub id: PersonId,
    /// `reservasjon`.
    #[serde(rename = "reservasjon", skip_serializing_if = "Option::is_none")]
    pub reservation: Option<Reservation>,
    /// `reservasjonstidspunkt`: when the person decided.
    #[serde(
        rename = "reservasjonstidspunkt",
        skip_serializing_if = "Option::is_none"
    )]
    pub reserved_at: Option<Timestamp>,
    /// `reservasjon_oppdatert`: when that was last changed.
    #[serde(
        rename = "reservasjon_oppdatert",
        skip_serializing_if = "Option::is_none"
    )]
    pub reservation_updated: Option<Timestamp>,
    /// `status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// `varslingsstatus`.
    #[serde(rename = "varslingsstatus", skip_serializing_if = "Option::is_none")]
    pub notification: Option<NotificationStatus>,
    /// `kontaktinformasjon`; needs [`super::Krr::CONTACT_SCOPE`].
    #[serde(rename = "kontaktinformasjon", skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactInformation>,
    /// `digital_post`; needs [`super::Krr::DIGITAL_POST_SCOPE`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digital_post: Option<DigitalPost>,
    /// `sertifikat`, as the register writes it: the certificate that digital post is
    /// encrypted for. Needs [`super::Krr::DIGITAL_POST_SCOPE`].
    #[serde(rename = "sertifikat", skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// `spraak`.
    #[serde(rename = "spraak", skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// `spraak_oppdatert`: when that was last changed.
    #[serde(rename = "spraak_oppdatert", skip_serializing_if = "Option::is_none")]
    pub language_updated: Option<Timestamp>,
    /// Members that segl does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// How to reach a person. `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ContactInformation {
    /// `epostadresse`.
    #[serde(rename = "epostadresse", skip_serializing_if = "Option::is_none")]
    pub email: Option<Zeroizing<String>>,
    /// `epostadresse_oppdatert`: when the person last changed it.
    #[serde(
        rename = "epostadresse_oppdatert",
        skip_serializing_if = "Option::is_none"
    )]
    pub email_updated: Option<Timestamp>,
    /// `epostadresse_sist_verifisert`: when the person last confirmed it.
    #[serde(
        rename = "epostadresse_sist_verifisert",
        skip_serializing_if = "Option::is_none"
    )]
    pub email_verified: Option<Timestamp>,
    /// `epostadresse_sist_validert`: when the register last checked it.
    #[serde(
        rename = "epostadresse_sist_validert",
        skip_serializing_if = "Option::is_none"
    )]
    pub email_validated: Option<Timestamp>,
    /// `mobiltelefonnummer`.
    #[serde(rename = "mobiltelefonnummer", skip_serializing_if = "Option::is_none")]
    pub mobile: Option<Zeroizing<String>>,
    /// `mobiltelefonnummer_oppdatert`: when the person last changed it.
    #[serde(
        rename = "mobiltelefonnummer_oppdatert",
        skip_serializing_if = "Option::is_none"
    )]
    pub mobile_updated: Option<Timestamp>,
    /// `mobiltelefonnummer_sist_verifisert`: when the person last confirmed it.
    #[serde(
        rename = "mobiltelefonnummer_sist_verifisert",
        skip_serializing_if = "Option::is_none"
    )]
    pub mobile_verified: Option<Timestamp>,
    /// `mobiltelefonnummer_sist_validert`: when the register last checked it.
    #[serde(
        rename = "mobiltelefonnummer_sist_validert",
        skip_serializing_if = "Option::is_none"
    )]
    pub mobile_validated: Option<Timestamp>,
    /// Members that segl does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ContactInformation {
    /// Whether there is an e-mail address that was changed or verified in the 18 months
    /// before `now`, so that decisions may be notified there. The reservation and
    /// [`NotificationStatus`] are another matter. Whoever only has news may use an older
    /// one.
    pub fn email_is_current(&self, now: UnixTime) -> bool {
        self.email.is_some() && is_current([self.email_updated, self.email_verified], now)
    }

    /// The same of the mobile number: each channel has times of its own.
    pub fn mobile_is_current(&self, now: UnixTime) -> bool {
        self.mobile.is_some() && is_current([self.mobile_updated, self.mobile_verified], now)
    }
}

fn is_current(times: [Option<Timestamp>; 2], now: UnixTime) -> bool {
    let mut times = times.into_iter().flatten();
    times.any(|time| time.is_within_months(CURRENT_MONTHS, now))
}

/// Where a person gets digital post. `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DigitalPost {
    /// `postkasseadresse`: the person's address at the provider.
    #[serde(rename = "postkasseadresse", skip_serializing_if = "Option::is_none")]
    pub address: Option<Zeroizing<String>>,
    /// `postkasseleverandoeradresse`: the provider's organisation number.
    #[serde(
        rename = "postkasseleverandoeradresse",
        skip_serializing_if = "Option::is_none"
    )]
    pub provider: Option<String>,
    /// Members that segl does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

fn expose<S: Serializer>(id: &PersonId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.expose())
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person([redacted])")
    }
}

impl fmt::Debug for ContactInformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContactInformation([redacted])")
    }
}

impl fmt::Debug for DigitalPost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigitalPost([redacted])")
    }
}
