//! DNB: client credentials with `private_key_jwt` and a client certificate, an API,
//! and what stands in for the people who register clients.

mod api;
mod certificate;
mod client;
mod currencies;
mod metadata;
mod psd2;
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

pub(super) use api::{ECHO_PATH, PREFIX as API_PREFIX};
pub(super) use certificate::MutualTls;
pub(super) use client::{Client, DnbConfig};
pub(super) use currencies::CURRENCIES_PATH;
pub(super) use psd2::{PREFIX as PSD2_PREFIX, PSD2_PATH};

use super::access_token::AccessToken;
use super::client_assertion::{self, AssertionTyp, Audience, Rules};
use super::client_credentials;
use super::form::Form;
use super::issued::IssuedTokens;
use super::key_set::KeySet;
use super::oauth_error::Refusal;
use super::replay::ReplayTable;
use super::reply;
use super::state::State;
use super::tls::Connection;
use super::token_signer::TokenSigner;
use super::urls::Urls;
use crate::alg::Algorithm;
use crate::clock::UnixTime;
use crate::error::Result;
use crate::keys::Certificate;
use certificate::Policy;
use currencies::CurrenciesConfig;
use psd2::Psd2;

pub(super) const TOKEN_PATH: &str = "/dnb/as/token.oauth2";
pub(super) const JWKS_PATH: &str = "/dnb/jwks";
pub(super) const METADATA_PATH: &str = "/dnb/.well-known/openid-configuration";

/// Where RFC 8414 section 3.1 puts the metadata of an issuer with a path.
pub(super) const OAUTH_METADATA_PATH: &str = "/.well-known/oauth-authorization-server/dnb";

/// Most seconds from issue to expiry of an assertion: the lifetime of DNB's sample
/// token.
const MAX_LIFETIME: i64 = 1200;

/// Seconds that an access token lives.
const TOKEN_LIFETIME: i64 = 3600;

/// The bank: its key, and what is registered.
pub(super) struct Dnb {
    audiences: Vec<String>,
    assertion_typ: AssertionTyp,
    policy: Policy,
    registration_audience: String,
    registration_scopes: Vec<String>,
    signer: TokenSigner,
    used: ReplayTable,
    currencies: CurrenciesConfig,
    pub(super) psd2: Psd2,
    pub(super) issued: IssuedTokens,
    clients: Mutex<BTreeMap<String, Arc<Client>>>,
}

impl Dnb {
    /// `trusted` are the issuers of client certificates.
    pub(super) fn new(
        config: DnbConfig,
        trusted: Vec<Certificate>,
        urls: &Urls,
        now: UnixTime,
    ) -> Result<Self> {
        let mut audiences = config.audiences;
        for urls in std::iter::once(urls).chain(urls.https.as_deref()) {
            audiences.push(urls.dnb_token_endpoint.clone());
            audiences.push(urls.dnb_issuer.clone());
        }
        let service = Self {
            audiences,
            assertion_typ: config.assertion_typ,
            policy: Policy {
                mutual_tls: config.mutual_tls,
                trusted,
            },
            registration_audience: config.registration_audience,
            registration_scopes: config.scopes,
            signer: TokenSigner::es256()?,
            used: ReplayTable::default(),
            currencies: config.currencies,
            psd2: Psd2::new(config.psd2),
            issued: IssuedTokens::default(),
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
                certificates: Vec::new(),
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
        issuer: &str,
        connection: &Connection,
        headers: &HeaderMap,
        body: &[u8],
        now: UnixTime,
    ) -> std::result::Result<Value, Refusal> {
        let form = client_credentials::read(headers, body)?;
        let client = self.authenticate(&form, now)?;
        let certificate = self
            .policy
            .thumbprint(connection, &client.certificates, now)
            .map_err(Refusal::client)?;
        let scope = client_credentials::scope(&form, &client.scopes)?;
        let mut claims = claims(issuer, &client, &scope, now);
        if let Some(thumbprint) = certificate {
            claims.insert("cnf".to_owned(), json!({ "x5t#S256": thumbprint }));
        }
        if let Some(jti) = claims.get("jti").and_then(Value::as_str) {
            self.issued.put(jti, now.plus(TOKEN_LIFETIME), now);
        }
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
        let jws = client_assertion::of(form)?;
        let client_id = client_assertion::claimed_client(&jws, form)?;
        let client = self.clients().get(client_id).cloned();
        let client =
            client.ok_or_else(|| Refusal::client("iss of client_assertion is no known client"))?;
        let rules = Rules {
            algorithms: &[Algorithm::ES256],
            typ: self.assertion_typ,
            audience: Audience::AnyOf(&self.audiences),
            max_lifetime: MAX_LIFETIME,
        };
        client_assertion::authenticate(&jws, client_id, &client.jwks, &rules, &self.used, now)?;
        Ok(client)
    }

    /// An access token that was issued here and is good; else what is wrong with it.
    fn verify_token(
        &self,
        token: &str,
        now: UnixTime,
    ) -> std::result::Result<AccessToken, &'static str> {
        self.signer.verify(token, &self.issued, now)
    }

    fn demands_certificate(&self, connection: &Connection) -> bool {
        self.policy.demands(connection)
    }

    /// The thumbprint of the certificate that a client shows, if it must be or is
    /// shown; else what is wrong with it.
    fn certificate_of(
        &self,
        client_id: &str,
        connection: &Connection,
        now: UnixTime,
    ) -> std::result::Result<Option<String>, &'static str> {
        let client = self.clients().get(client_id).cloned();
        let registered = client.as_ref().map(|client| client.certificates.as_slice());
        self.policy
            .thumbprint(connection, registered.unwrap_or_default(), now)
    }

    fn clients(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Client>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn claims(issuer: &str, client: &Client, scope: &str, now: UnixTime) -> Map<String, Value> {
    let members = [
        ("iss", issuer.into()),
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

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route(TOKEN_PATH, post(token))
        .route(JWKS_PATH, get(jwks))
        .route(METADATA_PATH, get(metadata))
        .route(OAUTH_METADATA_PATH, get(metadata))
        .merge(api::routes())
        .merge(currencies::routes())
        .merge(psd2::routes())
}

async fn token(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let issuer = &state.urls(&connection).dnb_issuer;
    let token = state
        .dnb
        .issue(issuer, &connection, &headers, &body, state.now());
    match token {
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

async fn metadata(Extract(state): Extract<Arc<State>>, connection: Connection) -> Response {
    let scopes = &state.dnb.registration_scopes;
    let document = metadata::document(state.urls(&connection), scopes);
    reply::json(StatusCode::OK, &document)
}
