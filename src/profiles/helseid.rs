//! HelseID, the Norwegian health sector's authorisation server, run by Norsk
//! helsenett: client assertions and tokens bound by DPoP.
//!
//! Form, claims, life and `typ` are those of NHN's own HelseID.Library
//! (github.com/NorskHelsenett/HelseID.Library, March 2026); the longest life, `kid`
//! and `alg` those of "Using client assertions" in HelseID's developer documentation.

use serde_json::{Map, Value};

use super::choices::{AudienceForm, Environment};
use super::claims::{ClaimRules, CommonClaims};
use super::client_settings::ClientSettings;
use super::key_reference::{KeyReference, choose_algorithm};
use super::request::TokenRequest;
use super::token_endpoint::{TokenEndpoint, openid_url};
use super::values::{ClientId, Scope};
use super::{
    Profile, client_assertion_form, client_id, endpoint, refuse_grant_members, refuse_settings,
    setting_error,
};
use crate::alg::Algorithm;
use crate::error::{Error, ErrorCode, Result};
use crate::jws::Header;
use crate::keys::Signer;

const PROD: &str = "https://helseid-sts.nhn.no";
const TEST: &str = "https://helseid-sts.test.nhn.no";

const CLAIM_RULES: ClaimRules = ClaimRules {
    audience_form: AudienceForm::String,
    lifetime: 10,
    max_lifetime: 60,
    backdate: 0,
};

const ALGORITHMS: [Algorithm; 3] = [Algorithm::PS256, Algorithm::RS256, Algorithm::ES256];

#[derive(Debug)]
pub(super) struct Helseid {
    endpoint: TokenEndpoint,
    header: Header,
    common: CommonClaims,
    client_id: ClientId,
    scopes: Vec<Scope>,
}

impl Helseid {
    pub(super) fn new(settings: &ClientSettings, signer: &dyn Signer) -> Result<Self> {
        refuse_settings(
            "helseid",
            &[
                ("grant", settings.grant.is_some()),
                (
                    "token_endpoint_auth_method",
                    settings.token_endpoint_auth_method.is_some(),
                ),
                ("omit_kid", settings.omit_kid),
                ("certificate", settings.certificate.is_some()),
                ("x5c", settings.x5c.is_some()),
                ("x5t_s256", settings.x5t_s256),
                ("resource", !settings.resource.is_empty()),
                ("resource_form", settings.resource_form.is_some()),
                ("consumer_org", settings.consumer_org.is_some()),
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
        )?;
        let issuer = issuer(settings)?;
        let client_id = client_id(settings)?;
        let kid = match settings.kid.as_deref() {
            Some(kid) if !kid.is_empty() => kid.to_owned(),
            _ => {
                return Err(setting_error(
                    "kid",
                    "is missing; copy it from the JWK that is registered in HelseID Selvbetjening",
                ));
            }
        };
        Ok(Self {
            endpoint: token_endpoint(settings)?,
            header: KeyReference::Kid(kid).header(
                algorithm(settings, signer)?,
                settings,
                Some("client-authentication+jwt"),
            )?,
            common: CommonClaims::new(
                settings,
                client_id.as_str(),
                settings.audience.as_deref().unwrap_or(&issuer),
                CLAIM_RULES,
            )?
            .with_subject()
            .with_not_before(),
            client_id: client_id.clone(),
            scopes: settings.scopes.clone(),
        })
    }
}

impl Profile for Helseid {
    fn name(&self) -> &'static str {
        "helseid"
    }

    fn token_endpoint(&self) -> &TokenEndpoint {
        &self.endpoint
    }

    fn header(&self) -> &Header {
        &self.header
    }

    fn claims(
        &self,
        request: &TokenRequest,
        now: crate::clock::UnixTime,
    ) -> Result<Map<String, Value>> {
        refuse_grant_members("helseid", request)?;
        if request.resource.is_some() {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "the token request has \"resource\", which profile helseid cannot carry; leave it out",
            ));
        }
        let mut claims = self.common.at(now);
        let details = request.authorization_details.iter();
        let mut details: Vec<_> = details
            .map(|detail| Value::Object(detail.members().clone()))
            .collect();
        // One stands alone, without an array, as HelseID.Library writes it.
        let details = match details.len() {
            0 => return Ok(claims),
            1 => details.remove(0),
            _ => Value::Array(details),
        };
        claims.insert("assertion_details".into(), details);
        Ok(claims)
    }

    fn form(&self, assertion: &str, request: &TokenRequest) -> Vec<(&'static str, String)> {
        let scope = Scope::join(request.scopes.as_ref().unwrap_or(&self.scopes));
        client_assertion_form(assertion, Some(&self.client_id), scope)
    }
}

/// Where tokens are requested.
pub(super) fn token_endpoint(settings: &ClientSettings) -> Result<TokenEndpoint> {
    let issuer = issuer(settings)?;
    TokenEndpoint::from_settings(settings, Some(&issuer), openid_url, || {
        let base = issuer.trim_end_matches('/');
        endpoint("issuer", &format!("{base}/connect/token"))
    })
}

fn issuer(settings: &ClientSettings) -> Result<String> {
    let usual = settings.environment.map(|environment| match environment {
        Environment::Prod => PROD,
        Environment::Test => TEST,
    });
    let Some(issuer) = settings.issuer.as_deref() else {
        let missing = || {
            setting_error(
                "environment",
                "is missing; set \"test\" or \"prod\", or \"issuer\"",
            )
        };
        return usual.map(str::to_owned).ok_or_else(missing);
    };
    let is_known = [PROD, TEST].contains(&issuer.trim_end_matches('/'));
    match usual {
        Some(usual) if is_known && usual != issuer => Err(setting_error(
            "issuer",
            format_args!(
                "is not that of the environment, which is {usual}, letter for letter; leave one of them out"
            ),
        )),
        _ => Ok(issuer.to_owned()),
    }
}

/// PS256 for RSA keys that can, as NHN's own tool registers them.
fn algorithm(settings: &ClientSettings, signer: &dyn Signer) -> Result<Algorithm> {
    match settings.alg {
        None if signer.algorithms().contains(&Algorithm::PS256) => Ok(Algorithm::PS256),
        _ => choose_algorithm(settings, signer, &ALGORITHMS, "HelseID"),
    }
}
