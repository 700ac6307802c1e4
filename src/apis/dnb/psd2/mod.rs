//! Accounts and payments for third parties (PSD2), in the form of the Berlin Group's
//! NextGenPSD2. The paths and headers are those of DNB's own samples
//! (DNBbank/getting-started, `postman/PSD2-v2`) and its public callers.

mod account;
mod account_reference;
mod accounts;
mod bank_id;
mod consents;
mod links;
pub(in super::super) mod operations;
mod payment;
mod payments;
mod psu;
mod psu_id;
mod tpp_messages;
mod transaction;

use std::sync::Arc;

use serde::Serialize;

pub use account::{Account, Balance};
pub use account_reference::AccountReference;
pub use accounts::{AccountKind, AccountUse, BookingStatus, TransactionQuery};
pub use bank_id::BankId;
pub use consents::{AccountAccess, ConsentVersion, CreatedConsent, WantedConsent};
pub use payment::{Payment, PaymentProduct};
pub use payments::CreatedPayment;
pub use psu::{Psu, RequestId};
pub use psu_id::PsuId;
pub use transaction::{Transaction, Transactions};

use super::super::errors::require_success_as;
use super::super::header_template::Values;
use super::super::json_body::with_json;
use super::super::redirect_url::RedirectUrl;
use super::super::service::{Known, Repeat, Service};
use crate::call::Call;
use crate::error::Result;
use crate::http::{Method, Response};
use crate::profiles::{ServiceName, TokenRequest};
use crate::token::TokenClient;

const PSD2: Known = Known {
    name: ServiceName::DnbPsd2,
    prod: Some("https://api.psd.dnb.no"),
    test: Some("https://sandboxapi.psd.dnb.no"),
    headers: &[
        ("X-Request-ID", "{request_id}"),
        ("PSU-ID", "{psu_id}"),
        ("PSU-IP-Address", "{psu_ip_address}"),
        ("PSU-User-Agent", "{psu_user_agent}"),
        ("TPP-Redirect-URI", "{redirect_uri}"),
        ("Consent-ID", "{consent_id}"),
    ],
    placeholders: &[
        "request_id",
        "psu_id",
        "psu_ip_address",
        "psu_user_agent",
        "redirect_uri",
        "consent_id",
        "api_key",
    ],
};

/// DNB's accounts and payments for third parties. The bank knows who asks by the client
/// certificate (QWAC) in the client's setting `tls`; no access token is fetched or sent,
/// unless the settings have a header with one.
#[derive(Debug, Clone)]
pub struct DnbPsd2(Service);

impl DnbPsd2 {
    /// The APIs as `client`'s settings have them.
    ///
    /// # Errors
    /// `CONFIG` naming the setting.
    pub fn new(client: Arc<TokenClient>) -> Result<Self> {
        let service = Service::new(&PSD2, client, TokenRequest::default())?;
        Ok(Self(service.without_token()))
    }

    /// Sends a request of this `psu`, and takes a status of 2xx only.
    fn send(&self, outgoing: &Outgoing<'_, impl Serialize>, call: &Call) -> Result<Answer> {
        let (answer, _) = self.send_noting(outgoing, call)?;
        answer.require_success()?;
        Ok(answer)
    }

    /// Sends a request of this `psu`, and takes any status. Also whether it had been sent
    /// before, and may have been carried out.
    fn send_noting(
        &self,
        outgoing: &Outgoing<'_, impl Serialize>,
        call: &Call,
    ) -> Result<(Answer, bool)> {
        let psu = outgoing.psu;
        let values = Values::default()
            .with(
                "request_id",
                psu.request_id.unwrap_or_else(RequestId::random).to_string(),
            )
            .with_optional("psu_id", psu.id.as_ref().map(PsuId::expose))
            .with_optional(
                "psu_ip_address",
                psu.ip_address.map(|address| address.to_string()),
            )
            .with_optional("psu_user_agent", psu.user_agent.as_deref())
            .with_optional(
                "redirect_uri",
                outgoing.redirect.map(|url| url.as_str().to_owned()),
            )
            .with_optional("consent_id", outgoing.consent.map(BankId::as_str));
        let url = self.0.url(&outgoing.path, &outgoing.query)?;
        let mut request = self.0.request(outgoing.method, url, values)?;
        if let Some(body) = outgoing.body {
            request = with_json(request, body)?;
        }
        let (response, may_be_done) = self.0.send_noting(&request, outgoing.repeat, call)?;
        let what = request.named();
        Ok((Answer { response, what }, may_be_done))
    }
}

/// A request before it has its headers.
struct Outgoing<'a, B> {
    method: Method,
    path: Vec<&'a str>,
    query: Vec<(&'a str, &'a str)>,
    psu: &'a Psu,
    consent: Option<&'a BankId>,
    redirect: Option<&'a RedirectUrl>,
    body: Option<&'a B>,
    repeat: Repeat,
}

impl<'a> Outgoing<'a, ()> {
    fn get(path: Vec<&'a str>, psu: &'a Psu) -> Self {
        Self {
            method: Method::Get,
            path,
            query: Vec::new(),
            psu,
            consent: None,
            redirect: None,
            body: None,
            repeat: Repeat::Safe,
        }
    }
}

/// An answer, and what it is an answer to.
struct Answer {
    response: Response,
    what: String,
}

impl Answer {
    fn require_success(&self) -> Result<()> {
        let status = self.response.status;
        require_success_as(&self.response, &self.what, |body| {
            tpp_messages::read(body, status)
        })
    }
}
