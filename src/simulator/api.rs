//! An API behind Maskinporten's access tokens: it says whose token it got.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Extract;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::json;
use url::form_urlencoded;

use super::access_token::{AccessToken, Refusal};
use super::dpop::Target;
use super::reply;
use super::state::State;

pub(super) const PREFIX: &str = "/api/";
pub(super) const ECHO_PATH: &str = "/api/echo";

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new().route("/api/{*path}", any(echo))
}

async fn echo(Extract(state): Extract<Arc<State>>, target: Target) -> Response {
    let dpop = &state.maskinporten.api_dpop;
    let now = state.now();
    let verify = |token: &str| state.maskinporten.verify_token(token, now);
    let admitted = AccessToken::with_proof(&target, dpop, verify, now);
    let mut response = match admitted.and_then(|token| require_scopes(token, &target.uri)) {
        Ok(token) => {
            let body = json!({
                "method": target.method.as_str(),
                "path": target.uri.path(),
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
    };
    dpop.put_nonce(response.headers_mut(), now);
    response
}

/// The token, if it has every scope that the query names.
pub(super) fn require_scopes(token: AccessToken, uri: &Uri) -> Result<AccessToken, Refusal> {
    for (name, scope) in form_urlencoded::parse(uri.query().unwrap_or("").as_bytes()) {
        if name == "scope" {
            token.require_scope(&[&scope])?;
        }
    }
    Ok(token)
}
