//! KRR's look-ups (docs.digdir.no, `oppslagstjenesten_rest`). The form of its refusals is not
//! public.

mod config;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) use config::KrrConfig;

use super::access_token::AccessToken;
use super::form::media_type;
use super::reply;
use super::state::State;
use crate::person_id::PersonId;
use config::Record;

pub(super) const BASE_PATH: &str = "/krr/rest";

const CONTACT: [&str; 2] = [
    "krr:global/kontaktinformasjon.read",
    "krr:global/kontaktinfo.read",
];
const DIGITAL_POST: [&str; 2] = ["krr:global/digitalpost.read", "krr:global/postkasse.read"];
const MOST_PERSONS: usize = 1000;

pub(super) fn routes() -> Router<Arc<State>> {
    let at = |path: &str| format!("{BASE_PATH}{path}");
    Router::new()
        .route(&at("/v1/personer"), post(version_1))
        .route(&at("/v2/personer"), post(version_2))
}

/// The body of version 1.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted1 {
    personidentifikatorer: Vec<PersonId>,
}

/// The body of version 2.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wanted2 {
    personidentifikatorer: Vec<PersonId>,
    #[serde(default)]
    inkluder_ikke_registrerte: bool,
}

async fn version_1(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let wanted = |body: &[u8]| {
        serde_json::from_slice::<Wanted1>(body).map(|wanted| (wanted.personidentifikatorer, false))
    };
    answer(&state, &headers, &body, wanted)
}

async fn version_2(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let wanted = |body: &[u8]| {
        serde_json::from_slice::<Wanted2>(body).map(|wanted| {
            (
                wanted.personidentifikatorer,
                wanted.inkluder_ikke_registrerte,
            )
        })
    };
    answer(&state, &headers, &body, wanted)
}

/// Answers about the persons that `wanted` reads from the body.
fn answer(
    state: &State,
    headers: &HeaderMap,
    body: &[u8],
    wanted: impl FnOnce(&[u8]) -> serde_json::Result<(Vec<PersonId>, bool)>,
) -> Response {
    let verify = |token: &str| state.maskinporten.verify_token(token, state.now());
    let admitted = AccessToken::bearer(headers, verify).and_then(|token| {
        token.require_scope(&[&CONTACT[..], &DIGITAL_POST[..]].concat())?;
        Ok(token)
    });
    let token = match admitted {
        Ok(token) => token,
        Err(refusal) => return refusal.into_response(),
    };
    if media_type(headers) != Some("application/json") {
        return refuse("Content-Type must be application/json");
    }
    let Ok((persons, include)) = wanted(body) else {
        return refuse("the body is not what is documented, or has no personal identifiers");
    };
    if !(1..=MOST_PERSONS).contains(&persons.len()) {
        return refuse("personidentifikatorer must have 1 to 1000 elements");
    }
    let found: Vec<_> = persons
        .iter()
        .filter_map(|person| match state.krr.persons.get(person) {
            Some(record) => Some(shown(person, record, &token)),
            None => include.then(
                || json!({ "personidentifikator": person.expose(), "status": "IKKE_REGISTRERT" }),
            ),
        })
        .collect();
    reply::json(StatusCode::OK, &json!({ "personer": found }))
}

/// What the token's scopes let its holder see.
fn shown(person: &PersonId, record: &Record, token: &AccessToken) -> Value {
    let mut record = record.clone();
    if !CONTACT.iter().any(|scope| token.has_scope(scope)) {
        record.kontaktinformasjon = None;
        record.varslingsstatus = None;
        record.spraak = None;
        record.spraak_oppdatert = None;
    }
    if !DIGITAL_POST.iter().any(|scope| token.has_scope(scope)) {
        record.digital_post = None;
        record.sertifikat = None;
    }
    let mut shown = json!(record);
    shown["personidentifikator"] = person.expose().into();
    shown
}

fn refuse(problem: &str) -> Response {
    let body = json!({ "error": "invalid_request", "error_description": problem });
    reply::json(StatusCode::BAD_REQUEST, &body)
}
