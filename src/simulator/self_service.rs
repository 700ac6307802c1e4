//! Digdir's administration API, as far as keys go (docs.digdir.no,
//! `maskinporten_sjolvbetjening_api` and `oidc_api_admin`).
//!
//! The wording of its refusals is not public.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use uuid::Uuid;

use super::access_token::{self, AccessToken};
use super::form::media_type;
use super::key_set::KeySet;
use super::maskinporten::{self, Client};
use super::reply;
use super::state::State;

pub(super) const BASE_PATH: &str = "/self-service/api/v1";

const READ: [&str; 1] = ["idporten:dcr.read"];
const WRITE: [&str; 2] = ["idporten:dcr.write", "idporten:dcr.modify"];
/// Lets its holder work on clients of other organisations.
const SUPPLIER: &str = "idporten:dcr.supplier";

pub(super) fn routes() -> Router<Arc<State>> {
    let at = |path: &str| format!("{BASE_PATH}{path}");
    Router::new()
        .route(&at("/clients"), get(list))
        .route(&at("/clients/{id}"), get(show))
        .route(
            &at("/clients/{id}/jwks"),
            get(keys).post(replace).put(replace).delete(remove),
        )
}

/// Why a request is refused.
enum Refusal {
    Token(access_token::Refusal),
    Problem(StatusCode, String),
}

type Answer = Result<Response, Refusal>;

async fn list(Extract(state): Extract<Arc<State>>, headers: HeaderMap) -> Answer {
    let admin = admin(&state, &headers, &READ)?;
    let own: Vec<_> = state
        .maskinporten
        .clients()
        .iter()
        .filter(|client| may_manage(&admin, client))
        .map(|client| describe(client))
        .collect();
    Ok(reply::json(StatusCode::OK, &own))
}

async fn show(
    Extract(state): Extract<Arc<State>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let client = client(&state, &headers, &id, &READ)?;
    Ok(reply::json(StatusCode::OK, &describe(&client)))
}

async fn keys(
    Extract(state): Extract<Arc<State>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let client = client(&state, &headers, &id, &READ)?;
    Ok(reply::json(StatusCode::OK, &jwks(&client)))
}

/// `POST` and `PUT` both replace the whole set.
async fn replace(
    Extract(state): Extract<Arc<State>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    client(&state, &headers, &id, &WRITE)?;
    if media_type(&headers) != Some("application/json") {
        return Err(Refusal::Problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Content-Type must be application/json".to_owned(),
        ));
    }
    let set = read(&body).map_err(bad_request)?;
    change(&state, &headers, &id, Some(set))
}

async fn remove(
    Extract(state): Extract<Arc<State>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    client(&state, &headers, &id, &WRITE)?;
    change(&state, &headers, &id, None)
}

fn change(state: &State, headers: &HeaderMap, id: &str, set: Option<KeySet>) -> Answer {
    let is_set = set.is_some();
    state
        .maskinporten
        .replace_keys(id, set, state.now())
        .map_err(bad_request)?;
    state.count(|requests| requests.self_service_changes += 1);
    if !is_set {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let client = client(state, headers, id, &WRITE)?;
    Ok(reply::json(StatusCode::CREATED, &jwks(&client)))
}

/// The set in a request: `{"keys": […]}` and nothing else, with all that is
/// needed in each key.
fn read(body: &[u8]) -> Result<KeySet, String> {
    let value: Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let keys = value
        .get("keys")
        .and_then(Value::as_array)
        .ok_or("the body is no JWK set: {\"keys\": […]}")?;
    // Only the simulator's own configuration may date a key.
    if keys.iter().any(|key| key.get("registered_at").is_some()) {
        return Err("\"registered_at\" is unknown".to_owned());
    }
    if let Some(missing) = ["kty", "alg", "use", "e", "n", "kid"]
        .into_iter()
        .find(|name| keys.iter().any(|key| key.get(name).is_none()))
    {
        return Err(format!("a key has no \"{missing}\""));
    }
    let set = KeySet::from_value(&value)?;
    maskinporten::check_keys(&set)?;
    Ok(set)
}

/// The token of a request, which has one of `scopes`.
fn admin(state: &State, headers: &HeaderMap, scopes: &[&str]) -> Result<AccessToken, Refusal> {
    let token = AccessToken::bearer(headers, |token| {
        state.maskinporten.verify_token(token, state.now())
    })
    .map_err(Refusal::Token)?;
    token.require_scope(scopes).map_err(Refusal::Token)?;
    Ok(token)
}

/// The client that a request is about.
fn client(
    state: &State,
    headers: &HeaderMap,
    id: &str,
    scopes: &[&str],
) -> Result<Arc<Client>, Refusal> {
    let admin = admin(state, headers, scopes)?;
    state
        .maskinporten
        .clients()
        .into_iter()
        .find(|client| client.client_id == id && may_manage(&admin, client))
        .ok_or_else(|| {
            let problem = "no client of this organization has this client_id";
            Refusal::Problem(StatusCode::NOT_FOUND, problem.to_owned())
        })
}

fn may_manage(admin: &AccessToken, client: &Client) -> bool {
    admin.consumer() == client.orgno.as_str() || admin.has_scope(SUPPLIER)
}

fn describe(client: &Client) -> Value {
    json!({
        "client_id": client.client_id,
        "client_orgno": client.orgno.as_str(),
        "integration_type": "maskinporten",
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "scopes": client.scopes,
        "access_token_lifetime": client.access_token_lifetime,
    })
}

/// What is registered. A client without keys has an empty set.
fn jwks(client: &Client) -> Value {
    let Some(set) = &client.jwks else {
        return json!({ "keys": [] });
    };
    let keys: Vec<_> = set
        .iter()
        .map(|key| {
            let mut jwk = key.key.members();
            jwk.insert("kid".to_owned(), key.kid.as_str().into());
            jwk.insert("use".to_owned(), key.key_use.as_deref().into());
            jwk.insert("alg".to_owned(), key.alg.as_deref().into());
            if let Some(registered_at) = key.registered_at {
                let exp = registered_at.plus(maskinporten::KEY_LIFETIME);
                jwk.insert("exp".to_owned(), exp.seconds().into());
            }
            Value::Object(jwk)
        })
        .collect();
    json!({
        "created": set.created().map(|time| time.to_string()),
        "last_updated": set.last_updated().map(|time| time.to_string()),
        "keys": keys,
    })
}

fn bad_request(problem: String) -> Refusal {
    Refusal::Problem(StatusCode::BAD_REQUEST, problem)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Token(refusal) => refusal.into_response(),
            Self::Problem(status, problem) => {
                let body = json!({
                    "status": status.as_u16(),
                    "error": status.canonical_reason(),
                    "error_description": problem,
                    "correlation_id": Uuid::new_v4().to_string(),
                });
                reply::json(status, &body)
            }
        }
    }
}
