//! Clients that their client certificate alone authenticates (RFC 8705 section 2):
//! `tls_client_auth` and `self_signed_tls_client_auth`, which are alike to a client.

use serde_json::{Map, Value};

use super::choices::Grant;
use super::client_settings::ClientSettings;
use super::generic::{refuse_foreign_settings, target, token_endpoint};
use super::request::TokenRequest;
use super::token_endpoint::TokenEndpoint;
use super::values::{ClientId, Scope};
use super::{Profile, client_id, refuse_grant_members, setting_error};
use crate::clock::UnixTime;
use crate::error::Result;
use crate::jws::Header;
use crate::keys::Signer;

#[derive(Debug)]
pub(super) struct TlsClientAuth {
    endpoint: TokenEndpoint,
    client_id: ClientId,
    scopes: Vec<Scope>,
    resource: Vec<String>,
    /// Nothing is signed with it, but a DPoP key that is the certificate's has its `alg`.
    header: Header,
}

impl TlsClientAuth {
    /// `signer` has the key of the client certificate.
    pub(super) fn new(settings: &ClientSettings, signer: &dyn Signer) -> Result<Self> {
        refuse_foreign_settings(settings)?;
        refuse_assertion_settings(settings)?;
        Ok(Self {
            endpoint: token_endpoint(settings)?,
            client_id: client_id(settings)?.clone(),
            scopes: settings.scopes.clone(),
            resource: settings.resource.clone(),
            header: Header::new(signer.algorithms()[0]),
        })
    }
}

impl Profile for TlsClientAuth {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn token_endpoint(&self) -> &TokenEndpoint {
        &self.endpoint
    }

    fn header(&self) -> &Header {
        &self.header
    }

    fn has_assertion(&self) -> bool {
        false
    }

    fn claims(&self, request: &TokenRequest, _now: UnixTime) -> Result<Map<String, Value>> {
        refuse_grant_members("generic", request)?;
        Ok(Map::new())
    }

    /// `client_id` is required (RFC 8705 section 2).
    fn form(&self, _assertion: &str, request: &TokenRequest) -> Vec<(&'static str, String)> {
        let mut form = vec![
            ("client_id", self.client_id.as_str().to_owned()),
            ("grant_type", "client_credentials".to_owned()),
        ];
        let scope = Scope::join(request.scopes.as_ref().unwrap_or(&self.scopes));
        if !scope.is_empty() {
            form.push(("scope", scope));
        }
        form.extend(target(request, &self.resource));
        form
    }
}

/// Refuses what is about an assertion, or about the key of one.
fn refuse_assertion_settings(settings: &ClientSettings) -> Result<()> {
    let present = [
        ("key", settings.key.is_some()),
        ("keys", !settings.keys.is_empty()),
        ("certificate", settings.certificate.is_some()),
        ("x5c", settings.x5c.is_some()),
        ("x5t_s256", settings.x5t_s256),
        ("kid", settings.kid.is_some()),
        ("registered_until", settings.registered_until.is_some()),
        ("alg", settings.alg.is_some()),
        ("typ", settings.typ.is_some()),
        ("audience", settings.audience.is_some()),
        ("audience_form", settings.audience_form.is_some()),
        ("lifetime_seconds", settings.lifetime_seconds.is_some()),
        ("backdate_seconds", settings.backdate_seconds.is_some()),
        ("nbf", settings.nbf),
        ("jti", settings.jti.is_some()),
        ("send_client_id", settings.send_client_id),
        ("grant", settings.grant == Some(Grant::JwtBearer)),
    ];
    match present.iter().find(|(_, is_set)| *is_set) {
        None => Ok(()),
        Some((setting, _)) => Err(setting_error(
            setting,
            "is about assertions, and this client has none, for \"token_endpoint_auth_method\" is a method of TLS; \
             leave it out",
        )),
    }
}
