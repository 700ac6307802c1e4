//! Any authorisation server that follows RFC 7523.

use serde_json::{Map, Value};

use super::choices::{AudienceForm, Grant};
use super::claims::{ClaimRules, CommonClaims};
use super::client_settings::ClientSettings;
use super::key_reference::{KeyReference, choose_algorithm};
use super::request::TokenRequest;
use super::token_endpoint::{TokenEndpoint, rfc8414_url};
use super::values::{ClientId, Scope};
use super::{
    Profile, client_assertion_form, client_id, digdir, jwt_bearer_form, refuse_grant_members,
    refuse_settings, setting_error,
};
use crate::alg::Algorithm;
use crate::clock::UnixTime;
use crate::error::Result;
use crate::jws::Header;
use crate::keys::{Certificate, Signer};

const CLAIM_RULES: ClaimRules = ClaimRules {
    audience_form: AudienceForm::String,
    lifetime: 60,
    max_lifetime: 3600,
    backdate: 0,
};

#[derive(Debug)]
pub(super) struct Generic {
    grant: Grant,
    endpoint: TokenEndpoint,
    header: Header,
    common: CommonClaims,
    /// In `x5c`; it may expire while the client lives.
    leaf: Option<Certificate>,
    client_id: Option<ClientId>,
    scopes: Vec<Scope>,
    resource: Vec<String>,
}

impl Generic {
    pub(super) fn new(
        settings: &ClientSettings,
        certificates: Option<&[Certificate]>,
        signer: &dyn Signer,
        now: UnixTime,
    ) -> Result<Self> {
        refuse_foreign_settings(settings)?;
        let endpoint = token_endpoint(settings)?;
        let Some(audience) = settings.audience.as_ref().or(settings.issuer.as_ref()) else {
            return Err(setting_error(
                "issuer",
                "is missing; profile generic needs \"issuer\" or \"audience\"",
            ));
        };
        // A slash too many or too few at a server that is known; the token endpoint
        // as audience is up to the server.
        for (setting, url) in [
            ("issuer", &settings.issuer),
            ("audience", &settings.audience),
        ] {
            if let Some(url) = url {
                digdir::known_issuer(setting, url)?;
            }
        }
        let grant = settings.grant.unwrap_or(Grant::ClientCredentials);
        if grant == Grant::JwtBearer && settings.send_client_id {
            return Err(setting_error(
                "send_client_id",
                "goes with client authentication only; leave it out for grant \"jwt_bearer\"",
            ));
        }
        let alg = choose_algorithm(settings, signer, &Algorithm::ALL, "the server")?;
        let reference = KeyReference::from_settings(settings, certificates, signer, now)?;
        let common = CommonClaims::new(
            settings,
            client_id(settings)?.as_str(),
            audience,
            CLAIM_RULES,
        )?;
        Ok(Self {
            grant,
            endpoint,
            leaf: reference.leaf().cloned(),
            header: reference.header(alg, settings, Some("JWT"))?,
            common: match grant {
                Grant::JwtBearer => common,
                Grant::ClientCredentials => common.with_subject(),
            },
            client_id: settings
                .client_id
                .clone()
                .filter(|_| settings.send_client_id),
            scopes: settings.scopes.clone(),
            resource: settings.resource.clone(),
        })
    }
}

impl Profile for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn token_endpoint(&self) -> &TokenEndpoint {
        &self.endpoint
    }

    fn header(&self) -> &Header {
        &self.header
    }

    fn certificate(&self) -> Option<&Certificate> {
        self.leaf.as_ref()
    }

    fn claims(&self, request: &TokenRequest, now: UnixTime) -> Result<Map<String, Value>> {
        refuse_grant_members("generic", request)?;
        if let Some(leaf) = &self.leaf {
            leaf.require_valid(now)?;
        }
        let mut claims = self.common.at(now);
        if self.grant == Grant::JwtBearer {
            let scope = self.scope(request);
            if !scope.is_empty() {
                claims.insert("scope".into(), scope.into());
            }
        }
        Ok(claims)
    }

    fn invalid_client_may_be_key(&self) -> bool {
        self.grant == Grant::ClientCredentials
    }

    fn form(&self, assertion: &str, request: &TokenRequest) -> Vec<(&'static str, String)> {
        let scope = self.scope(request);
        let mut form = match self.grant {
            Grant::ClientCredentials => {
                client_assertion_form(assertion, self.client_id.as_ref(), scope)
            }
            Grant::JwtBearer => {
                let mut form = jwt_bearer_form(assertion);
                // RFC 7521 section 4.1; some servers read the claim instead.
                if !scope.is_empty() {
                    form.push(("scope", scope));
                }
                form
            }
        };
        form.extend(target(request, &self.resource));
        form
    }
}

impl Generic {
    fn scope(&self, request: &TokenRequest) -> String {
        Scope::join(request.scopes.as_ref().unwrap_or(&self.scopes))
    }
}

/// What the token is for: `resource` (RFC 8707), of the client unless the request names
/// its own, and `authorization_details` (RFC 9396).
pub(super) fn target(request: &TokenRequest, resource: &[String]) -> Vec<(&'static str, String)> {
    let resource = request.resource.as_deref().unwrap_or(resource);
    let mut parameters: Vec<_> = resource
        .iter()
        .map(|uri| ("resource", uri.clone()))
        .collect();
    if !request.authorization_details.is_empty() {
        let details = request
            .authorization_details
            .iter()
            .map(|detail| Value::Object(detail.members().clone()))
            .collect();
        parameters.push(("authorization_details", Value::Array(details).to_string()));
    }
    parameters
}

/// Refuses the settings of other profiles.
pub(super) fn refuse_foreign_settings(settings: &ClientSettings) -> Result<()> {
    refuse_settings(
        "generic",
        &[
            ("environment", settings.environment.is_some()),
            ("consumer_org", settings.consumer_org.is_some()),
            ("omit_kid", settings.omit_kid),
            ("resource_form", settings.resource_form.is_some()),
            ("orgno", settings.orgno.is_some()),
            ("eseal", settings.eseal),
            ("self_service", settings.self_service.is_some()),
            (
                "registration_audience",
                settings.registration_audience.is_some(),
            ),
            (
                "registration_lifetime_seconds",
                settings.registration_lifetime_seconds.is_some(),
            ),
        ],
    )
}

/// Where tokens are requested.
pub(super) fn token_endpoint(settings: &ClientSettings) -> Result<TokenEndpoint> {
    let missing = || {
        setting_error(
            "token_endpoint",
            "is missing; profile generic needs it, or \"discovery\"",
        )
    };
    let endpoint =
        TokenEndpoint::from_settings(settings, settings.issuer.as_deref(), rfc8414_url, || {
            Err(missing())
        })?;
    match settings.metadata {
        None => endpoint.or_where_openid_has_them(),
        Some(_) => Ok(endpoint),
    }
}
