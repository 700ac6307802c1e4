//! What Digdir's services have in common: their issuers, which are compared
//! letter for letter, their keys and certificates (docs.digdir.no; old addresses
//! from the same pages).

use url::Url;

use super::client_settings::{ClientSettings, Environment};
use super::key_reference::KeyReference;
use super::token_endpoint::TokenEndpoint;
use super::{endpoint, setting_error};
use crate::alg::Algorithm;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::{Certificate, OrgNumber};
use crate::log::{self, Level};

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

    /// Refuses a `kid` that the self-service does not register.
    pub(super) fn check_kid(&self, settings: &ClientSettings) -> Result<()> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        match &settings.kid {
            Some(kid) if !kid.bytes().all(is_plain) => Err(setting_error(
                "kid",
                format_args!(
                    "is \"{}\"; {}'s self-service registers letters, digits, \".\", \"_\" and \"-\" only; \
                     copy it from there",
                    kid.escape_debug(),
                    self.title
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Refuses a header that names no key.
    pub(super) fn require_key_reference(&self, reference: &KeyReference) -> Result<()> {
        match reference {
            KeyReference::None => Err(setting_error(
                "kid",
                format_args!(
                    "is missing, and no certificate is set or beside the key; {} needs exactly one: \
                     the key id registered in its self-service, or a certificate for x5c",
                    self.title
                ),
            )),
            _ => Ok(()),
        }
    }

    /// The client's own organisation, from the certificate or the setting
    /// `orgno`, which must be the same.
    pub(super) fn own_organisation(
        &self,
        settings: &ClientSettings,
        leaf: Option<&Certificate>,
    ) -> Result<Option<OrgNumber>> {
        let certified = leaf.and_then(Certificate::org_number);
        let Some(orgno) = org_number("orgno", settings.orgno.as_deref())? else {
            return Ok(certified);
        };
        match certified {
            Some(certified) if certified != orgno => Err(setting_error(
                "orgno",
                format_args!(
                    "is {orgno}, and the certificate is that of {certified}; {} would refuse it (MP-122), \
                     so use a certificate of the organisation that owns the client",
                    self.title
                ),
            )),
            _ => Ok(Some(orgno)),
        }
    }

    /// Refuses a test certificate in production. Buypass and Commfides have "Test"
    /// in the names of the authorities that issue those. That it is missing proves
    /// less, so that a certificate which seems to be for production is only warned
    /// about in test.
    pub(super) fn check_environment_of(
        &self,
        leaf: &Certificate,
        settings: &ClientSettings,
    ) -> Result<()> {
        let issuer = leaf.issuer();
        let lower = issuer.to_lowercase();
        if !["buypass", "commfides"].iter().any(|ca| lower.contains(ca)) {
            return Ok(());
        }
        let is_test = lower
            .split(|c: char| !c.is_alphanumeric())
            .filter_map(|word| word.strip_prefix("test"))
            .any(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        match (self.environment(settings), is_test) {
            (Some(Environment::Prod), true) => Err(Error::new(
                ErrorCode::Certificate,
                format!(
                    "the certificate was issued by \"{issuer}\", which is for tests, and the client is in production; \
                     {} would refuse it (MP-120), so use a production certificate",
                    self.title
                ),
            )
            .with_details(|details| details.config_path = Some("certificate".to_owned()))),
            (Some(Environment::Test), false) => {
                log::emit(
                    Level::Warn,
                    "profiles",
                    format_args!(
                        "the certificate issued by \"{issuer}\" seems to be for production; \
                         {} in test refuses such (MP-120)",
                        self.title
                    ),
                );
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn issuer_in(&self, environment: Environment) -> &'static str {
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

/// The service and environment whose issuer identifier `text` is; none for those
/// of others.
///
/// # Errors
/// `CONFIG` for a URL at one of Digdir's hosts that is no issuer identifier, such
/// as one with a slash too many or too few: `aud` is compared letter for letter.
pub(super) fn known_issuer(
    setting: &str,
    text: &str,
) -> Result<Option<(&'static Service, Environment)>> {
    refuse_retired(setting, text)?;
    let Some((service, environment)) = at_host(text) else {
        return Ok(None);
    };
    let issuer = service.issuer_in(environment);
    if text == issuer {
        return Ok(Some((service, environment)));
    }
    let slash = match issuer.ends_with('/') {
        true => "with its final slash",
        false => "without a final slash",
    };
    Err(setting_error(
        setting,
        format_args!(
            "is \"{}\"; {}'s issuer identifier is \"{issuer}\", {slash} and nothing more; set exactly that",
            text.escape_debug(),
            service.title
        ),
    ))
}

/// Refuses addresses that never were, or are no more.
pub(super) fn refuse_retired(setting: &str, text: &str) -> Result<()> {
    let host = host(text);
    let is_shut_down = matches!(&*host, "ver1.maskinporten.no" | "ver2.maskinporten.no")
        || (host.starts_with("oidc") && host.ends_with(".difi.no"));
    let is_www = host.strip_prefix("www.").is_some_and(|h| find(h).is_some());
    let problem = match (is_shut_down, is_www) {
        (true, _) => "was shut down",
        (_, true) => "is a web page's",
        _ => return Ok(()),
    };
    Err(setting_error(
        setting,
        format_args!(
            "has the host {host}, which {problem}; leave it out and set \"environment\": \
             Maskinporten's issuers are {} and {}",
            MASKINPORTEN.prod, MASKINPORTEN.test
        ),
    ))
}

/// An organisation number in a setting.
pub(super) fn org_number(setting: &str, text: Option<&str>) -> Result<Option<OrgNumber>> {
    text.map(|text| text.parse().map_err(|error| setting_error(setting, error)))
        .transpose()
}

fn usual_endpoint(issuer: &str) -> String {
    format!("{}/token", issuer.trim_end_matches('/'))
}

fn at_host(text: &str) -> Option<(&'static Service, Environment)> {
    find(&host(text))
}

/// The service and environment at this host.
fn find(name: &str) -> Option<(&'static Service, Environment)> {
    let services = [&MASKINPORTEN, &SKYPORTEN, &IDPORTEN].into_iter();
    services
        .flat_map(|service| [(service, Environment::Prod), (service, Environment::Test)])
        .find(|(service, environment)| host(service.issuer_in(*environment)) == name)
}

/// The host of a URL, also of one that lacks its scheme.
fn host(text: &str) -> String {
    let url = Url::parse(text).ok();
    let name = url.as_ref().and_then(Url::host_str);
    let name = name.or_else(|| text.split('/').next());
    name.unwrap_or_default().to_ascii_lowercase()
}

fn name_of(environment: Environment) -> &'static str {
    match environment {
        Environment::Prod => "production",
        Environment::Test => "test",
    }
}
