//! `POST …/batch`

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::super::state::State;
use super::admission::institution;
use super::answer;
use super::form::KfrBatch;
use super::refusal::KfrRefusal;

/// 201 says that request and data are valid. They are loaded later.
pub(super) async fn accept(
    Extract(state): Extract<Arc<State>>,
    Path(fid): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    answer(&headers, taken(&state, &fid, &headers, body), &state)
}

fn taken(
    state: &State,
    fid: &str,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, KfrRefusal> {
    let institution = institution(state, headers, fid)?;
    let body = body.map_err(|_| KfrRefusal::invalid_request("the request is over 10 MB"))?;
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else {
        return Err(KfrRefusal::no_access("there is not one Content-Type"));
    };
    let content_type = content_type.to_str().unwrap_or_default();
    let batch = KfrBatch::parse(content_type, &body)?;
    let relations = batch.relations.len() as u64;
    let now = state.now();
    let ready = now.plus(state.kfr.config.load_seconds.into());
    state
        .kfr
        .registry
        .accept(institution.as_str(), batch, now, ready);
    state.count(|requests| {
        requests.kfr_batches += 1;
        requests.kfr_relations += relations;
    });
    Ok(StatusCode::CREATED.into_response())
}
