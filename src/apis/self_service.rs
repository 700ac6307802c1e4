//! Digdir's administration API for clients of Maskinporten and ID-porten
//! (docs.digdir.no, `maskinporten_sjolvbetjening_api` and `oidc_api_admin`), as
//! far as keys go.

use std::sync::Arc;

use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value, json};

use super::authorized::Authorized;
use super::errors::{bad_response, json, require_success};
use super::registered_keys::{RegisteredKeys, Wire};
use super::service::ENCODED;
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::http::{Method, Request, Response};
use crate::profiles::{ClientId, Environment, TokenRequest};
use crate::token::TokenClient;

/// The base URLs since version 2025-05-22, which has stricter rules for keys.
const PROD: &str = "https://api.samarbeid.digdir.no/api/v1";
const TEST: &str = "https://api.test.samarbeid.digdir.no/api/v1";

/// The API, used by an admin client: one that Digdir has given the scopes
/// `idporten:dcr.read` and, for changes, `idporten:dcr.write`.
#[derive(Debug, Clone)]
pub struct SelfService {
    api: Authorized,
    base: String,
}

impl SelfService {
    /// Where the API of an environment is.
    pub fn base_url(environment: Environment) -> &'static str {
        match environment {
            Environment::Prod => PROD,
            Environment::Test => TEST,
        }
    }

    /// The API at `base`, with tokens of `admin` for the scopes in its settings.
    pub fn new(admin: Arc<TokenClient>, base: &Endpoint) -> Self {
        Self {
            api: Authorized::new(admin, TokenRequest::default()),
            base: base.as_str().trim_end_matches('/').to_owned(),
        }
    }

    /// The keys of a client. One without keys has an empty set.
    ///
    /// # Errors
    /// `API_NOT_FOUND` when the admin's organisation has no such client; the other
    /// API numbers of [`crate::ErrorCode`]; otherwise as [`Authorized::send`].
    pub fn registered_keys(&self, client_id: &ClientId, call: &Call) -> Result<RegisteredKeys> {
        let what = format!("the keys of {}", client_id.as_str());
        let answer = self.send(Method::Get, client_id, "/jwks", None, call)?;
        if answer.status == 404 {
            // Nothing is documented for a client without keys; one that there is
            // not has no description either.
            let client = self.send(Method::Get, client_id, "", None, call)?;
            require_success(&client, &format!("the client {}", client_id.as_str()))?;
            return Ok(RegisteredKeys::default());
        }
        let wire: Wire = json(&answer, &what)?;
        wire.into_keys()
            .map_err(|problem| bad_response(&answer, &what, problem))
    }

    /// Registers `keys`, whole JWKs, in the place of all that were registered. The
    /// API takes one to five; see [`SelfService::remove_keys`] for none.
    ///
    /// # Errors
    /// `API_REFUSED` with the API's own words when it does not like a key,
    /// otherwise as [`SelfService::registered_keys`].
    pub fn replace_keys(
        &self,
        client_id: &ClientId,
        keys: Vec<Map<String, Value>>,
        call: &Call,
    ) -> Result<()> {
        let what = format!("registering keys of {}", client_id.as_str());
        let body = json!({ "keys": keys });
        let answer = self.send(Method::Post, client_id, "/jwks", Some(&body), call)?;
        require_success(&answer, &what)
    }

    /// Removes every key of a client, which cannot use a `kid` any more.
    ///
    /// # Errors
    /// As [`SelfService::registered_keys`].
    pub fn remove_keys(&self, client_id: &ClientId, call: &Call) -> Result<()> {
        let what = format!("removing the keys of {}", client_id.as_str());
        let answer = self.send(Method::Delete, client_id, "/jwks", None, call)?;
        require_success(&answer, &what)
    }

    fn send(
        &self,
        method: Method,
        client_id: &ClientId,
        path: &str,
        body: Option<&Value>,
        call: &Call,
    ) -> Result<Response> {
        let id = utf8_percent_encode(client_id.as_str(), ENCODED);
        let url = format!("{}/clients/{id}{path}", self.base).parse()?;
        let request = Request::new(method, url);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.api.send(&request, call)
    }
}
