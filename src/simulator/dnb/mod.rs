//! DNB: client credentials with `private_key_jwt`, and what stands in for the
//! people who register clients.

mod client;
mod client_assertion;
mod errors;
mod registration;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(super) use client::{Client, DnbConfig};

use super::assertion::Jws;
use super::form::Form;
use super::key_set::KeySet;
use super::replay::{ReplayTable, Reuse};
use super::reply;
use super::state::{State, Urls};
use super::token_signer::TokenSigner;
use crate::clock::UnixTime;
use crate::error::Result;
use errors::Refusal;

pub(super) const TOKEN_PATH: &str = "/dnb/as/token.oauth2";
pub(super) const JWKS_PATH: &str = "/dnb/jwks";
pub(super) const METADATA_PATH: &str = "/dnb/.well-known/openid-configuration";

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Seconds that an access token lives.
const TOKEN_LIFETIME: i64 = 3600;

/// The bank: its key, and what is registered.
pub(super) struct Dnb {
    issuer: String,
    audiences: Vec<String>,
    registration_audience: String,
    registration_scopes: Vec<String>,
    signer: TokenSigner,
    used: ReplayTable,
    clients: Mutex<BTreeMap<String, Arc<Client>>>,
}

impl Dnb {
    pub(super) fn new(config: DnbConfig, urls: &Urls, now: UnixTime) -> Result<Self> {
        let mut audiences = config.audiences;
        audiences.push(urls.dnb_token_endpoint.clone());
        let service = Self {
            issuer: urls.dnb_issuer.clone(),
            audiences,
            registration_audience: config.registration_audience,
            registration_scopes: config.scopes,
            signer: TokenSigner::es256()?,
            used: ReplayTable::default(),
            clients: Mutex::default(),
        };
        for client in config.clients {
            service.put_client(client, now);
        }
        Ok(service)
    }

    /// Adds a client, or replaces it with all its keys.
    pub(super) fn put_client(&self, mut client: Client, now: UnixTime) {
        client.jwks.stamp(now);
        self.clients()
            .insert(client.client_id.clone(), Arc::new(client));
    }

    /// Registers the key that a registration JWT proves: for `client_id`, which
    /// keeps its other keys and scopes if it is known, or for a new client.
    pub(super) fn register(&self, jwt: &str, client_id: Option<&str>, now: UnixTime) -> Response {
        let key = match registration::verify(jwt, &self.registration_audience, now) {
            Ok(key) => key,
            Err(refusal) => return refusal.into_response(),
        };
        let kid = key.kid.clone();
        let client_id = client_id.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
        let mut clients = self.clients();
        let client = match clients.get(&client_id) {
            Some(known) => {
                let mut client = Client::clone(known);
                client.jwks.put(key);
                client
            }
            None => Client {
                client_id: client_id.clone(),
                jwks: KeySet::of(key),
                scopes: self.registration_scopes.clone(),
            },
        };
        clients.insert(client_id.clone(), Arc::new(client));
        reply::json(
            StatusCode::CREATED,
            &json!({ "client_id": client_id, "kid": kid }),
        )
    }

    /// The walk from a request to a token response.
    fn issue(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: UnixTime,
    ) -> std::result::Result<Value, Refusal> {
        let form = Form::parse(headers, body).map_err(Refusal::request)?;
        match form.get("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(Refusal::grant_type()),
            None => return Err(Refusal::request("grant_type is missing")),
        }
        let client = self.authenticate(&form, now)?;
        let scope = match form.get("scope") {
            Some(requested) => {
                let unknown = requested
                    .split(' ')
                    .find(|scope| !client.scopes.iter().any(|allowed| allowed == scope));
                if let Some(unknown) = unknown {
                    return Err(Refusal::scope(unknown));
                }
                requested.to_owned()
            }
            None => client.scopes.join(" "),
        };
        let claims = self.claims(&client, &scope, now);
        Ok(json!({
            "access_token": self.signer.sign(&claims).map_err(|_| Refusal::server())?,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFETIME,
            "scope": scope,
        }))
    }

    fn authenticate(
        &self,
        form: &Form,
        now: UnixTime,
    ) -> std::result::Result<Arc<Client>, Refusal> {
        if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
            return Err(Refusal::client(format!(
                "client_assertion_type must be {ASSERTION_TYPE}"
            )));
        }
        let assertion = form
            .get("client_assertion")
            .ok_or_else(|| Refusal::client("client_assertion is missing"))?;
        let jws = Jws::parse(assertion).map_err(|problem| {
            Refusal::client(format!("client_assertion is malformed: {problem}"))
        })?;
        let client_id = client_assertion::claimed_client(&jws)?;
        if form
            .get("client_id")
            .is_some_and(|given| given != client_id)
        {
            return Err(Refusal::client("client_id is not iss of client_assertion"));
        }
        let client = self.clients().get(client_id).cloned();
        let client =
            client.ok_or_else(|| Refusal::client("iss of client_assertion is no known client"))?;
        let verified = client_assertion::verify(&jws, &client, &self.audiences, now)?;
        self.used
            .use_once(
                client_id,
                Some(verified.jti),
                &jws,
                verified.usable_until,
                now,
            )
            .map_err(|reuse| match reuse {
                Reuse::Used => Refusal::client("jti of client_assertion was used before"),
                Reuse::Full => Refusal::overloaded(),
            })?;
        Ok(client)
    }

    fn claims(&self, client: &Client, scope: &str, now: UnixTime) -> Map<String, Value> {
        let members = [
            ("iss", self.issuer.as_str().into()),
            ("sub", client.client_id.as_str().into()),
            ("client_id", client.client_id.as_str().into()),
            ("scope", scope.into()),
            ("iat", now.seconds().into()),
            ("exp", now.plus(TOKEN_LIFETIME).seconds().into()),
            ("jti", Uuid::new_v4().to_string().into()),
        ];
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn clients(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Client>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route(TOKEN_PATH, post(token))
        .route(JWKS_PATH, get(jwks))
        .route(METADATA_PATH, get(metadata))
}

async fn token(Extract(state): Extract<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    match state.dnb.issue(&headers, &body, state.now()) {
        Ok(token) => {
            state.count(|requests| requests.dnb_issued += 1);
            reply::private_json(StatusCode::OK, &token)
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn jwks(Extract(state): Extract<Arc<State>>) -> Response {
    reply::json(StatusCode::OK, &state.dnb.signer.jwks())
}

async fn metadata(Extract(state): Extract<Arc<State>>) -> Response {
    let document = json!({
        "grant_types_supported": ["client_credentials"],
        "issuer": state.urls.dnb_issuer,
        "jwks_uri": state.urls.dnb_jwks_uri,
        "token_endpoint": state.urls.dnb_token_endpoint,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
    });
    reply::json(StatusCode::OK, &document)
}
