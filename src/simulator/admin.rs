//! What a test or a demonstration changes while the simulator runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::form_urlencoded;
use uuid::Uuid;

use super::config::parse_json;
use super::form::media_type;
use super::outage::OutageList;
use super::state::State;
use super::{altinn, dnb, helseid, maskinporten, reply};
use crate::error::{Error, ErrorCode, Result};
use crate::keys::Certificate;

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/admin/maskinporten/clients", post(maskinporten_client))
        .route("/admin/maskinporten/scopes", post(maskinporten_scopes))
        .route(
            "/admin/maskinporten/trusted-certificates",
            post(trusted_certificates),
        )
        .route(
            "/admin/altinn/consent-requests/{id}",
            post(answer_consent_request),
        )
        .route("/admin/dnb/clients", post(dnb_client))
        .route("/admin/dnb/psd2/approve", post(approve))
        .route("/admin/dnb/register", post(dnb_register))
        .route("/admin/helseid/clients", post(helseid_client))
        .route("/admin/tls/ca", get(ca))
        .route("/admin/outage", post(begin_outage).delete(end_outage))
        .route("/admin/api/reject", post(reject_tokens))
        .route("/admin/requests", get(requests))
}

async fn maskinporten_client(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(read::<maskinporten::Client>(&headers, &body).map(|client| {
        let client_id = client.client_id.clone();
        state.maskinporten.put_client(client, state.now());
        json!({ "client_id": client_id })
    }))
}

async fn maskinporten_scopes(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(
        read::<BTreeMap<String, maskinporten::Scope>>(&headers, &body).map(|scopes| {
            let names: Vec<_> = scopes.keys().cloned().collect();
            state.maskinporten.put_scopes(scopes);
            json!({ "scopes": names })
        }),
    )
}

async fn trusted_certificates(Extract(state): Extract<Arc<State>>, body: Bytes) -> Response {
    answer(Certificate::read_chain(&body).map(|certificates| {
        let subjects: Vec<_> = certificates.iter().map(Certificate::subject).collect();
        state.maskinporten.trust(certificates);
        json!({ "trusted": subjects })
    }))
}

/// What who is asked for consent answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsentAnswer {
    status: altinn::Status,
}

async fn answer_consent_request(
    Extract(state): Extract<Arc<State>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answered = read::<ConsentAnswer>(&headers, &body).and_then(|ConsentAnswer { status }| {
        let id = Uuid::try_parse(&id).map_err(|_| refused("the id is no UUID"))?;
        let answered = state.altinn.consents.answer(id, status, state.now());
        answered.map_err(refused)?;
        Ok(json!({ "id": id.to_string(), "status": status }))
    });
    answer(answered)
}

/// A consent or payment at DNB that its person approves.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    id: String,
}

async fn approve(Extract(state): Extract<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    let approved = read::<Approval>(&headers, &body).and_then(|Approval { id }| {
        state.dnb.psd2.approve(&id).map_err(refused)?;
        Ok(json!({ "id": id }))
    });
    answer(approved)
}

fn refused(problem: &str) -> Error {
    Error::new(ErrorCode::Config, problem)
}

async fn dnb_client(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(read::<dnb::Client>(&headers, &body).map(|client| {
        let client_id = client.client_id.clone();
        state.dnb.put_client(client, state.now());
        json!({ "client_id": client_id })
    }))
}

async fn helseid_client(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(read::<helseid::Client>(&headers, &body).map(|client| {
        let client_id = client.client_id.clone();
        state.helseid.put_client(client, state.now());
        json!({ "client_id": client_id })
    }))
}

/// What clients have to trust for HTTPS, PEM.
async fn ca(Extract(state): Extract<Arc<State>>) -> Response {
    match &state.identity {
        Some(identity) => {
            let media_type = [(header::CONTENT_TYPE, "application/x-pem-file")];
            (media_type, identity.ca_pem().to_owned()).into_response()
        }
        None => (StatusCode::NOT_FOUND, "HTTPS is not served\n").into_response(),
    }
}

async fn dnb_register(Extract(state): Extract<Arc<State>>, uri: Uri, body: String) -> Response {
    let query = uri.query().unwrap_or("");
    let client_id = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "client_id")
        .map(|(_, value)| value.into_owned());
    state.dnb.register(&body, client_id.as_deref(), state.now())
}

async fn begin_outage(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match read::<OutageList>(&headers, &body) {
        Ok(OutageList(outages)) => {
            state.outages.set(outages);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => refuse(&error),
    }
}

async fn end_outage(Extract(state): Extract<Arc<State>>) -> Response {
    state.outages.set(Vec::new());
    StatusCode::NO_CONTENT.into_response()
}

/// Which access tokens the APIs refuse from now on: one by its `jti`, or all that
/// were issued so far.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rejection {
    jti: Option<String>,
    #[serde(default)]
    all: bool,
}

async fn reject_tokens(
    Extract(state): Extract<Arc<State>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(
        read::<Rejection>(&headers, &body).and_then(|rejection| match rejection {
            Rejection {
                jti: None,
                all: true,
            } => Ok(json!({ "rejected": state.reject_tokens() })),
            Rejection {
                jti: Some(jti),
                all: false,
            } if state.reject_token(&jti) => Ok(json!({ "rejected": 1 })),
            Rejection { all: false, .. } => Err(Error::new(
                ErrorCode::Config,
                "no token with this jti is alive; give \"jti\" of one, or \"all\": true",
            )),
            Rejection { all: true, .. } => Err(Error::new(
                ErrorCode::Config,
                "\"jti\" and \"all\" exclude each other",
            )),
        }),
    )
}

async fn requests(Extract(state): Extract<Arc<State>>) -> Response {
    reply::json(StatusCode::OK, &state.requests())
}

/// The body as JSON. Its media type is required, so that no web page can post
/// here without the browser asking first.
fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T> {
    if media_type(headers) != Some("application/json") {
        return Err(Error::new(
            ErrorCode::Config,
            "Content-Type must be application/json",
        ));
    }
    parse_json(body)
}

fn answer(result: Result<serde_json::Value>) -> Response {
    match result {
        Ok(body) => reply::json(StatusCode::CREATED, &body),
        Err(error) => refuse(&error),
    }
}

fn refuse(error: &Error) -> Response {
    let body = json!({
        "error": error.code().name(),
        "error_description": error.message(),
        "path": error.details().config_path,
    });
    reply::json(StatusCode::BAD_REQUEST, &body)
}
