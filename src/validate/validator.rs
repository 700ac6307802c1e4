//! `Validator`: whether a token that an API received is good for what its sender wants.

use std::fmt;
use std::sync::Arc;

use super::binding::Binding;
use super::check::Standing;
use super::claims::Claims;
use super::jwt::{Parts, malformed};
use super::key_cache::KeyCache;
use super::legacy_consent::{LegacyConsentRequirement, LegacyConsents};
use super::requirements::Requirements;
use super::settings::ValidatorSettings;
use super::signatures::Signatures;
use super::verified_token::{Consents, Payload, VerifiedToken};
use crate::call::Call;
use crate::clock::{Clock, SystemClock};
use crate::error::Result;
use crate::file;
use crate::http::tls::{Roots, TlsOptions};
use crate::http::{Transport, TransportSettings, UreqTransport};
use crate::profiles::setting_error;

/// Checks access tokens of one issuer. One is enough for a program, and may be used by any
/// number of threads at a time.
///
/// ```no_run
/// use segl::{Call, Config, Requirements, Validator};
///
/// # fn main() -> segl::Result<()> {
/// # let token = "";
/// let config = Config::from_file("segl.toml".as_ref())?;
/// let validator = Validator::from_config(&config, "maskinporten")?;
/// let requirements = Requirements::from_json(r#"{"scopes": ["bank:saldo.read"], "supplier": null}"#)?;
/// let token = validator.check(token, &requirements, &Call::none())?;
/// println!("{:?} may read", token.consumer());
/// # Ok(())
/// # }
/// ```
pub struct Validator {
    standing: Standing,
    signatures: Signatures,
    binding: Binding,
    legacy_consents: Option<LegacyConsents>,
    clock: Arc<dyn Clock>,
}

impl Validator {
    /// A validator with these settings. Nothing is sent before the first check.
    ///
    /// # Errors
    /// `CONFIG` or `URL` naming the setting at fault; `IO` and `CERTIFICATE` for `ca_file`.
    pub fn new(settings: ValidatorSettings) -> Result<Self> {
        Self::builder(settings).build()
    }

    /// As [`Validator::new`], with parts of the program's own.
    pub fn builder(settings: ValidatorSettings) -> ValidatorBuilder {
        ValidatorBuilder {
            settings,
            transport: None,
            clock: Arc::new(SystemClock),
            name: None,
        }
    }

    /// Answers whether the token's sender may do what `requirements` say, now: the algorithm,
    /// the signature by a key of the issuer, `iss`, `exp`, `iat` and `nbf`, scopes, consumer
    /// and supplier, audience, person, what the token is bound to, and consent are checked in
    /// this order, and nothing of the token is believed before its signature. It is pure
    /// computation unless the keys have to be read: at the first check, and when a token
    /// names one that is not known or has a signature that is not its key's, at most once in
    /// 30 seconds.
    ///
    /// A DPoP proof is good for one check: calls with the same one are refused, by this
    /// validator in this process.
    ///
    /// # Errors
    /// The first check that failed, 700 to 725 of [`crate::ErrorCode`], with what was expected and
    /// what was found. Its details say what an API answers (RFC 6750 section 3.1):
    /// `http_status` 401 with `oauth_error` `invalid_token`, or 403 with
    /// `insufficient_scope`. `JWKS_UNAVAILABLE`, `JWKS_INVALID` or `METADATA_INVALID` when no
    /// keys are known; `TIMEOUT` and `CANCELLED` while they are read: all with `http_status`
    /// 503. `INVALID_ARGUMENT` when a requirement is there and empty.
    pub fn check(
        &self,
        token: &str,
        requirements: &Requirements,
        call: &Call,
    ) -> Result<VerifiedToken> {
        requirements.require_something()?;
        let legacy = self.legacy_consent(requirements)?;
        let parts = Parts::split(token)?;
        self.signatures.check(&parts, call)?;
        let payload = Payload::new(parts.payload()?)
            .map_err(|()| malformed("has a payload that is not UTF-8"))?;
        let claims = Claims::from_json(payload.as_str())?;
        let now = self.clock.now();
        self.standing.check(&claims, requirements, now)?;
        self.binding
            .check(token, claims.bound(), requirements.shown(), now)?;
        let consents = Consents {
            consent: requirements
                .consent
                .as_ref()
                .map(|required| required.check(&claims, now, self.standing.leeway))
                .transpose()?,
            legacy: legacy
                .map(|(consents, required)| consents.check(required, &claims, now, call))
                .transpose()?,
        };
        Ok(VerifiedToken::new(claims, payload, consents))
    }

    /// What checks the consent token of Altinn 2 that is required, if one is.
    fn legacy_consent<'a>(
        &'a self,
        requirements: &'a Requirements,
    ) -> Result<Option<(&'a LegacyConsents, &'a LegacyConsentRequirement)>> {
        match (&self.legacy_consents, &requirements.legacy_consent) {
            (_, None) => Ok(None),
            (Some(consents), Some(required)) => Ok(Some((consents, required))),
            (None, Some(_)) => Err(setting_error(
                "legacy_consent",
                "is missing, and a consent token of Altinn 2 is to be checked; add the table legacy_consent",
            )),
        }
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validator")
            .field("issuer", &self.standing.issuer)
            .finish_non_exhaustive()
    }
}

/// Makes a [`Validator`] with parts of the program's own.
#[derive(Debug)]
pub struct ValidatorBuilder {
    settings: ValidatorSettings,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
    name: Option<String>,
}

impl ValidatorBuilder {
    /// Reads the issuer's keys through this transport instead of segl's own. The setting
    /// `ca_file` has no meaning beside it, and is refused.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Takes the time from this clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Names the validator as the configuration does, for errors.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The validator. Nothing is sent.
    ///
    /// # Errors
    /// As [`Validator::new`].
    pub fn build(self) -> Result<Validator> {
        let name = self.name.clone();
        self.make().map_err(|error| match name {
            Some(name) => error.in_validator(&name),
            None => error,
        })
    }

    fn make(self) -> Result<Validator> {
        let settings = self.settings;
        let (issuer, source) = settings.issuer_and_keys()?;
        let transport = match self.transport {
            None => built_in(&settings)?,
            Some(_) if settings.ca_file.is_some() => {
                return Err(setting_error(
                    "ca_file",
                    "is set, and a transport of the program's own was given, which has its own; leave it out",
                ));
            }
            Some(transport) => transport,
        };
        let (timeout, max_age) = (settings.timeout(), settings.max_age()?);
        let keys = |source| {
            let (transport, clock) = (Arc::clone(&transport), Arc::clone(&self.clock));
            KeyCache::new(source, transport, clock, timeout, max_age)
        };
        Ok(Validator {
            signatures: Signatures {
                algorithms: settings.algorithms(),
                keys: keys(source),
            },
            binding: settings.binding()?,
            legacy_consents: settings.legacy_consents(keys)?,
            clock: self.clock,
            standing: Standing {
                issuer,
                leeway: settings.leeway()?,
                audience: settings.audience()?,
                scopes: settings.scopes,
                allow_unspecified_audience: settings.allow_unspecified_audience,
            },
        })
    }
}

fn built_in(settings: &ValidatorSettings) -> Result<Arc<dyn Transport>> {
    let bounds = TransportSettings {
        timeout: settings.timeout(),
        ..TransportSettings::default()
    };
    let mut tls = TlsOptions::default();
    if let Some(path) = &settings.ca_file {
        let roots = file::read(path, "CA file")
            .and_then(|pem| Roots::from_pem(&pem).map_err(|error| error.in_context(path.display())))
            .map_err(|error| {
                error
                    .with_details(|details| details.config_path = Some("ca_file".to_owned()))
                    .in_context("ca_file")
            })?;
        tls.roots = Some(roots);
    }
    Ok(Arc::new(UreqTransport::with_tls(bounds, tls)?))
}
