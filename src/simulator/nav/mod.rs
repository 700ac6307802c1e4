//! An API like NAV's for those who have a consent: it says what it was asked. NAV's own
//! answers are in its documentation, and so are its refusals.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::access_token::AccessToken;
use super::consents::{self, ConsentService};
use super::reply;
use super::state::State;

pub(super) const BASE_PATH: &str = "/nav";

/// Needs `NAV-PersonIdent`.
const WORK_ASSESSMENT_ALLOWANCE: &str = "nav:arbeid/v1/aap";
const DISABILITY_BENEFIT: &str = "nav:helse/v1/uforeopplysninger";

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new().route(&format!("{BASE_PATH}/{{*path}}"), get(answer))
}

async fn answer(
    Extract(state): Extract<Arc<State>>,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let now = state.now();
    let verify = |token: &str| state.maskinporten.verify_token(token, now);
    let admitted = AccessToken::bearer(&headers, verify).and_then(|token| {
        token.require_scope(&[WORK_ASSESSMENT_ALLOWANCE, DISABILITY_BENEFIT])?;
        Ok(token)
    });
    let token = match admitted {
        Ok(token) => token,
        Err(refusal) => return refusal.into_response(),
    };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("x-callid").is_none_or(str::is_empty) {
        return refuse(StatusCode::BAD_REQUEST, "x-callid is missing");
    }
    let header = text("NAV-Samtykke-Token");
    let service = ConsentService::Nav;
    let consent = match consents::check(&state.consents, service, header, &token, now) {
        Ok(consent) => consent,
        Err(problem) => return refuse(StatusCode::FORBIDDEN, problem),
    };
    match text("NAV-PersonIdent") {
        Some(person) if person != consent.person.expose() => {
            return refuse(StatusCode::FORBIDDEN, "the consent is another person's");
        }
        None if token.has_scope(WORK_ASSESSMENT_ALLOWANCE) => {
            return refuse(StatusCode::BAD_REQUEST, "NAV-PersonIdent is missing");
        }
        _ => {}
    }
    let body = json!({
        "path": path,
        "query": query,
        "consumer": token.consumer(),
        "person": consent.person.expose(),
        "consent": if header.is_some() { "header" } else { "access_token" },
    });
    reply::json(StatusCode::OK, &body)
}

fn refuse(status: StatusCode, problem: &str) -> Response {
    reply::json(status, &json!({ "message": problem }))
}
