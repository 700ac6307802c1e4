//! Altinn's token for Maskinporten's (Altinn/altinn-authentication,
//! `AuthenticationController`).

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};
use url::form_urlencoded;
use uuid::Uuid;

use super::super::access_token::AccessToken;
use super::super::reply;
use super::super::state::State;
use super::super::tls::Connection;
use super::Altinn;
use crate::clock::UnixTime;

pub(in super::super) const EXCHANGE_PATH: &str =
    "/altinn/authentication/api/v1/exchange/maskinporten";
const OPENID_PATH: &str = "/altinn/authentication/api/v1/openid/";
const METADATA_PATH: &str = "/altinn/authentication/api/v1/openid/.well-known/openid-configuration";
const JWKS_PATH: &str =
    "/altinn/authentication/api/v1/openid/.well-known/openid-configuration/jwks";

/// Seconds that a token lives (`JwtValidityMinutes` is 30).
const LIFETIME: i64 = 1800;

/// Claims of the incoming token that the new one does not have.
const LEFT_OUT: [&str; 4] = ["aud", "iss", "client_amr", "sid"];

/// What the scopes of service owners begin with.
const SERVICE_OWNER: &str = "altinn:serviceowner";

/// Digdir's short name, and that of its test organisation.
const DIGDIR: (&str, &str) = ("digdir", "ttd");

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route(EXCHANGE_PATH, get(exchange))
        .route(
            "/altinn/authentication/api/v1/exchange/{provider}",
            get(unknown_provider),
        )
        .route(METADATA_PATH, get(metadata))
        .route(JWKS_PATH, get(jwks))
}

async fn exchange(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let now = state.now();
    let incoming = AccessToken::bearer(&headers, |token| {
        state.maskinporten.verify_token(token, now)
    });
    let Ok(incoming) = incoming else {
        // No details, as the real one.
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let is_test = form_urlencoded::parse(uri.query().unwrap_or("").as_bytes())
        .any(|(name, value)| name == "test" && value == "true");
    let issuer = format!("{}{OPENID_PATH}", state.urls(&connection).base);
    let claims = claims(&state.altinn, &incoming, &issuer, is_test, now);
    let Ok(token) = state.altinn.signer.sign(&claims) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if let Some(jti) = claims.get("jti").and_then(Value::as_str) {
        state.altinn.issued.put(jti, now.plus(LIFETIME), now);
    }
    state.count(|requests| requests.altinn_issued += 1);
    let wants_json = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("json"));
    match wants_json {
        true => reply::private_json(StatusCode::OK, &token),
        false => ([(header::CACHE_CONTROL, "no-store")], token).into_response(),
    }
}

fn claims(
    altinn: &Altinn,
    incoming: &AccessToken,
    issuer: &str,
    is_test: bool,
    now: UnixTime,
) -> Map<String, Value> {
    let mut claims = incoming.claims().clone();
    claims.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("iss", issuer.into());
    put("sid", Uuid::new_v4().to_string().into());
    put("jti", Uuid::new_v4().to_string().into());
    put("iat", now.seconds().into());
    put("nbf", now.seconds().into());
    put("exp", now.plus(LIFETIME).seconds().into());
    put("urn:altinn:orgNumber", incoming.consumer().into());
    put("urn:altinn:authenticatemethod", "maskinporten".into());
    put("urn:altinn:authlevel", 3.into());
    let is_owner = incoming
        .text("scope")
        .split(' ')
        .any(|scope| scope.starts_with(SERVICE_OWNER));
    if let Some(org) = altinn.service_owners.get(incoming.consumer())
        && is_owner
    {
        let org = match is_test && org == DIGDIR.0 {
            true => DIGDIR.1,
            false => org,
        };
        put("urn:altinn:org", org.into());
    }
    claims
}

async fn unknown_provider() -> Response {
    (
        StatusCode::BAD_REQUEST,
        "Invalid token provider. Trusted token providers are 'Maskinporten', 'Id-porten' and 'AltinnStudio'.",
    )
        .into_response()
}

async fn metadata(Extract(state): Extract<Arc<State>>, connection: Connection) -> Response {
    let base = &state.urls(&connection).base;
    let document = json!({
        "issuer": format!("{base}{OPENID_PATH}"),
        "jwks_uri": format!("{base}{JWKS_PATH}"),
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    reply::json(StatusCode::OK, &document)
}

async fn jwks(Extract(state): Extract<Arc<State>>) -> Response {
    reply::json(StatusCode::OK, &state.altinn.signer.jwks())
}
