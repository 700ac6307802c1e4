//! What Digdir's services have in common: issuers, addresses, keys and
//! certificates (docs.digdir.no).

mod addresses;
mod credentials;

pub(super) use addresses::known_issuer;
pub use credentials::certificate_environment;
pub(super) use credentials::org_number;

use super::choices::Environment;
use super::client_settings::ClientSettings;
use super::token_endpoint::TokenEndpoint;
use super::{endpoint, setting_error};
use crate::alg::Algorithm;
use crate::error::Result;
use addresses::{at_host, refuse_retired};

/// No EC, no PSS.
pub(super) const ALGORITHMS: [Algorithm; 3] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];

/// One service and its issuers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Service {
    /// As in the setting `profile`.
    pub(super) profile: &'static str,
    /// As people call it.
    pub(super) title: &'static str,
    prod: &'static str,
    test: &'static str,
}

pub(super) static MASKINPORTEN: Service = Service {
    profile: "maskinporten",
    title: "Maskinporten",
    prod: "https://maskinporten.no/",
    test: "https://test.maskinporten.no/",
};

pub(super) static SKYPORTEN: Service = Service {
    profile: "skyporten",
    title: "Skyporten",
    prod: "https://sky.maskinporten.no",
    test: "https://test.sky.maskinporten.no",
};

pub(super) static IDPORTEN: Service = Service {
    profile: "idporten",
    title: "ID-porten",
    prod: "https://idporten.no",
    test: "https://test.idporten.no",
};

impl Service {
    /// The issuer that the settings mean.
    pub(super) fn issuer(&self, settings: &ClientSettings) -> Result<String> {
        let Some(issuer) = &settings.issuer else {
            return match settings.environment {
                Some(environment) => Ok(self.issuer_in(environment).to_owned()),
                None => Err(setting_error(
                    "environment",
                    "is missing; set \"test\" or \"prod\", or \"issuer\"",
                )),
            };
        };
        self.refuse_others("issuer", known_issuer("issuer", issuer)?, settings)?;
        Ok(issuer.clone())
    }

    /// The environment, if it can be told from the settings.
    pub(super) fn environment(&self, settings: &ClientSettings) -> Option<Environment> {
        let by_issuer = || {
            let issuer = settings.issuer.as_deref()?;
            [Environment::Prod, Environment::Test]
                .into_iter()
                .find(|environment| self.issuer_in(*environment) == issuer)
        };
        settings.environment.or_else(by_issuer)
    }

    /// The `aud` claim: `issuer`, unless the settings have another that may be.
    pub(super) fn audience(&self, settings: &ClientSettings, issuer: &str) -> Result<String> {
        let Some(audience) = &settings.audience else {
            return Ok(issuer.to_owned());
        };
        self.refuse_others("audience", known_issuer("audience", audience)?, settings)?;
        let is_endpoint = settings.token_endpoint.as_ref() == Some(audience)
            || *audience == usual_endpoint(issuer);
        if is_endpoint {
            return Err(setting_error(
                "audience",
                format_args!(
                    "is the token endpoint; {} takes its issuer identifier only, so leave it out",
                    self.title
                ),
            ));
        }
        Ok(audience.clone())
    }

    /// Where tokens are requested.
    pub(super) fn token_endpoint(&self, settings: &ClientSettings) -> Result<TokenEndpoint> {
        let issuer = self.issuer(settings)?;
        for (setting, url) in [
            ("token_endpoint", &settings.token_endpoint),
            ("metadata", &settings.metadata),
        ] {
            if let Some(url) = url {
                refuse_retired(setting, url)?;
                self.refuse_others(setting, at_host(url), settings)?;
            }
        }
        if let Some(url) = &settings.token_endpoint
            && url.trim_end_matches('/') == issuer.trim_end_matches('/')
        {
            // Lånekassen's page gives Maskinporten's so.
            return Err(setting_error(
                "token_endpoint",
                format_args!(
                    "is the issuer identifier; {} gives tokens at {}, which is used when this is left out",
                    self.title,
                    usual_endpoint(&issuer)
                ),
            ));
        }
        TokenEndpoint::from_settings(
            settings,
            Some(&issuer),
            |issuer| {
                let base = issuer.trim_end_matches('/');
                let path = ".well-known/oauth-authorization-server";
                endpoint("issuer", &format!("{base}/{path}"))
            },
            || endpoint("issuer", &usual_endpoint(&issuer)),
        )
    }

    /// The issuer identifier.
    pub(super) fn issuer_in(&self, environment: Environment) -> &'static str {
        match environment {
            Environment::Prod => self.prod,
            Environment::Test => self.test,
        }
    }

    /// Refuses a URL of another service, or of the environment that the settings
    /// do not name.
    fn refuse_others(
        &self,
        setting: &str,
        found: Option<(&'static Service, Environment)>,
        settings: &ClientSettings,
    ) -> Result<()> {
        let Some((service, environment)) = found else {
            return Ok(());
        };
        if service != self {
            return Err(setting_error(
                setting,
                format_args!(
                    "is {}'s, and the profile is {}; set profile = \"{}\", or leave it out",
                    service.title, self.profile, service.profile
                ),
            ));
        }
        match self.environment(settings) {
            Some(wanted) if wanted != environment => Err(setting_error(
                setting,
                format_args!(
                    "is of {}, and the client is in {}; leave it out, or change \"environment\"",
                    name_of(environment),
                    name_of(wanted)
                ),
            )),
            _ => Ok(()),
        }
    }
}

fn usual_endpoint(issuer: &str) -> String {
    format!("{}/token", issuer.trim_end_matches('/'))
}

fn name_of(environment: Environment) -> &'static str {
    match environment {
        Environment::Prod => "production",
        Environment::Test => "test",
    }
}
