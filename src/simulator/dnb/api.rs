//! An API of the bank: a Bearer token, and the certificate that it is bound to.
//!
//! The bodies of the real ones are not public. These take any JSON and say what
//! they got.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use serde_json::{Value, json};

use super::super::access_token::{AccessToken, Refusal};
use super::super::api::require_scopes;
use super::super::form::media_type;
use super::super::reply;
use super::super::state::State;
use super::super::tls::Connection;

pub(in super::super) const PREFIX: &str = "/dnb/api/";
pub(in super::super) const ECHO_PATH: &str = "/dnb/api/echo";

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route(ECHO_PATH, any(echo))
        .route("/dnb/api/prevalidation/{market}", post(prevalidate))
}

async fn echo(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let admitted = admit(&state, &connection, &headers);
    match admitted.and_then(|token| require_scopes(token, &uri)) {
        Ok(token) => {
            let body = json!({
                "method": method.as_str(),
                "path": uri.path(),
                "client_id": token.text("client_id"),
                "scope": token.text("scope"),
                "jti": token.text("jti"),
                "x5t#S256": connection.thumbprint(),
            });
            reply::json(StatusCode::OK, &body)
        }
        Err(refusal) => refuse(&state, refusal),
    }
}

async fn prevalidate(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    Path(market): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !matches!(market.as_str(), "norway" | "international") {
        return problem(StatusCode::NOT_FOUND, "there is norway and international");
    }
    let scope = format!("openbanking.prevalidation.{market}:validate");
    let token = match admit(&state, &connection, &headers) {
        Ok(token) => token,
        Err(refusal) => return refuse(&state, refusal),
    };
    if let Err(refusal) = token.require_scope(&[&scope]) {
        return refuse(&state, refusal);
    }
    if media_type(&headers) != Some("application/json") {
        return problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Content-Type must be application/json",
        );
    }
    match serde_json::from_slice::<Value>(&body) {
        Ok(request) if request.is_object() => {
            let body = json!({ "client_id": token.text("client_id"), "request": request });
            reply::json(StatusCode::OK, &body)
        }
        _ => problem(StatusCode::BAD_REQUEST, "the body is no JSON object"),
    }
}

/// The token of a request that came over the right connection.
fn admit(
    state: &State,
    connection: &Connection,
    headers: &HeaderMap,
) -> Result<AccessToken, Refusal> {
    let (dnb, now) = (&state.dnb, state.now());
    let token = AccessToken::bearer(headers, |token| dnb.verify_token(token, now))?;
    let thumbprint = dnb
        .certificate_of(token.text("client_id"), connection, now)
        .map_err(Refusal::invalid)?;
    match token.bound_certificate() {
        Some(bound) if thumbprint.as_deref() != Some(bound) => Err(Refusal::invalid(
            "the token is bound to another certificate than the connection's",
        )),
        None if dnb.demands_certificate(connection) => Err(Refusal::invalid(
            "the token is bound to no certificate; fetch it with the one that calls this API",
        )),
        _ => Ok(token),
    }
}

fn refuse(state: &State, refusal: Refusal) -> Response {
    if refusal.is_unauthorized() {
        state.count(|requests| requests.dnb_api_unauthorized += 1);
    }
    refusal.into_response()
}

fn problem(status: StatusCode, description: &str) -> Response {
    let body = json!({ "error": "invalid_request", "error_description": description });
    reply::json(status, &body)
}
