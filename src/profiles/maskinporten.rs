//! Maskinporten: the JWT grant of Norway's public sector (docs.digdir.no,
//! "JWT grant" and "Token endpoint").

use serde_json::{Map, Value};

use super::claims::{CommonClaims, one_or_array};
use super::client_settings::{AudienceForm, ClientSettings, Environment};
use super::key_reference::{KeyReference, choose_algorithm};
use super::request::TokenRequest;
use super::values::Scope;
use super::{Profile, client_id, endpoint, maskinporten_errors, refuse_settings, setting_error};
use crate::alg::Algorithm;
use crate::clock::UnixTime;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::jws::Header;
use crate::keys::{Certificate, OrgNumber, Signer};

/// The longest life of a grant in seconds, `exp - iat`.
const MAX_LIFETIME: u32 = 120;

const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];

#[derive(Debug)]
pub(super) struct Maskinporten {
    endpoint: Endpoint,
    header: Header,
    common: CommonClaims,
    /// In `x5c`; it may expire while the client lives.
    leaf: Option<Certificate>,
    scopes: Vec<Scope>,
    resource: Vec<String>,
    resource_form: AudienceForm,
    consumer_org: Option<OrgNumber>,
    own_org: Option<OrgNumber>,
}

impl Maskinporten {
    pub(super) fn new(
        settings: &ClientSettings,
        certificates: Option<&[Certificate]>,
        signer: &dyn Signer,
        now: UnixTime,
    ) -> Result<Self> {
        refuse_settings(
            "maskinporten",
            &[
                ("grant", settings.grant.is_some()),
                ("omit_kid", settings.omit_kid),
                ("send_client_id", settings.send_client_id),
                (
                    "registration_audience",
                    settings.registration_audience.is_some(),
                ),
                (
                    "registration_lifetime_seconds",
                    settings.registration_lifetime_seconds.is_some(),
                ),
            ],
        )?;
        let alg = choose_algorithm(settings, signer, &ALGORITHMS, "Maskinporten")?;
        let reference = KeyReference::from_settings(settings, certificates, signer, now)?;
        let own_org = match &reference {
            KeyReference::X5c(chain) => chain.first().and_then(|leaf| leaf.org_number()),
            KeyReference::Kid(_) => None,
            KeyReference::None => {
                return Err(setting_error(
                    "kid",
                    "is missing, and no certificate is set or beside the key; Maskinporten needs exactly one: \
                     the key id registered in its self-service, or a certificate for x5c",
                ));
            }
        };
        let issuer = match (&settings.issuer, settings.environment) {
            (Some(issuer), _) => issuer.clone(),
            (None, Some(Environment::Prod)) => "https://maskinporten.no/".to_owned(),
            (None, Some(Environment::Test)) => "https://test.maskinporten.no/".to_owned(),
            (None, None) => {
                return Err(setting_error(
                    "environment",
                    "is missing; set \"test\" or \"prod\", or \"issuer\"",
                ));
            }
        };
        let token_endpoint = match &settings.token_endpoint {
            Some(url) => endpoint("token_endpoint", url)?,
            None => endpoint("issuer", &format!("{}/token", issuer.trim_end_matches('/')))?,
        };
        let audience = settings.audience.as_deref().unwrap_or(&issuer);
        Ok(Self {
            endpoint: token_endpoint,
            leaf: reference.leaf().cloned(),
            header: reference.header(alg, settings, None)?,
            common: CommonClaims::new(
                settings,
                client_id(settings)?,
                audience,
                AudienceForm::String,
                MAX_LIFETIME,
                MAX_LIFETIME,
            )?,
            scopes: settings.scopes.clone(),
            resource: checked_resource(&settings.resource)?,
            resource_form: settings.resource_form.unwrap_or(AudienceForm::Array),
            consumer_org: settings
                .consumer_org
                .as_deref()
                .map(|org| {
                    org.parse()
                        .map_err(|error| setting_error("consumer_org", error))
                })
                .transpose()?,
            own_org,
        })
    }
}

impl Profile for Maskinporten {
    fn name(&self) -> &'static str {
        "maskinporten"
    }

    fn token_endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn header(&self) -> &Header {
        &self.header
    }

    fn certificate(&self) -> Option<&Certificate> {
        self.leaf.as_ref()
    }

    fn claims(&self, request: &TokenRequest, now: UnixTime) -> Result<Map<String, Value>> {
        if let Some(leaf) = &self.leaf {
            leaf.require_valid(now)?;
        }
        let mut claims = self.common.at(now);
        claims.insert("scope".into(), self.scope(request)?.into());
        if let Some(resource) = self.resource(request)? {
            claims.insert("resource".into(), resource);
        }
        if let Some(consumer) = self.consumer(request)? {
            claims.insert("consumer_org".into(), consumer.as_str().into());
        }
        if let Some(supplier_for) = &request.iss_onbehalfof {
            claims.insert("iss_onbehalfof".into(), supplier_for.as_str().into());
        }
        if let Some(pid) = &request.pid {
            claims.insert("pid".into(), pid.expose().into());
        }
        if !request.authorization_details.is_empty() {
            let details = request
                .authorization_details
                .iter()
                .map(|detail| Value::Object(detail.members().clone()))
                .collect();
            claims.insert("authorization_details".into(), Value::Array(details));
        }
        Ok(claims)
    }

    fn form(&self, assertion: &str, _request: &TokenRequest) -> Vec<(&'static str, String)> {
        super::jwt_bearer_form(assertion)
    }

    fn explain(&self, provider_code: Option<&str>, description: &str) -> Option<&'static str> {
        maskinporten_errors::explain(provider_code, description)
    }
}

impl Maskinporten {
    fn scope(&self, request: &TokenRequest) -> Result<String> {
        let scopes = request.scopes.as_ref().unwrap_or(&self.scopes);
        if scopes.is_empty() {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "Maskinporten needs at least one scope; set \"scopes\" on the client or in the request",
            ));
        }
        Ok(Scope::join(scopes))
    }

    fn resource(&self, request: &TokenRequest) -> Result<Option<Value>> {
        let resource = match &request.resource {
            Some(resource) => checked_resource(resource)?,
            None => self.resource.clone(),
        };
        Ok(match (resource.as_slice(), self.resource_form) {
            ([], _) => None,
            ([one], form) => Some(one_or_array(one, form)),
            (_, AudienceForm::Array) => Some(resource.into()),
            (_, AudienceForm::String) => {
                return Err(setting_error(
                    "resource_form",
                    "is \"string\", and the request names several resources",
                ));
            }
        })
    }

    fn consumer(&self, request: &TokenRequest) -> Result<Option<OrgNumber>> {
        let consumer = request.consumer_org.as_ref().or(self.consumer_org.as_ref());
        if consumer.is_some() && request.iss_onbehalfof.is_some() {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "consumer_org and iss_onbehalfof exclude each other; use consumer_org",
            ));
        }
        if let (Some(consumer), Some(own)) = (consumer, &self.own_org)
            && consumer == own
        {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!("consumer_org {consumer} is the client's own organisation; leave it out"),
            ));
        }
        Ok(consumer.cloned())
    }
}

/// Refuses what Maskinporten answers with `invalid_target`.
fn checked_resource(resource: &[String]) -> Result<Vec<String>> {
    for uri in resource {
        let parsed = url::Url::parse(uri);
        if parsed.is_err() || parsed.is_ok_and(|uri| uri.fragment().is_some()) {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "resource \"{}\" must be an absolute URI without fragment (RFC 8707 section 2)",
                    uri.escape_debug()
                ),
            ));
        }
    }
    Ok(resource.to_vec())
}
