//! Maskinporten: the JWT grant of RFC 7523 section 2.1 and its token endpoint.

mod authentication;
mod authorization;
mod client;
mod details;
mod endpoints;
mod errors;
mod eseal;
mod grant;
mod token;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;

pub(super) use authentication::KEY_LIFETIME;
pub(super) use client::{Client, DPOP, MaskinportenConfig, Scope, check_keys};
pub(super) use endpoints::routes;

use super::access_token::AccessToken;
use super::altinn::Consents;
use super::assertion::Jws;
use super::dpop::{Dpop, Target};
use super::issued::IssuedTokens;
use super::key_set::KeySet;
use super::replay::ReplayTable;
use super::token_signer::TokenSigner;
use crate::clock::UnixTime;
use crate::error::Result;
use crate::keys::Certificate;
use errors::Refusal;
use grant::Grant;
use token::{Holder, TokenResponse, token_type};

pub(super) const TOKEN_PATH: &str = "/maskinporten/token";
pub(super) const JWK_PATH: &str = "/maskinporten/jwk";
pub(super) const METADATA_PATH: &str = "/maskinporten/.well-known/oauth-authorization-server";

/// The issuer: its key, and what is registered.
pub(super) struct Maskinporten {
    max_lifetime: i64,
    tolerated_claims: Vec<String>,
    eseal_issuers: Vec<Certificate>,
    signer: TokenSigner,
    used: ReplayTable,
    pub(super) issued: IssuedTokens,
    /// Of the token endpoint.
    pub(super) dpop: Dpop,
    /// Of the API, which has nonces of its own.
    pub(super) api_dpop: Dpop,
    /// Seconds until a key that was registered over the administration API works.
    propagation_seconds: i64,
    /// What was consented to in Altinn.
    consents: Arc<Consents>,
    registry: RwLock<Registry>,
}

#[derive(Default)]
struct Registry {
    clients: BTreeMap<String, Arc<Client>>,
    scopes: BTreeMap<String, Scope>,
    trusted: Vec<Certificate>,
}

impl Maskinporten {
    pub(super) fn new(
        config: MaskinportenConfig,
        consents: Arc<Consents>,
        now: UnixTime,
    ) -> Result<Self> {
        let service = Self {
            max_lifetime: config.max_lifetime,
            tolerated_claims: config.tolerated_claims,
            eseal_issuers: config.eseals.trusted_certificates.0,
            signer: TokenSigner::rs256()?,
            used: ReplayTable::default(),
            issued: IssuedTokens::default(),
            dpop: Dpop::new(&config.dpop, DPOP, now),
            api_dpop: Dpop::new(&config.dpop, DPOP, now),
            propagation_seconds: config.propagation_seconds,
            consents,
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
    fn issue(
        &self,
        issuer: &str,
        assertion: &str,
        target: &Target,
        now: UnixTime,
    ) -> std::result::Result<TokenResponse, Refusal> {
        let jws = Jws::parse(assertion).map_err(|_| Refusal::malformed())?;
        grant::require_documented(&jws, &self.tolerated_claims)?;
        if let Some(seal) = eseal::authenticate(&jws, &self.eseal_issuers, now)? {
            grant::require_audience(&jws.claims, issuer)?;
            let grant = self.usable_grant(&jws, seal.client_id(), now)?;
            let key = self.proven_key(target, now)?;
            let holder = seal.authorize(&grant, &self.read().scopes)?;
            return self.token(issuer, holder, &grant, None, key.as_deref(), now);
        }
        let client_id = grant::issuer(&jws.claims)?;
        let registry = self.read();
        let client = registry
            .clients
            .get(client_id)
            .ok_or_else(Refusal::unknown_client)?
            .as_seen_at(now);
        let client = &*client;
        grant::require_audience(&jws.claims, issuer)?;
        let client_amr = authentication::authenticate(&jws, client, &registry.trusted, now)?;
        let grant = self.usable_grant(&jws, client_id, now)?;
        let key = self.proven_key(target, now)?;
        let access = authorization::authorize(&grant, client, &registry.scopes)?;
        let details = grant
            .authorization_details
            .map(|requested| {
                details::enrich(requested, client, &self.consents, access.consumer, now)
            })
            .transpose()?;
        let holder = Holder {
            client_id,
            client_amr,
            consumer: details::organization(access.consumer),
            supplier: access.supplier.map(details::organization),
            lifetime: access.lifetime,
        };
        self.token(issuer, holder, &grant, details, key.as_deref(), now)
    }

    fn proven_key(
        &self,
        target: &Target,
        now: UnixTime,
    ) -> std::result::Result<Option<String>, Refusal> {
        self.dpop
            .proven_key(target, None, now)
            .map_err(|refusal| Refusal::dpop(&refusal))
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
        issuer: &str,
        holder: Holder<'_>,
        grant: &Grant<'_>,
        details: Option<Value>,
        key: Option<&str>,
        now: UnixTime,
    ) -> std::result::Result<TokenResponse, Refusal> {
        let expires_in = holder.lifetime;
        let claims = token::claims(issuer, holder, grant, details, key, now);
        let access_token = self.signer.sign(&claims).map_err(|_| Refusal::server())?;
        if let Some(jti) = claims.get("jti").and_then(Value::as_str) {
            self.issued.put(jti, now.plus(expires_in), now);
        }
        Ok(TokenResponse {
            access_token,
            token_type: token_type(key),
            expires_in,
            scope: grant.scopes.join(" "),
        })
    }

    /// An access token that was issued here, is not expired and was not rejected;
    /// else what is wrong with it.
    pub(super) fn verify_token(
        &self,
        token: &str,
        now: UnixTime,
    ) -> std::result::Result<AccessToken, &'static str> {
        self.signer.verify(token, &self.issued, now)
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
