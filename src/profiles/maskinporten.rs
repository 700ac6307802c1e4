//! Maskinporten: the JWT grant of Norway's public sector (docs.digdir.no,
//! "JWT grant" and "Token endpoint"); and Skyporten, which has the same rules.

use serde_json::{Map, Value};

use super::choices::{AudienceForm, X5cForm};
use super::claims::{ClaimRules, CommonClaims, one_or_array};
use super::client_settings::ClientSettings;
use super::digdir::{self, ALGORITHMS, Service};
use super::key_reference::{KeyReference, choose_algorithm};
use super::refusal::{KnownRefusal, ServerRefusal};
use super::request::{ConsumerOrg, TokenRequest};
use super::token_endpoint::TokenEndpoint;
use super::values::Scope;
use super::{Profile, client_id, maskinporten_refusals, refuse_settings, setting_error};
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::jws::Header;
use crate::keys::{Certificate, OrgNumber, Signer};
use crate::log::{self, Level};

/// `exp - iat` is at most 120 seconds. Maskinporten takes an `iat` that is less
/// than 10 seconds ahead of or behind its clock.
const CLAIM_RULES: ClaimRules = ClaimRules {
    audience_form: AudienceForm::String,
    lifetime: 120,
    max_lifetime: 120,
    backdate: 2,
};

#[derive(Debug)]
pub(super) struct Maskinporten {
    service: &'static Service,
    endpoint: TokenEndpoint,
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
        service: &'static Service,
        settings: &ClientSettings,
        certificates: Option<&[Certificate]>,
        signer: &dyn Signer,
        now: UnixTime,
    ) -> Result<Self> {
        let is_skyporten = *service == digdir::SKYPORTEN;
        refuse_settings(
            service.profile,
            &[
                ("grant", settings.grant.is_some()),
                (
                    "token_endpoint_auth_method",
                    settings.token_endpoint_auth_method.is_some(),
                ),
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
                ("eseal", settings.eseal && is_skyporten),
            ],
        )?;
        let alg = choose_algorithm(settings, signer, &ALGORITHMS, service.title)?;
        let issuer = service.issuer(settings)?;
        service.check_kid(settings)?;
        check_eseal(settings)?;
        let reference = KeyReference::from_settings(settings, certificates, signer, now)?;
        service.require_key_reference(&reference)?;
        let leaf = reference.leaf().cloned();
        // Of eSeals, those for production are used in test too.
        if let Some(leaf) = leaf.as_ref().filter(|_| !settings.eseal) {
            service.check_environment_of(leaf, settings)?;
        }
        let own_org = service.own_organisation(settings, leaf.as_ref())?;
        let consumer_org = digdir::org_number("consumer_org", settings.consumer_org.as_deref())?;
        if consumer_org.is_some() && consumer_org == own_org {
            return Err(setting_error(
                "consumer_org",
                "is the client's own organisation; leave it out",
            ));
        }
        Ok(Self {
            service,
            endpoint: service.token_endpoint(settings)?,
            header: reference.header(alg, settings, None)?,
            common: CommonClaims::new(
                settings,
                &claimed_issuer(settings, leaf.as_ref())?,
                &service.audience(settings, &issuer)?,
                CLAIM_RULES,
            )?,
            leaf,
            scopes: settings.scopes.clone(),
            resource: checked_resource(&settings.resource)?,
            resource_form: settings.resource_form.unwrap_or(AudienceForm::Array),
            consumer_org,
            own_org,
        })
    }
}

impl Profile for Maskinporten {
    fn name(&self) -> &'static str {
        self.service.profile
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
            log::emit(
                Level::Warn,
                "profiles",
                format_args!(
                    "iss_onbehalfof is deprecated and will be removed by Maskinporten; use consumer_org"
                ),
            );
            claims.insert("iss_onbehalfof".into(), supplier_for.as_str().into());
        }
        if let Some(pid) = &request.pid {
            claims.insert("pid".into(), pid.expose().into());
        }
        if let Some(details) = authorization_details(request)? {
            claims.insert("authorization_details".into(), details);
        }
        Ok(claims)
    }

    fn form(&self, assertion: &str, _request: &TokenRequest) -> Vec<(&'static str, String)> {
        super::jwt_bearer_form(assertion)
    }

    fn classify(&self, refusal: &ServerRefusal<'_>) -> Option<&'static KnownRefusal> {
        maskinporten_refusals::classify(refusal)
    }
}

impl Maskinporten {
    fn scope(&self, request: &TokenRequest) -> Result<String> {
        let scopes = request.scopes.as_ref().unwrap_or(&self.scopes);
        if scopes.is_empty() {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "a grant needs at least one scope; set \"scopes\" on the client or in the request",
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
        let consumer = match &request.consumer_org {
            ConsumerOrg::OfClient => self.consumer_org.as_ref(),
            ConsumerOrg::Own => None,
            ConsumerOrg::Org(consumer) => Some(consumer),
        };
        if consumer.is_some() && request.iss_onbehalfof.is_some() {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "consumer_org and iss_onbehalfof exclude each other; use consumer_org \
                 (null in the request does without that of the settings)",
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

/// Settings that cannot go with an eSeal, which is named by its whole chain.
fn check_eseal(settings: &ClientSettings) -> Result<()> {
    if !settings.eseal {
        return Ok(());
    }
    let excluded = [
        ("kid", settings.kid.is_some()),
        (
            "x5c",
            matches!(settings.x5c, Some(X5cForm::Leaf | X5cForm::None)),
        ),
    ];
    match excluded.iter().find(|(_, is_set)| *is_set) {
        None => Ok(()),
        Some((setting, _)) => Err(setting_error(
            setting,
            "cannot go with \"eseal\", for which the whole chain in x5c says who the client is; leave it out",
        )),
    }
}

/// `iss`: the client's identifier. Maskinporten ignores it in a grant with an eSeal,
/// of which no client is registered; without one it is there the
/// `organizationIdentifier` that every eSeal has (ETSI EN 319 412-3 section 4.2.1).
fn claimed_issuer(settings: &ClientSettings, leaf: Option<&Certificate>) -> Result<String> {
    if !settings.eseal || settings.client_id.is_some() {
        return client_id(settings).map(|client_id| client_id.as_str().to_owned());
    }
    leaf.and_then(Certificate::organization_identifier)
        .ok_or_else(|| {
            setting_error(
                "certificate",
                "is no eSeal: its subject has no organizationIdentifier (ETSI EN 319 412-3)",
            )
        })
}

/// The claim `authorization_details`, if the request has any.
fn authorization_details(request: &TokenRequest) -> Result<Option<Value>> {
    let details = &request.authorization_details;
    if details.len() > 1 && details.iter().any(|detail| detail.stands_alone()) {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            "authorization_details has a system user or a consent beside another element; \
             Maskinporten takes one of them a request, so make one request for each",
        ));
    }
    let members = details.iter().map(|detail| detail.members().clone());
    let members: Vec<Value> = members.map(Value::Object).collect();
    Ok((!members.is_empty()).then_some(Value::Array(members)))
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
