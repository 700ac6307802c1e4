//! An API like Skatteetaten's for those who have a consent: it says what it was asked.
//! Skatteetaten's own answers and refusals are in the documentation of each API.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::access_token::{AccessToken, Refusal};
use super::consents::{self, ConsentService};
use super::reply;
use super::state::State;
use crate::person_id::PersonId;

pub(super) const BASE_PATH: &str = "/skatteetaten";

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
    let token = match AccessToken::bearer(&headers, verify).and_then(require_scope) {
        Ok(token) => token,
        Err(refusal) => return refusal.into_response(),
    };
    let header = headers.get("AltinnSamtykke");
    let header = header.and_then(|value| value.to_str().ok());
    let service = ConsentService::Skatteetaten;
    let consent = match consents::check(&state.consents, service, header, &token, now) {
        Ok(consent) => consent,
        Err(problem) => return refuse(problem),
    };
    let mut asked = path
        .split('/')
        .filter_map(|part| part.parse::<PersonId>().ok());
    if asked.any(|person| person != consent.person) {
        return refuse("the consent is another person's");
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

/// Any scope of Skatteetaten's.
fn require_scope(token: AccessToken) -> Result<AccessToken, Refusal> {
    let mut scopes = token.text("scope").split(' ');
    if !scopes.any(|scope| scope.starts_with("skatteetaten:")) {
        token.require_scope(&["skatteetaten:inntekt"])?;
    }
    Ok(token)
}

fn refuse(problem: &str) -> Response {
    reply::json(StatusCode::FORBIDDEN, &json!({ "message": problem }))
}
