//! An API behind Maskinporten's access tokens: it says whose token it got.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::json;
use url::form_urlencoded;

use super::bearer::{Bearer, Refusal};
use super::reply;
use super::state::State;

pub(super) const PREFIX: &str = "/api/";
pub(super) const ECHO_PATH: &str = "/api/echo";

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new().route("/api/{*path}", any(echo))
}

async fn echo(
    Extract(state): Extract<Arc<State>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match admit(&state, &uri, &headers) {
        Ok(token) => {
            let body = json!({
                "method": method.as_str(),
                "path": uri.path(),
                "client_id": token.text("client_id"),
                "consumer": token.consumer(),
                "scope": token.text("scope"),
                "jti": token.text("jti"),
            });
            reply::json(StatusCode::OK, &body)
        }
        Err(refusal) => {
            if refusal.is_unauthorized() {
                state.count(|requests| requests.api_unauthorized += 1);
            }
            refusal.into_response()
        }
    }
}

/// The token of a request, which has every scope that the query names.
fn admit(state: &State, uri: &Uri, headers: &HeaderMap) -> Result<Bearer, Refusal> {
    let token = Bearer::of(state, headers)?;
    for (name, scope) in form_urlencoded::parse(uri.query().unwrap_or("").as_bytes()) {
        if name == "scope" {
            token.require_scope(&[&scope])?;
        }
    }
    Ok(token)
}
