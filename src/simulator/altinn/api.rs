//! An API behind Altinn's own tokens: it says whose token it got.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::json;

use super::super::access_token::AccessToken;
use super::super::api::require_scopes;
use super::super::reply;
use super::super::state::State;

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new().route("/altinn/api/echo", any(echo))
}

async fn echo(
    Extract(state): Extract<Arc<State>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let (altinn, now) = (&state.altinn, state.now());
    let verify = |token: &str| altinn.signer.verify(token, &altinn.issued, now);
    let admitted = AccessToken::bearer(&headers, verify);
    match admitted.and_then(|token| require_scopes(token, &uri)) {
        Ok(token) => {
            let body = json!({
                "method": method.as_str(),
                "path": uri.path(),
                "orgNumber": token.text("urn:altinn:orgNumber"),
                "org": token.text("urn:altinn:org"),
                "scope": token.text("scope"),
                "jti": token.text("jti"),
            });
            reply::json(StatusCode::OK, &body)
        }
        Err(refusal) => refusal.into_response(),
    }
}
