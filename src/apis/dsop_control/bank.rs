//! Where a bank is, and the headers that it wants.

use crate::apis::service::Known;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::profiles::ServiceName;

/// Every bank has a base URL of its own. An answer is `application/jose` unless it is an
/// error; in test, banks give plain JSON to who accepts that.
pub(super) const DSOP_CONTROL: Known = Known {
    name: ServiceName::DsopControl,
    prod: None,
    test: None,
    headers: &[
        ("Accept", "application/jose"),
        ("CorrelationID", "{correlation_id}"),
        ("AccountInfoRequestID", "{account_info_request_id}"),
        ("Legal-Mandate", "{legal_mandate}"),
        ("PartyID", "{person}"),
        ("AdditionalReferenceID", "{additional_reference}"),
        ("AdditionalReferenceIDType", "{additional_reference_type}"),
        ("RequesterID", "{requester}"),
    ],
    placeholders: &[
        "correlation_id",
        "account_info_request_id",
        "legal_mandate",
        "person",
        "additional_reference",
        "additional_reference_type",
        "requester",
    ],
};

/// The version in the paths.
const VERSION: &str = "v2";

/// The base URL with the version at its end.
pub(super) fn versioned(bank: &str) -> Result<Endpoint> {
    let endpoint: Endpoint = bank
        .parse()
        .map_err(|error: Error| error.in_context("the bank's base URL"))?;
    if endpoint.as_str().contains('?') {
        return Err(Error::new(
            ErrorCode::Url,
            "the bank's base URL has a query; leave it out",
        ));
    }
    let base = endpoint.as_str().trim_end_matches('/');
    match base.rsplit('/').next() {
        Some(VERSION) => base.parse(),
        _ => format!("{base}/{VERSION}").parse(),
    }
}
