//! What Maskinporten answers on.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;

use super::super::dpop::{DpopConfig, Target};
use super::super::form::Form;
use super::super::reply;
use super::super::state::State;
use super::super::tls::Connection;
use super::errors::Refusal;
use super::{JWK_PATH, METADATA_PATH, TOKEN_PATH, details};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

pub(in super::super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route(TOKEN_PATH, post(token))
        .route(JWK_PATH, get(jwk))
        .route(METADATA_PATH, get(metadata))
}

async fn token(Extract(state): Extract<Arc<State>>, target: Target, body: Bytes) -> Response {
    let (service, now) = (&state.maskinporten, state.now());
    let issuer = &state.urls(&target.connection).maskinporten_issuer;
    let answer = read_request(&target.headers, &body)
        .and_then(|assertion| service.issue(issuer, &assertion, &target, now));
    let mut response = match answer {
        Ok(token) => {
            state.count(|requests| requests.maskinporten_issued += 1);
            reply::private_json(StatusCode::OK, &token)
        }
        Err(refusal) => refusal.into_response(issuer),
    };
    service.dpop.put_nonce(response.headers_mut(), now);
    response
}

fn read_request(headers: &HeaderMap, body: &[u8]) -> std::result::Result<String, Refusal> {
    let form = Form::parse(headers, body).map_err(Refusal::request)?;
    match form.get("grant_type") {
        Some(GRANT_TYPE) => {}
        Some(_) => return Err(Refusal::grant_type()),
        None => return Err(Refusal::request("Missing parameter grant_type")),
    }
    form.get("assertion")
        .map(str::to_owned)
        .ok_or_else(|| Refusal::request("Missing parameter assertion"))
}

async fn jwk(Extract(state): Extract<Arc<State>>) -> Response {
    reply::json(StatusCode::OK, &state.maskinporten.signer.jwks())
}

/// The members of the test environment's document, and that of DPoP where it is on.
async fn metadata(Extract(state): Extract<Arc<State>>, connection: Connection) -> Response {
    let urls = state.urls(&connection);
    let mut document = json!({
        "authorization_details_types_supported": details::TYPES,
        "grant_types_supported": [GRANT_TYPE],
        "issuer": urls.maskinporten_issuer,
        "jwks_uri": urls.maskinporten_jwks_uri,
        "token_endpoint": urls.maskinporten_token_endpoint,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "RS384", "RS512"],
    });
    let dpop = &state.maskinporten.dpop;
    if !dpop.is_off() {
        document[DpopConfig::METADATA_MEMBER] = dpop.algorithms().into();
    }
    reply::json(StatusCode::OK, &document)
}
