//! One customer of a financial institution: added, removed, looked up.

use serde::Serialize;

use super::bank::{Bank, Banks};
use super::{CustomerId, Kfr, Period, RELATIONSHIP_TYPE, institution_path};
use crate::apis::header_template::Values;
use crate::apis::service::Repeat;
use crate::call::Call;
use crate::error::Result;
use crate::http::Method;
use crate::keys::OrgNumber;

/// What adding a customer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Added {
    /// KFR has it now (201).
    Added,
    /// KFR had it already (200).
    AlreadyThere,
}

impl Kfr {
    /// Adds a customer, from today on. It may be sent again after a failure that passes:
    /// KFR answers that a relation is there already.
    ///
    /// # Errors
    /// The API numbers of [`crate::ErrorCode`], with KFR's own code; those of the token
    /// endpoint.
    pub fn add(
        &self,
        institution: &OrgNumber,
        customer: &CustomerId,
        call: &Call,
    ) -> Result<Added> {
        let request = self.of_customer(Method::Post, institution, customer)?;
        let answer = self.send(&request, Repeat::Safe, call)?;
        match answer.require_status(&[200, 201])? {
            201 => Ok(Added::Added),
            _ => Ok(Added::AlreadyThere),
        }
    }

    /// Removes a customer. It is sent once, for the second of two would be answered as if
    /// there had been nothing to remove.
    ///
    /// # Errors
    /// `API_NOT_FOUND` with `KFR-008` when KFR has no such relation, which is also so
    /// while a batch is not loaded yet; otherwise as [`Kfr::add`].
    pub fn remove(
        &self,
        institution: &OrgNumber,
        customer: &CustomerId,
        call: &Call,
    ) -> Result<()> {
        let request = self.of_customer(Method::Delete, institution, customer)?;
        let answer = self.send(&request, Repeat::Never, call)?;
        answer.require_status(&[204]).map(|_| ())
    }

    /// The institution itself, if the customer had a relationship with it in this period,
    /// otherwise nothing.
    ///
    /// # Errors
    /// As [`Kfr::add`].
    pub fn banks(
        &self,
        institution: &OrgNumber,
        customer: &CustomerId,
        period: &Period,
        call: &Call,
    ) -> Result<Vec<Bank>> {
        let query = period.query();
        let query: Vec<_> = query
            .iter()
            .map(|(name, day)| (*name, day.as_str()))
            .collect();
        // The empty segment is the slash at the end, which the path has in the document.
        let request = self.request(
            Method::Get,
            &institution_path(institution, &[""]),
            &query,
            Values::default().with("customer_id", customer.expose()),
        )?;
        let answer = self.send(&request, Repeat::Safe, call)?;
        answer.json::<Banks>().map(|list| list.banks)
    }

    fn of_customer(
        &self,
        method: Method,
        institution: &OrgNumber,
        customer: &CustomerId,
    ) -> Result<(crate::http::Request, super::CorrelationId)> {
        let path = institution_path(institution, &["relationshipType", RELATIONSHIP_TYPE]);
        let values = Values::default().with("customer_id", customer.expose());
        self.request(method, &path, &[], values)
    }
}
