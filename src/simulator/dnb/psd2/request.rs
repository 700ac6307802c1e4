//! What every request to accounts and payments has.

use std::net::IpAddr;

use axum::http::HeaderMap;
use url::Url;
use uuid::Uuid;

use super::super::super::form::media_type;
use super::super::super::state::State;
use super::super::super::tls::Connection;
use super::messages::Refusal;
use crate::person_id::PersonId;

/// A request whose sender is known, with checked headers.
pub(super) struct Admitted {
    /// The thumbprint of the third party's certificate; empty over plain HTTP.
    pub(super) tpp: String,
    pub(super) psu_id: Option<String>,
    /// Whether a person waits for the answer.
    pub(super) has_psu: bool,
    pub(super) redirect: Option<Url>,
    pub(super) consent_id: Option<String>,
}

impl Admitted {
    /// # Errors
    /// What is wrong with the certificate or a header.
    pub(super) fn read(
        state: &State,
        connection: &Connection,
        headers: &HeaderMap,
    ) -> Result<Self, Refusal> {
        let tpp = state
            .dnb
            .policy
            .thumbprint(connection, &[], state.now())
            .map_err(|problem| Refusal::new(401, "CERTIFICATE_INVALID", problem))?;
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if text("authorization").is_some() {
            return Err(Refusal::format("Authorization", "is not used here"));
        }
        if text("x-request-id").is_none_or(|id| Uuid::try_parse(id).is_err()) {
            return Err(Refusal::format(
                "X-Request-ID",
                "X-Request-ID must be a UUID",
            ));
        }
        let psu_id = text("psu-id").map(str::to_owned);
        if psu_id.as_deref().is_some_and(|id| !is_psu_id(id)) {
            return Err(wrong_psu_id());
        }
        let address = text("psu-ip-address");
        if address.is_some_and(|address| address.parse::<IpAddr>().is_err()) {
            return Err(Refusal::format("PSU-IP-Address", "is no address"));
        }
        let redirect = text("tpp-redirect-uri").map(Url::parse).transpose();
        let redirect =
            redirect.map_err(|_| Refusal::format("TPP-Redirect-URI", "is no absolute URI"))?;
        Ok(Self {
            tpp: tpp.unwrap_or_default(),
            psu_id,
            has_psu: address.is_some(),
            redirect,
            consent_id: text("consent-id").map(str::to_owned),
        })
    }

    /// Who is to approve, and where the browser goes then.
    pub(super) fn require_approver(&self) -> Result<(&str, &Url), Refusal> {
        let psu = self.psu_id.as_deref().ok_or_else(wrong_psu_id)?;
        let redirect = self
            .redirect
            .as_ref()
            .ok_or_else(|| Refusal::format("TPP-Redirect-URI", "TPP-Redirect-URI is missing"))?;
        Ok((psu, redirect))
    }
}

pub(super) fn require_json(headers: &HeaderMap) -> Result<(), Refusal> {
    match media_type(headers) {
        Some("application/json") => Ok(()),
        _ => Err(Refusal::new(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "Content-Type must be application/json",
        )),
    }
}

fn wrong_psu_id() -> Refusal {
    Refusal::format(
        "PSU-ID",
        "User id can be either an 11 digit valid Norwegian ssn - or 2 letters followed by 5 digits (business)",
    )
}

fn is_psu_id(text: &str) -> bool {
    let is_business = text.len() == 7
        && text.bytes().take(2).all(|byte| byte.is_ascii_alphabetic())
        && text.bytes().skip(2).all(|byte| byte.is_ascii_digit());
    is_business || text.parse::<PersonId>().is_ok()
}
