//! An API that takes tokens of the service, each with a proof by the key that it is
//! bound to.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::json;

use super::super::access_token::AccessToken;
use super::super::api::require_scopes;
use super::super::dpop::Target;
use super::super::reply;
use super::super::state::State;

pub(in super::super) const PREFIX: &str = "/helseid/api/";
pub(in super::super) const ECHO_PATH: &str = "/helseid/api/echo";

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new().route("/helseid/api/{*path}", any(echo))
}

async fn echo(Extract(state): Extract<Arc<State>>, target: Target) -> Response {
    let (service, now) = (&state.helseid, state.now());
    let verify = |token: &str| service.verify_token(token, now);
    let admitted = AccessToken::with_proof(&target, &service.api_dpop, verify, now);
    let mut response = match admitted.and_then(|token| require_scopes(token, &target.uri)) {
        Ok(token) => {
            let body = json!({
                "method": target.method.as_str(),
                "path": target.uri.path(),
                "client_id": token.text("client_id"),
                "scope": token.text("scope"),
                "jti": token.text("jti"),
                "jkt": token.bound_key(),
            });
            reply::json(StatusCode::OK, &body)
        }
        Err(refusal) => {
            if refusal.is_unauthorized() {
                state.count(|requests| requests.helseid_api_unauthorized += 1);
            }
            refusal.into_response()
        }
    };
    service.api_dpop.put_nonce(response.headers_mut(), now);
    response
}
