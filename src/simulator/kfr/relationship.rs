//! `POST` and `DELETE …/relationshipType/DSOPBANK`

use std::sync::Arc;

use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::super::state::State;
use super::admission::institution;
use super::refusal::KfrRefusal;
use super::{answer, form};
use crate::keys::OrgNumber;

pub(super) async fn add(
    Extract(state): Extract<Arc<State>>,
    Path((fid, kind)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let added = admitted(&state, &fid, &kind, &headers).map(|(institution, customer)| {
        let now = state.now();
        match state.kfr.registry.add(institution.as_str(), customer, now) {
            true => StatusCode::CREATED.into_response(),
            false => StatusCode::OK.into_response(),
        }
    });
    answer(&headers, added, &state)
}

pub(super) async fn remove(
    Extract(state): Extract<Arc<State>>,
    Path((fid, kind)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let removed = admitted(&state, &fid, &kind, &headers).and_then(|(institution, customer)| {
        let now = state.now();
        match state
            .kfr
            .registry
            .remove(institution.as_str(), customer, now)
        {
            true => Ok(StatusCode::NO_CONTENT.into_response()),
            false => Err(KfrRefusal::not_found(
                "there is no such relation, or not yet",
            )),
        }
    });
    answer(&headers, removed, &state)
}

fn admitted<'a>(
    state: &State,
    fid: &str,
    kind: &str,
    headers: &'a HeaderMap,
) -> Result<(OrgNumber, &'a str), KfrRefusal> {
    let institution = institution(state, headers, fid)?;
    if kind != "DSOPBANK" {
        return Err(KfrRefusal::invalid_type("the type is not DSOPBANK"));
    }
    let customer = headers
        .get("customerid")
        .and_then(|value| value.to_str().ok())
        .filter(|text| form::is_customer(text))
        .ok_or_else(|| KfrRefusal::invalid_customer("CustomerID is no customer"))?;
    Ok((institution, customer))
}
