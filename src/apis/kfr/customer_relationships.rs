//! What public agencies ask: which banks a customer has, and which bank an account is at.

use percent_encoding::utf8_percent_encode;

use super::bank::{Bank, Banks, Provider};
use super::{AccountNumber, CustomerId, Kfr, Period};
use crate::apis::header_template::Values;
use crate::apis::service::{ENCODED, Repeat};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::http::Method;

/// The case that a question belongs to. Version 2.0 demands it, 1.1 allows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    legal_mandate: String,
    reference: String,
}

impl Case {
    /// `legal_mandate` is the legal basis as the service's documentation words it; it is
    /// sent percent-encoded in UTF-8 ("formatted encoded text"), so give it as it reads.
    /// `reference` is the agency's own reference to the case (`AccountInfoRequestID`), a
    /// UUID in version 1.1.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when one of them is empty, or the reference is not printable
    /// ASCII.
    pub fn new(legal_mandate: &str, reference: &str) -> Result<Self> {
        let wrong = |problem: &str| Err(Error::new(ErrorCode::InvalidArgument, problem));
        let (legal_mandate, reference) = (legal_mandate.trim(), reference.trim());
        if legal_mandate.is_empty() || reference.is_empty() {
            return wrong("a case has a legal mandate and a reference; one of them is empty");
        }
        if !reference.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong(
                "the reference of the case has a character that is not printable ASCII; a UUID does",
            );
        }
        Ok(Self {
            legal_mandate: legal_mandate.to_owned(),
            reference: reference.to_owned(),
        })
    }

    fn put(case: Option<&Self>, values: Values) -> Values {
        let Some(case) = case else { return values };
        let mandate = utf8_percent_encode(&case.legal_mandate, ENCODED).to_string();
        values
            .with("legal_mandate", mandate)
            .with("account_info_request_id", case.reference.as_str())
    }
}

/// A question about a customer's banks.
#[derive(Debug, Clone)]
pub struct RelationshipsRequest {
    customer: CustomerId,
    period: Period,
    case: Option<Case>,
    only_primary_owner: Option<bool>,
}

impl RelationshipsRequest {
    /// By version 1.1: a period whose ends may be left out, and a case if there is one.
    pub fn v1(customer: CustomerId, period: Period, case: Option<Case>) -> Self {
        Self {
            customer,
            period,
            case,
            only_primary_owner: None,
        }
    }

    /// By the version with this number, 1 or 2.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for another number, or what the version does not know or wants.
    pub fn of_version(
        version: u8,
        customer: CustomerId,
        period: Period,
        case: Option<Case>,
        only_primary_owner: Option<bool>,
    ) -> Result<Self> {
        let wrong = |problem: &str| Err(Error::new(ErrorCode::InvalidArgument, problem));
        match (version, case, only_primary_owner) {
            (1, case, None) => Ok(Self::v1(customer, period, case)),
            (1, _, Some(_)) => {
                wrong("only version 2 of customerRelationships knows primary owners")
            }
            (2, Some(case), only) => Self::v2(customer, period, case, only),
            (2, None, _) => wrong(
                "version 2 of customerRelationships wants a case: its legal mandate and reference",
            ),
            _ => wrong("customerRelationships has the versions 1 and 2"),
        }
    }

    /// By version 2.0: both ends of the period, a case, and whether to leave out banks
    /// where the customer owns no account. With `only_primary_owner` answers have an
    /// ownership type.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when an end of the period is missing.
    pub fn v2(
        customer: CustomerId,
        period: Period,
        case: Case,
        only_primary_owner: Option<bool>,
    ) -> Result<Self> {
        if !period.is_whole() {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "version 2.0 of customerRelationships wants both dates of the period; give both",
            ));
        }
        Ok(Self {
            customer,
            period,
            case: Some(case),
            only_primary_owner,
        })
    }
}

impl Kfr {
    /// The banks with which a customer has a relationship.
    ///
    /// # Errors
    /// The API numbers of [`crate::ErrorCode`], with KFR's own code; those of the token
    /// endpoint.
    pub fn customer_relationships(
        &self,
        request: &RelationshipsRequest,
        call: &Call,
    ) -> Result<Vec<Bank>> {
        let period = request.period.query();
        let mut query: Vec<_> = period
            .iter()
            .map(|(name, day)| (*name, day.as_str()))
            .collect();
        if let Some(only) = request.only_primary_owner {
            query.push(("onlyPrimaryOwner", if only { "true" } else { "false" }));
        }
        let values = Values::default().with("customer_id", request.customer.expose());
        let request = self.request(
            Method::Get,
            &["customers", "customerRelationships"],
            &query,
            Case::put(request.case.as_ref(), values),
        )?;
        let answer = self.send(&request, Repeat::Safe, call)?;
        answer.json::<Banks>().map(|list| list.banks)
    }

    /// The bank that holds an account.
    ///
    /// # Errors
    /// As [`Kfr::customer_relationships`].
    pub fn account_servicing_provider(
        &self,
        account: &AccountNumber,
        case: Option<&Case>,
        call: &Call,
    ) -> Result<Provider> {
        let values = Values::default().with("account_id", account.expose());
        let request = self.request(
            Method::Get,
            &["customers", "accountServicingProvider"],
            &[],
            Case::put(case, values),
        )?;
        self.send(&request, Repeat::Safe, call)?.json()
    }
}
