//! Maskinporten: the JWT grant of RFC 7523 section 2.1 and its token endpoint.

mod authentication;
mod authorization;
mod client;
mod details;
mod errors;
mod eseal;
mod grant;
mod token;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

pub(super) use authentication::KEY_LIFETIME;
pub(super) use client::{Client, MaskinportenConfig, Scope, check_keys};

use super::assertion::Jws;
use super::form::Form;
use super::issued::IssuedTokens;
use super::key_set::KeySet;
use super::replay::ReplayTable;
use super::reply;
use super::state::{State, Urls};
use super::token_signer::TokenSigner;
use crate::clock::UnixTime;
use crate::error::Result;
use crate::keys::Certificate;
use errors::Refusal;
use grant::Grant;
use token::{Holder, TokenResponse};

pub(super) const TOKEN_PATH: &str = "/maskinporten/token";
pub(super) const JWK_PATH: &str = "/maskinporten/jwk";
pub(super) const METADATA_PATH: &str = "/maskinporten/.well-known/oauth-authorization-server";

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The issuer: its key, and what is registered.
pub(super) struct Maskinporten {
    issuer: String,
    max_lifetime: i64,
    tolerated_claims: Vec<String>,
    eseal_issuers: Vec<Certificate>,
    signer: TokenSigner,
    used: ReplayTable,
    pub(super) issued: IssuedTokens,
    /// Seconds until a key that was registered over the administration API works.
    propagation_seconds: i64,
    registry: RwLock<Registry>,
}

#[derive(Default)]
struct Registry {
    clients: BTreeMap<String, Arc<Client>>,
    scopes: BTreeMap<String, Scope>,
    trusted: Vec<Certificate>,
}

impl Maskinporten {
    pub(super) fn new(config: MaskinportenConfig, urls: &Urls, now: UnixTime) -> Result<Self> {
        let service = Self {
            issuer: urls.maskinporten_issuer.clone(),
            max_lifetime: config.max_lifetime,
            tolerated_claims: config.tolerated_claims,
            eseal_issuers: config.eseals.trusted_certificates.0,
            signer: TokenSigner::rs256()?,
            used: ReplayTable::default(),
            issued: IssuedTokens::default(),
            propagation_seconds: config.propagation_seconds,
            registry: RwLock::default(),
        };
        service.put_scopes(config.scopes);
        service.trust(config.trusted_certificates.0);
        for client in config.clients {
            service.put_client(client, now);
        }
        Ok(service)
    }

    /// Adds a client, or replaces it with all its keys.
    pub(super) fn put_client(&self, mut client: Client, now: UnixTime) {
        if let Some(keys) = &mut client.jwks {
            keys.stamp(now);
        }
        self.write()
            .clients
            .insert(client.client_id.clone(), Arc::new(client));
    }

    /// Adds or replaces scopes.
    pub(super) fn put_scopes(&self, scopes: BTreeMap<String, Scope>) {
        self.write().scopes.extend(scopes);
    }

    /// Accepts these certificates, and those that they issued.
    pub(super) fn trust(&self, certificates: Vec<Certificate>) {
        self.write().trusted.extend(certificates);
    }

    /// The walk from an assertion to a token.
    fn issue(&self, assertion: &str, now: UnixTime) -> std::result::Result<TokenResponse, Refusal> {
        let jws = Jws::parse(assertion).map_err(|_| Refusal::malformed())?;
        grant::require_documented(&jws, &self.tolerated_claims)?;
        if let Some(seal) = eseal::authenticate(&jws, &self.eseal_issuers, now)? {
            grant::require_audience(&jws.claims, &self.issuer)?;
            let grant = self.usable_grant(&jws, seal.client_id(), now)?;
            let holder = seal.authorize(&grant, &self.read().scopes)?;
            return self.token(holder, &grant, None, now);
        }
        let client_id = grant::issuer(&jws.claims)?;
        let registry = self.read();
        let client = registry
            .clients
            .get(client_id)
            .ok_or_else(Refusal::unknown_client)?
            .as_seen_at(now);
        let client = &*client;
        grant::require_audience(&jws.claims, &self.issuer)?;
        let client_amr = authentication::authenticate(&jws, client, &registry.trusted, now)?;
        let grant = self.usable_grant(&jws, client_id, now)?;
        let access = authorization::authorize(&grant, client, &registry.scopes)?;
        let details = grant
            .authorization_details
            .map(|requested| details::enrich(requested, client, access.consumer, now))
            .transpose()?;
        let holder = Holder {
            client_id,
            client_amr,
            consumer: details::organization(access.consumer),
            supplier: access.supplier.map(details::organization),
            lifetime: access.lifetime,
        };
        self.token(holder, &grant, details, now)
    }

    /// The grant of an authenticated sender, if it is in time and not used yet.
    fn usable_grant<'a>(
        &self,
        jws: &'a Jws<'_>,
        client_id: &str,
        now: UnixTime,
    ) -> std::result::Result<Grant<'a>, Refusal> {
        let grant = Grant::parse(&jws.claims)?;
        grant.require_time(now, self.max_lifetime)?;
        self.used
            .use_once(client_id, grant.jti, jws, grant.usable_until(), now)
            .map_err(Refusal::reused)?;
        Ok(grant)
    }

    fn token(
        &self,
        holder: Holder<'_>,
        grant: &Grant<'_>,
        details: Option<Value>,
        now: UnixTime,
    ) -> std::result::Result<TokenResponse, Refusal> {
        let expires_in = holder.lifetime;
        let claims = token::claims(&self.issuer, holder, grant, details, now);
        let access_token = self.signer.sign(&claims).map_err(|_| Refusal::server())?;
        if let Some(jti) = claims.get("jti").and_then(Value::as_str) {
            self.issued.put(jti, now.plus(expires_in), now);
        }
        Ok(TokenResponse {
            access_token,
            token_type: "Bearer",
            expires_in,
            scope: grant.scopes.join(" "),
        })
    }

    /// The claims of an access token that was issued here, is not expired and was
    /// not rejected; else what is wrong with it.
    pub(super) fn verify_token(
        &self,
        token: &str,
        now: UnixTime,
    ) -> std::result::Result<Map<String, Value>, &'static str> {
        let jws = Jws::parse(token).map_err(|_| "the token is malformed")?;
        if !self.signer.has_signed(&jws) {
            return Err("the token is not signed by Maskinporten");
        }
        let exp = jws.claims.get("exp").and_then(Value::as_i64);
        if exp.is_none_or(|exp| now.seconds() >= exp) {
            return Err("the token is expired");
        }
        let jti = jws.claims.get("jti").and_then(Value::as_str);
        if jti.is_none_or(|jti| self.issued.is_rejected(jti)) {
            return Err("the token was revoked");
        }
        Ok(jws.claims)
    }

    /// Every client, in the order of their identifiers.
    pub(super) fn clients(&self) -> Vec<Arc<Client>> {
        self.read().clients.values().cloned().collect()
    }

    /// Puts `keys` in the place of all keys of a client, or takes them away with
    /// `None`. What is registered already is renewed and keeps working.
    ///
    /// # Errors
    /// What the administration API says about a `kid` that another client has.
    pub(super) fn replace_keys(
        &self,
        client_id: &str,
        keys: Option<KeySet>,
        now: UnixTime,
    ) -> std::result::Result<(), String> {
        let mut registry = self.write();
        if let Some(keys) = &keys {
            let taken = registry
                .clients
                .values()
                .filter(|other| other.client_id != client_id)
                .filter_map(|other| other.jwks.as_ref())
                .flat_map(KeySet::iter)
                .find(|taken| keys.find(&taken.kid).is_some());
            if let Some(taken) = taken {
                return Err(format!("the kid \"{}\" is in use already", taken.kid));
            }
        }
        let Some(client) = registry.clients.get_mut(client_id) else {
            return Err("the client is gone".to_owned());
        };
        let client = Arc::make_mut(client);
        client.jwks = keys.map(|keys| {
            keys.uploaded(
                client.jwks.as_ref(),
                now,
                now.plus(self.propagation_seconds),
            )
        });
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Registry> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Registry> {
        self.registry
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route(TOKEN_PATH, post(token))
        .route(JWK_PATH, get(jwk))
        .route(METADATA_PATH, get(metadata))
}

async fn token(Extract(state): Extract<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    let service = &state.maskinporten;
    let answer =
        read_request(&headers, &body).and_then(|assertion| service.issue(&assertion, state.now()));
    match answer {
        Ok(token) => {
            state.count(|requests| requests.maskinporten_issued += 1);
            reply::private_json(StatusCode::OK, &token)
        }
        Err(refusal) => refusal.into_response(&service.issuer),
    }
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

/// The members of the test environment's document, no more.
async fn metadata(Extract(state): Extract<Arc<State>>) -> Response {
    let document = json!({
        "authorization_details_types_supported": details::TYPES,
        "grant_types_supported": [GRANT_TYPE],
        "issuer": state.urls.maskinporten_issuer,
        "jwks_uri": state.urls.maskinporten_jwks_uri,
        "token_endpoint": state.urls.maskinporten_token_endpoint,
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "RS384", "RS512"],
    });
    reply::json(StatusCode::OK, &document)
}
