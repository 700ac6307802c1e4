//! What is asked of KFR: `GET …/financialInstitutions/{fid}/`, `customerRelationships` and
//! `accountServicingProvider`.

use std::sync::Arc;

use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use serde_json::json;
use time::Date;
use url::form_urlencoded;

use super::super::reply;
use super::super::state::State;
use super::admission::{own_lookup, token};
use super::refusal::KfrRefusal;
use super::registry::today;
use super::{answer, correlation_id, form};

const RELATIONSHIPS: &str = "bits:kundeforhold";
const ACCOUNT: &str = "bits:kundeforhold.konto";

/// Whether the institution itself has the customer.
pub(super) async fn own(
    Extract(state): Extract<Arc<State>>,
    Path(fid): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let found = own_lookup(&state, &headers, &fid).and_then(|()| {
        let mut banks = found(&state, &headers, &Query::parse(&uri))?;
        banks.retain(|bank| *bank == fid);
        Ok(list(&state, &banks, None))
    });
    answer(&headers, found, &state)
}

/// Every institution that has the customer.
pub(super) async fn relationships(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let query = Query::parse(&uri);
    let admitted = token(
        &state,
        &headers,
        RELATIONSHIPS,
        KfrRefusal::lookup_not_authenticated,
        KfrRefusal::lookup_no_access,
    );
    let found = admitted.and_then(|_| {
        let is_v2 = state.kfr.config.version == 2;
        if is_v2 {
            require_v2(&headers, &query)?;
        }
        let only = match (is_v2, query.only_primary_owner.as_deref()) {
            (_, None) => None,
            (true, Some(only @ ("true" | "false"))) => Some(only == "true"),
            _ => return Err(KfrRefusal::invalid_request("onlyPrimaryOwner is not known")),
        };
        let banks = found(&state, &headers, &query)?;
        Ok(list(&state, &banks, only))
    });
    answer(&headers, found, &state)
}

/// The bank of an account. The spelling of its number is that of the OpenAPI document.
pub(super) async fn provider(Extract(state): Extract<Arc<State>>, headers: HeaderMap) -> Response {
    let admitted = token(
        &state,
        &headers,
        ACCOUNT,
        KfrRefusal::provider_not_authenticated,
        KfrRefusal::lookup_no_access,
    );
    let found = admitted.and_then(|_| {
        if correlation_id(&headers).is_none() {
            return Err(KfrRefusal::invalid_request("CorrelationID is no UUID"));
        }
        let account = text(&headers, "accountid");
        if account.len() != 11 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(KfrRefusal::invalid_account("AccountID is not 11 digits"));
        }
        let banks = &state.kfr.config.banks;
        let bank = banks.iter().find(|bank| {
            let mut numbers = bank.registration_numbers.iter();
            numbers.any(|number| account.starts_with(number.as_str()))
        });
        let bank = bank.ok_or_else(|| KfrRefusal::invalid_account("no bank has the account"))?;
        let organisation = match state.kfr.config.version {
            1 => "organizationId",
            _ => "organizationID",
        };
        let body = json!({ organisation: bank.orgno.as_str(), "bankName": bank.name });
        Ok(reply::json(StatusCode::OK, &body))
    });
    answer(&headers, found, &state)
}

#[derive(Default)]
struct Query {
    from: Option<String>,
    to: Option<String>,
    only_primary_owner: Option<String>,
}

impl Query {
    fn parse(uri: &Uri) -> Self {
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or("").as_bytes()) {
            let member = match &*name {
                "fromDate" => &mut query.from,
                "toDate" => &mut query.to,
                "onlyPrimaryOwner" => &mut query.only_primary_owner,
                _ => continue,
            };
            *member = Some(value.into_owned());
        }
        query
    }
}

/// What version 2.0 makes mandatory.
fn require_v2(headers: &HeaderMap, query: &Query) -> Result<(), KfrRefusal> {
    let has_case = ["legal-mandate", "accountinforequestid"]
        .iter()
        .all(|name| !text(headers, name).is_empty());
    if !has_case || correlation_id(headers).is_none() {
        return Err(KfrRefusal::invalid_request(
            "version 2.0 wants CorrelationID, Legal-Mandate and AccountInfoRequestID",
        ));
    }
    match query.from.is_some() && query.to.is_some() {
        true => Ok(()),
        false => Err(KfrRefusal::lookup_invalid_period(
            "version 2.0 wants fromDate and toDate",
        )),
    }
}

/// The institutions that have the customer of a request in its period.
fn found(state: &State, headers: &HeaderMap, query: &Query) -> Result<Vec<String>, KfrRefusal> {
    let customer = text(headers, "customerid");
    if !form::is_customer(customer) {
        return Err(KfrRefusal::lookup_invalid_customer(
            "CustomerID is no customer",
        ));
    }
    let now = state.now();
    let day = |text: Option<&String>| -> Option<Date> {
        text.map_or(Some(today(now)), |text| form::date(text))
    };
    let period = day(query.from.as_ref()).zip(day(query.to.as_ref()));
    let (_, last) = period
        .filter(|(first, last)| first <= last)
        .ok_or_else(|| KfrRefusal::lookup_invalid_period("the period is none"))?;
    Ok(state.kfr.registry.institutions(customer, last, now))
}

/// With `ownershipType` where `onlyPrimaryOwner` was asked for; every customer here owns
/// an account.
fn list(state: &State, banks: &[String], only_primary_owner: Option<bool>) -> Response {
    let banks: Vec<_> = banks
        .iter()
        .map(|orgno| {
            let mut bank = json!({
                "organizationID": orgno,
                "bankName": state.kfr.config.name(orgno),
                "activeAccount": false,
            });
            if only_primary_owner.is_some() {
                bank["ownershipType"] = "primaryOwner".into();
            }
            bank
        })
        .collect();
    reply::json(StatusCode::OK, &json!({ "banks": banks }))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}
