//! DNB: client assertion and client registration (developer.dnb.no, "Account
//! pre-validation"). DNB's own documents disagree on `aud`, `kid`, `typ`, `nbf`,
//! `jti` and the lifetime; each is a setting.

use serde_json::{Map, Value, json};

use super::choices::{AudienceForm, Environment};
use super::claims::{ClaimRules, CommonClaims};
use super::client_settings::ClientSettings;
use super::key_reference::{KeyReference, choose_algorithm};
use super::request::TokenRequest;
use super::token_endpoint::{TokenEndpoint, openid_url};
use super::values::{ClientId, Scope};
use super::{
    Profile, client_assertion_form, endpoint, missing_client_id, refuse_grant_members,
    refuse_settings, setting_error,
};
use crate::alg::Algorithm;
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::jws::Header;
use crate::keys::{PublicJwk, Signer};

/// In the one snippet of DNB's discovery document that is public; see `docs/dnb.md`.
const ISSUER: &str = "https://api.ciam.dnb.no";
const TOKEN_ENDPOINT: &str = "https://api.ciam.dnb.no/as/token.oauth2";
const REGISTRATION_AUDIENCE: &str = "https://api.ciam.dnb.no/clients/v1";

/// `lifetime` is the documented life of a client assertion, `max_lifetime` that of
/// DNB's longest sample.
const CLAIM_RULES: ClaimRules = ClaimRules {
    audience_form: AudienceForm::Array,
    lifetime: 240,
    max_lifetime: 1200,
    backdate: 0,
};

/// "Max 30 days after iat".
const MAX_REGISTRATION_LIFETIME: u32 = 30 * 24 * 3600;

#[derive(Debug)]
pub(super) struct Dnb {
    endpoint: TokenEndpoint,
    header: Header,
    /// None until DNB has given the client id.
    common: Option<CommonClaims>,
    client_id: Option<ClientId>,
    scopes: Vec<Scope>,
    registration_audience: String,
    registration_lifetime: u32,
    registration_jwk: Map<String, Value>,
}

impl Dnb {
    pub(super) fn new(settings: &ClientSettings, signer: &dyn Signer) -> Result<Self> {
        refuse_settings(
            "dnb",
            &[
                ("grant", settings.grant.is_some()),
                (
                    "token_endpoint_auth_method",
                    settings.token_endpoint_auth_method.is_some(),
                ),
                ("certificate", settings.certificate.is_some()),
                ("x5c", settings.x5c.is_some()),
                ("x5t_s256", settings.x5t_s256),
                ("consumer_org", settings.consumer_org.is_some()),
                ("resource", !settings.resource.is_empty()),
                ("resource_form", settings.resource_form.is_some()),
                ("orgno", settings.orgno.is_some()),
                ("eseal", settings.eseal),
                ("self_service", settings.self_service.is_some()),
            ],
        )?;
        let alg = choose_algorithm(settings, signer, &[Algorithm::ES256], "DNB")?;
        let endpoint_text = settings.token_endpoint.as_deref().unwrap_or(TOKEN_ENDPOINT);
        // With metadata, `issuer` says whose they must be and no more: which `aud` DNB
        // wants does not change with the way to its endpoint.
        let issuer = settings.issuer.as_deref();
        let audience = settings
            .audience
            .as_deref()
            .or(issuer.filter(|_| !is_in_metadata(settings)))
            .unwrap_or(endpoint_text);
        let registration_audience = settings
            .registration_audience
            .as_deref()
            .unwrap_or(REGISTRATION_AUDIENCE);
        if registration_audience == audience {
            return Err(setting_error(
                "registration_audience",
                "is the audience of client assertions; a registration JWT is none, so leave it out or name another",
            ));
        }
        let kid = match settings.kid.as_deref() {
            Some("") => {
                return Err(setting_error(
                    "kid",
                    "is empty; leave it out for the thumbprint",
                ));
            }
            Some(kid) => kid,
            None => signer.public_key().thumbprint(),
        };
        let reference = match settings.omit_kid {
            true => KeyReference::None,
            false => KeyReference::Kid(kid.to_owned()),
        };
        let common = settings.client_id.as_ref().map(|client_id| {
            CommonClaims::new(settings, client_id.as_str(), audience, CLAIM_RULES)
                .map(CommonClaims::with_subject)
        });
        Ok(Self {
            endpoint: token_endpoint(settings)?,
            header: reference.header(alg, settings, Some("JWT"))?,
            common: common.transpose()?,
            client_id: settings
                .client_id
                .clone()
                .filter(|_| settings.send_client_id),
            scopes: settings.scopes.clone(),
            registration_audience: registration_audience.to_owned(),
            registration_lifetime: registration_lifetime(settings)?,
            registration_jwk: registration_jwk(signer.public_key(), kid),
        })
    }
}

impl Profile for Dnb {
    fn name(&self) -> &'static str {
        "dnb"
    }

    fn token_endpoint(&self) -> &TokenEndpoint {
        &self.endpoint
    }

    fn header(&self) -> &Header {
        &self.header
    }

    fn claims(&self, request: &TokenRequest, now: UnixTime) -> Result<Map<String, Value>> {
        refuse_grant_members("dnb", request)?;
        if request.resource.is_some() || !request.authorization_details.is_empty() {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "DNB's token request has neither resource nor authorization_details; leave them out",
            ));
        }
        let common = self.common.as_ref().ok_or_else(missing_client_id)?;
        Ok(common.at(now))
    }

    fn form(&self, assertion: &str, request: &TokenRequest) -> Vec<(&'static str, String)> {
        let scopes = request.scopes.as_ref().unwrap_or(&self.scopes);
        client_assertion_form(assertion, self.client_id.as_ref(), Scope::join(scopes))
    }

    fn invalid_client_may_be_key(&self) -> bool {
        true
    }

    /// A self-signed proof of possession: header `{"alg":"ES256"}`, the public
    /// key in `cnf.jwk`. It has no `iss`, `sub` or `jti`, so no server can take
    /// it for a client assertion.
    fn registration(&self, now: UnixTime) -> Result<(Header, Map<String, Value>)> {
        let mut claims = Map::new();
        claims.insert("aud".into(), self.registration_audience.as_str().into());
        claims.insert("cnf".into(), json!({ "jwk": self.registration_jwk }));
        let expires = now.plus(i64::from(self.registration_lifetime));
        claims.insert("exp".into(), expires.seconds().into());
        claims.insert("iat".into(), now.seconds().into());
        Ok((Header::new(Algorithm::ES256), claims))
    }
}

/// Where tokens are requested.
pub(super) fn token_endpoint(settings: &ClientSettings) -> Result<TokenEndpoint> {
    if settings.environment == Some(Environment::Test) {
        require_test_addresses(settings)?;
    }
    let issuer = settings.issuer.as_deref().unwrap_or(ISSUER);
    TokenEndpoint::from_settings(settings, Some(issuer), openid_url, || {
        endpoint("token_endpoint", TOKEN_ENDPOINT)
    })
}

/// Whether the token endpoint is read from the server's metadata.
fn is_in_metadata(settings: &ClientSettings) -> bool {
    settings.discovery || settings.metadata.is_some()
}

/// Refuses the addresses of production in the test environment, which has none that
/// DNB documents.
fn require_test_addresses(settings: &ClientSettings) -> Result<()> {
    if !is_in_metadata(settings) {
        return match settings.token_endpoint {
            Some(_) => Ok(()),
            None => Err(setting_error(
                "environment",
                "is \"test\", but DNB documents no test endpoint; set \"token_endpoint\" (and \"audience\") too",
            )),
        };
    }
    let missing = [
        ("issuer", settings.issuer.is_none()),
        ("audience", settings.audience.is_none()),
    ];
    match missing.iter().find(|(_, is_missing)| *is_missing) {
        None => Ok(()),
        Some((setting, _)) => Err(setting_error(
            setting,
            "is missing; DNB documents no test environment, so its default is that of production",
        )),
    }
}

fn registration_lifetime(settings: &ClientSettings) -> Result<u32> {
    let lifetime = settings
        .registration_lifetime_seconds
        .unwrap_or(MAX_REGISTRATION_LIFETIME);
    if (1..=MAX_REGISTRATION_LIFETIME).contains(&lifetime) {
        return Ok(lifetime);
    }
    Err(setting_error(
        "registration_lifetime_seconds",
        format_args!("is {lifetime}; DNB allows 1 to {MAX_REGISTRATION_LIFETIME} (30 days)"),
    ))
}

fn registration_jwk(key: &PublicJwk, kid: &str) -> Map<String, Value> {
    let mut jwk = key.members();
    jwk.insert("kid".into(), kid.into());
    jwk.sort_keys();
    jwk
}
