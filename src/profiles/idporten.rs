//! ID-porten: the client assertion (`private_key_jwt`) of the authorization code
//! flow (docs.digdir.no, "Klientautentisering"). ID-porten has no grant for
//! programs, so there is an assertion here and no token.

use serde_json::{Map, Value};

use super::choices::AudienceForm;
use super::claims::{ClaimRules, CommonClaims};
use super::client_settings::ClientSettings;
use super::digdir::{ALGORITHMS, IDPORTEN};
use super::key_reference::{KeyReference, choose_algorithm};
use super::request::{ConsumerOrg, TokenRequest};
use super::token_endpoint::TokenEndpoint;
use super::{CLIENT_ASSERTION_TYPE, Profile, client_id, refuse_settings};
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::jws::Header;
use crate::keys::{Certificate, Signer};

const CLAIM_RULES: ClaimRules = ClaimRules {
    audience_form: AudienceForm::String,
    lifetime: 120,
    max_lifetime: 120,
    backdate: 2,
};

pub(super) const TOKEN_ENDPOINT: TokenEndpoint = TokenEndpoint::Nowhere(
    "ID-porten gives tokens to people who log in, not to programs; make the client assertion for your code flow \
     (`segl assert`), or use profile maskinporten for tokens between machines",
);

#[derive(Debug)]
pub(super) struct Idporten {
    header: Header,
    common: CommonClaims,
    /// In `x5c`; it may expire while the client lives.
    leaf: Option<Certificate>,
}

impl Idporten {
    pub(super) fn new(
        settings: &ClientSettings,
        certificates: Option<&[Certificate]>,
        signer: &dyn Signer,
        now: UnixTime,
    ) -> Result<Self> {
        refuse_settings(
            IDPORTEN.profile,
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
                ("scopes", !settings.scopes.is_empty()),
                ("resource", !settings.resource.is_empty()),
                ("resource_form", settings.resource_form.is_some()),
                ("consumer_org", settings.consumer_org.is_some()),
                ("eseal", settings.eseal),
                ("token_endpoint", settings.token_endpoint.is_some()),
                ("discovery", settings.discovery),
                ("metadata", settings.metadata.is_some()),
            ],
        )?;
        let alg = choose_algorithm(settings, signer, &ALGORITHMS, IDPORTEN.title)?;
        let issuer = IDPORTEN.issuer(settings)?;
        IDPORTEN.check_kid(settings)?;
        let reference = KeyReference::from_settings(settings, certificates, signer, now)?;
        IDPORTEN.require_key_reference(&reference)?;
        if let Some(leaf) = reference.leaf() {
            IDPORTEN.check_environment_of(leaf, settings)?;
        }
        IDPORTEN.own_organisation(settings, reference.leaf())?;
        Ok(Self {
            header: reference.header(alg, settings, None)?,
            common: CommonClaims::new(
                settings,
                client_id(settings)?.as_str(),
                &IDPORTEN.audience(settings, &issuer)?,
                CLAIM_RULES,
            )?
            .with_subject(),
            leaf: reference.leaf().cloned(),
        })
    }
}

impl Profile for Idporten {
    fn name(&self) -> &'static str {
        IDPORTEN.profile
    }

    fn token_endpoint(&self) -> &TokenEndpoint {
        &TOKEN_ENDPOINT
    }

    fn header(&self) -> &Header {
        &self.header
    }

    fn claims(&self, request: &TokenRequest, now: UnixTime) -> Result<Map<String, Value>> {
        let nothing = TokenRequest {
            consumer_org: match &request.consumer_org {
                ConsumerOrg::Own => ConsumerOrg::Own,
                _ => ConsumerOrg::OfClient,
            },
            ..TokenRequest::default()
        };
        if *request != nothing {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "ID-porten's client assertion says who the client is and nothing more; \
                 send scopes and other members with your authorization request",
            ));
        }
        if let Some(leaf) = &self.leaf {
            leaf.require_valid(now)?;
        }
        Ok(self.common.at(now))
    }

    /// The parameters that go beside those of the code flow: `grant_type`, `code`,
    /// `redirect_uri` and `code_verifier`.
    fn form(&self, assertion: &str, _request: &TokenRequest) -> Vec<(&'static str, String)> {
        vec![
            ("client_assertion", assertion.to_owned()),
            ("client_assertion_type", CLIENT_ASSERTION_TYPE.to_owned()),
        ]
    }
}
