//! A service like HelseID: client credentials with `private_key_jwt`, and access
//! tokens that are bound to a key (RFC 9449).

mod api;
mod config;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(super) use api::{ECHO_PATH, PREFIX as API_PREFIX};
pub(super) use config::{Client, DPOP, HelseidConfig};

use super::access_token::AccessToken;
use super::client_assertion::{self, AssertionTyp, Audience, Rules};
use super::client_credentials;
use super::dpop::{Dpop, DpopConfig, Target};
use super::form::Form;
use super::issued::IssuedTokens;
use super::oauth_error::Refusal;
use super::replay::ReplayTable;
use super::reply;
use super::state::State;
use super::tls::Connection;
use super::token_signer::TokenSigner;
use crate::alg::Algorithm;
use crate::clock::UnixTime;
use crate::error::Result;

pub(super) const TOKEN_PATH: &str = "/helseid/connect/token";
pub(super) const JWKS_PATH: &str = "/helseid/.well-known/openid-configuration/jwks";
pub(super) const METADATA_PATH: &str = "/helseid/.well-known/openid-configuration";

/// The service: its key, and what is registered.
pub(super) struct Helseid {
    max_lifetime: i64,
    assertion_typ: AssertionTyp,
    access_token_lifetime: i64,
    signer: TokenSigner,
    used: ReplayTable,
    pub(super) issued: IssuedTokens,
    /// Of the token endpoint.
    pub(super) dpop: Dpop,
    /// Of the API, which has nonces of its own.
    pub(super) api_dpop: Dpop,
    clients: Mutex<BTreeMap<String, Arc<Client>>>,
}

impl Helseid {
    pub(super) fn new(config: HelseidConfig, now: UnixTime) -> Result<Self> {
        let service = Self {
            max_lifetime: config.max_lifetime,
            assertion_typ: config.assertion_typ,
            access_token_lifetime: config.access_token_lifetime,
            signer: TokenSigner::es256()?.with_typ("at+jwt"),
            used: ReplayTable::default(),
            issued: IssuedTokens::default(),
            dpop: Dpop::new(&config.dpop, DPOP, now),
            api_dpop: Dpop::new(&config.dpop, DPOP, now),
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

    /// The walk from a request to a token response. The assertion is used before the
    /// proof is looked at, so that each attempt needs a new one of both.
    fn issue(
        &self,
        issuer: &str,
        target: &Target,
        body: &[u8],
        now: UnixTime,
    ) -> std::result::Result<Value, Refusal> {
        let form = client_credentials::read(&target.headers, body)?;
        let client = self.authenticate(issuer, &form, now)?;
        let key = self.dpop.proven_key(target, None, now).map_err(|refusal| {
            Refusal::dpop(refusal.error(), refusal.description("Authorization server"))
        })?;
        let scope = client_credentials::scope(&form, &client.scopes)?;
        let claims = self.claims(issuer, &client, &scope, key.as_deref(), now);
        if let Some(jti) = claims.get("jti").and_then(Value::as_str) {
            self.issued
                .put(jti, now.plus(self.access_token_lifetime), now);
        }
        Ok(json!({
            "access_token": self.signer.sign(&claims).map_err(|_| Refusal::server())?,
            "expires_in": self.access_token_lifetime,
            "token_type": if key.is_some() { "DPoP" } else { "Bearer" },
            "scope": scope,
        }))
    }

    fn authenticate(
        &self,
        issuer: &str,
        form: &Form,
        now: UnixTime,
    ) -> std::result::Result<Arc<Client>, Refusal> {
        let jws = client_assertion::of(form)?;
        let client_id = client_assertion::claimed_client(&jws, form)?;
        let client = self.clients().get(client_id).cloned();
        let client =
            client.ok_or_else(|| Refusal::client("iss of client_assertion is no known client"))?;
        let rules = Rules {
            algorithms: &Algorithm::ALL,
            typ: self.assertion_typ,
            audience: Audience::Issuer(issuer),
            max_lifetime: self.max_lifetime,
        };
        client_assertion::authenticate(&jws, client_id, &client.jwks, &rules, &self.used, now)?;
        Ok(client)
    }

    fn claims(
        &self,
        issuer: &str,
        client: &Client,
        scope: &str,
        key: Option<&str>,
        now: UnixTime,
    ) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("iss", issuer.into());
        put("nbf", now.seconds().into());
        put("iat", now.seconds().into());
        put("exp", now.plus(self.access_token_lifetime).seconds().into());
        put("client_id", client.client_id.as_str().into());
        put("scope", scope.into());
        put("jti", Uuid::new_v4().simple().to_string().into());
        if let Some(jkt) = key {
            put("cnf", json!({ "jkt": jkt }));
        }
        claims
    }

    fn verify_token(
        &self,
        token: &str,
        now: UnixTime,
    ) -> std::result::Result<AccessToken, &'static str> {
        self.signer.verify(token, &self.issued, now)
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
        .merge(api::routes())
}

async fn token(Extract(state): Extract<Arc<State>>, target: Target, body: Bytes) -> Response {
    let (service, now) = (&state.helseid, state.now());
    let issuer = &state.urls(&target.connection).helseid_issuer;
    let mut response = match service.issue(issuer, &target, &body, now) {
        Ok(token) => {
            state.count(|requests| requests.helseid_issued += 1);
            reply::private_json(StatusCode::OK, &token)
        }
        Err(refusal) => refusal.into_bad_request().into_response(),
    };
    service.dpop.put_nonce(response.headers_mut(), now);
    response
}

async fn jwks(Extract(state): Extract<Arc<State>>) -> Response {
    reply::json(StatusCode::OK, &state.helseid.signer.jwks())
}

async fn metadata(Extract(state): Extract<Arc<State>>, connection: Connection) -> Response {
    let urls = state.urls(&connection);
    let algorithms: Vec<_> = Algorithm::ALL.iter().map(|alg| alg.name()).collect();
    let mut document = json!({
        "issuer": urls.helseid_issuer,
        "jwks_uri": urls.helseid_jwks_uri,
        "token_endpoint": urls.helseid_token_endpoint,
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
    });
    let dpop = &state.helseid.dpop;
    if !dpop.is_off() {
        document[DpopConfig::METADATA_MEMBER] = dpop.algorithms().into();
    }
    reply::json(StatusCode::OK, &document)
}
