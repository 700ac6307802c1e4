//! Payments: initiated here, approved by the person at the bank.

use serde::Deserialize;

use super::super::super::errors::json;
use super::super::super::redirect_url::RedirectUrl;
use super::links::Links;
use super::{Answer, BankId, DnbPsd2, Outgoing, Payment, PaymentProduct, Psu, Repeat};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::http::Method;

/// A payment that the person has not approved yet.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CreatedPayment {
    /// The bank's identifier of it.
    pub id: BankId,
    /// Its status (ISO 20022), for example `RCVD`.
    pub status: String,
    /// Where the person's browser is to go, to approve it.
    pub sca_redirect: Option<Endpoint>,
}

impl CreatedPayment {
    pub(super) fn read(answer: &Answer) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Created {
            payment_id: BankId,
            transaction_status: String,
            #[serde(rename = "_links", default)]
            links: Links,
        }
        let created: Created = json(&answer.response, &answer.what)?;
        Ok(Self {
            id: created.payment_id,
            status: created.transaction_status,
            sca_redirect: created.links.sca_redirect(answer)?,
        })
    }
}

/// The status of a payment, in the answer to a question about it.
pub(super) fn status(answer: &Answer) -> Result<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Known {
        transaction_status: String,
    }
    let known: Known = json(&answer.response, &answer.what)?;
    Ok(known.transaction_status)
}

impl DnbPsd2 {
    /// Initiates a payment, which the person approves at [`CreatedPayment::sca_redirect`]. It
    /// is sent once, whatever happens: after an error of the network nobody knows whether the
    /// bank has it, and an unapproved payment comes to nothing.
    ///
    /// # Errors
    /// As [`DnbPsd2::create_consent`].
    pub fn create_payment(
        &self,
        product: &PaymentProduct,
        payment: &Payment,
        psu: &Psu,
        redirect: &RedirectUrl,
        call: &Call,
    ) -> Result<CreatedPayment> {
        CreatedPayment::read(&self.post_payment(product, payment, psu, redirect, call)?)
    }

    /// The status of a payment (ISO 20022), for example `ACSC`.
    ///
    /// # Errors
    /// `API_NOT_FOUND`; otherwise as [`DnbPsd2::create_consent`].
    pub fn payment_status(
        &self,
        product: &PaymentProduct,
        id: &BankId,
        psu: &Psu,
        call: &Call,
    ) -> Result<String> {
        status(&self.get_payment(product, id, psu, call)?)
    }

    pub(super) fn post_payment(
        &self,
        product: &PaymentProduct,
        payment: &Payment,
        psu: &Psu,
        redirect: &RedirectUrl,
        call: &Call,
    ) -> Result<Answer> {
        let post = Outgoing {
            method: Method::Post,
            path: vec!["v1", "payments", product.as_str()],
            query: Vec::new(),
            psu,
            consent: None,
            redirect: Some(redirect),
            body: Some(payment),
            repeat: Repeat::Never,
        };
        self.send(&post, call)
    }

    pub(super) fn get_payment(
        &self,
        product: &PaymentProduct,
        id: &BankId,
        psu: &Psu,
        call: &Call,
    ) -> Result<Answer> {
        let path = vec!["v1", "payments", product.as_str(), id.as_str()];
        self.send(&Outgoing::get(path, psu), call)
    }
}
