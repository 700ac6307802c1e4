//! KRR, the register of contact information and reservations (kontakt- og
//! reservasjonsregisteret; docs.digdir.no, `oppslagstjenesten_rest`).
//!
//! Not here: the person's own `GET /rest/v1/person`, which wants a token of ID-porten that
//! the person logged in for.

mod code;
mod document;
mod identifiers;
mod lookup;
mod operation;
mod person;

use std::sync::Arc;

use serde::Deserialize;
use zeroize::Zeroizing;

pub use code::{Language, NotificationStatus, Reservation, Status};
pub use identifiers::{read_persons, read_persons_file};
pub use lookup::{Batch, Lookup};
pub(super) use operation::LookUp;
pub use person::{ContactInformation, DigitalPost, Person};

use super::errors::{Meaning, json_where};
use super::header_template::Values;
use super::service::{Known, Repeat, Service};
use crate::call::Call;
use crate::clock::UnixTime;
use crate::error::{ErrorCode, Result};
use crate::http::Method;
use crate::person_id::PersonId;
use crate::profiles::{ServiceName, TokenRequest};
use crate::token::TokenClient;

const KRR: Known = Known {
    name: ServiceName::Krr,
    prod: Some("https://kontaktregisteret.no/rest"),
    test: Some("https://test.kontaktregisteret.no/rest"),
    headers: &[],
    placeholders: &[],
};

/// The most persons that the register takes in one request.
const MOST_PERSONS: usize = 1000;

/// The documentation lists these statuses without saying more.
const MEANINGS: &[Meaning] = &[
    Meaning {
        status: 400,
        code: ErrorCode::ApiInvalidRequest,
        remedy: "it does not take the list; check that the identifiers are of the client's environment",
    },
    Meaning {
        status: 403,
        code: ErrorCode::ApiForbidden,
        remedy: "it wants a scope such as krr:global/kontaktinformasjon.read; check that the client has it and asks for it",
    },
];

/// KRR's look-ups with Maskinporten's tokens.
#[derive(Debug, Clone)]
pub struct Krr {
    service: Service,
    version: KrrVersion,
}

/// The version of the look-up, and what it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KrrVersion {
    /// `/rest/v1/personer`: persons that are not registered are left out.
    V1,
    /// `/rest/v2/personer`, since 2023-08-22.
    V2 {
        /// `inkluderIkkeRegistrerte`: persons that are not registered are answered with
        /// [`Status::NotRegistered`] instead of being left out.
        include_unregistered: bool,
    },
}

impl Krr {
    /// The scope for contact information, [`NotificationStatus`] and language.
    pub const CONTACT_SCOPE: &str = "krr:global/kontaktinformasjon.read";
    /// The scope for digital post and its certificate.
    pub const DIGITAL_POST_SCOPE: &str = "krr:global/digitalpost.read";
    /// As [`Krr::CONTACT_SCOPE`], for suppliers with `consumer_org`: it can be delegated
    /// in Altinn.
    pub const DELEGABLE_CONTACT_SCOPE: &str = "krr:global/kontaktinfo.read";
    /// As [`Krr::DIGITAL_POST_SCOPE`], for suppliers with `consumer_org`.
    pub const DELEGABLE_DIGITAL_POST_SCOPE: &str = "krr:global/postkasse.read";

    /// KRR as `client`'s settings have it, with tokens for `token_request`, version 2
    /// without those who are not registered.
    ///
    /// # Errors
    /// `CONFIG` naming the setting.
    pub fn new(client: Arc<TokenClient>, token_request: TokenRequest) -> Result<Self> {
        Ok(Self {
            service: Service::new(&KRR, client, token_request)?,
            version: KrrVersion::V2 {
                include_unregistered: false,
            },
        })
    }

    /// The same with another version.
    #[must_use]
    pub fn with_version(mut self, version: KrrVersion) -> Self {
        self.version = version;
        self
    }

    /// Looks up any number of persons, in requests of up to 1,000. Nothing is sent before
    /// [`Lookup::next_batch`].
    pub fn lookup<I>(&self, persons: I) -> Lookup<'_, I::IntoIter>
    where
        I: IntoIterator<Item = PersonId>,
    {
        Lookup::new(self, persons.into_iter())
    }

    /// Looks up all of `persons` within one call.
    ///
    /// # Errors
    /// As [`Lookup::next_batch`]; what was answered before it is lost.
    pub fn lookup_all(
        &self,
        persons: impl IntoIterator<Item = PersonId>,
        call: &Call,
    ) -> Result<Batch> {
        let mut all = Batch::default();
        let mut lookup = self.lookup(persons);
        while let Some(batch) = lookup.next_batch(call)? {
            all.append(batch);
        }
        Ok(all)
    }

    /// The present time by the client's clock, for [`ContactInformation::email_is_current`].
    pub fn now(&self) -> UnixTime {
        self.service.clock().now()
    }

    /// One request.
    fn ask(&self, persons: &[PersonId], call: &Call) -> Result<Vec<Person>> {
        let (version, include) = match self.version {
            KrrVersion::V1 => ("v1", None),
            KrrVersion::V2 {
                include_unregistered,
            } => ("v2", Some(include_unregistered)),
        };
        let url = self.service.url(&[version, "personer"], &[])?;
        let mut request = self
            .service
            .request(Method::Post, url, Values::default())?
            .header("Content-Type", "application/json");
        request.body = body(persons, include);
        // A POST that only asks.
        let answer = self.service.send(&request, Repeat::Safe, call)?;
        let answer: Answer = json_where(&answer, &request.named(), MEANINGS)?;
        Ok(answer.personer)
    }
}

fn body(persons: &[PersonId], include_unregistered: Option<bool>) -> Zeroizing<Vec<u8>> {
    // Of its whole length, so that no copy is left behind.
    let mut body = Zeroizing::new(Vec::with_capacity(64 + persons.len() * 14));
    body.extend(b"{\"personidentifikatorer\":[");
    for (index, person) in persons.iter().enumerate() {
        body.extend(if index == 0 { &b"\""[..] } else { b",\"" });
        body.extend(person.expose().bytes());
        body.push(b'"');
    }
    body.push(b']');
    if let Some(include) = include_unregistered {
        body.extend(format!(",\"inkluderIkkeRegistrerte\":{include}").bytes());
    }
    body.push(b'}');
    body
}

#[derive(Deserialize)]
struct Answer {
    personer: Vec<Person>,
}
