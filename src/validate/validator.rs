//! `Validator`: whether a token that an API received is good for what its sender wants.

use std::fmt;
use std::sync::Arc;

use super::check::Standing;
use super::claims::Claims;
use super::jwks::Verdict;
use super::jwt::{Header, Parts, malformed};
use super::key_cache::{KeyCache, Known};
use super::refusal::{invalid_token, shown};
use super::requirements::Requirements;
use super::settings::ValidatorSettings;
use super::verified_token::{Payload, VerifiedToken};
use crate::alg::Algorithm;
use crate::call::Call;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorCode, Result};
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
    algorithms: Vec<Algorithm>,
    keys: KeyCache,
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
    /// and supplier, audience and person are checked in this order, and nothing of the token
    /// is believed before its signature. It is pure computation unless the keys have to
    /// be read: at the first check, and when a token names one that is not known, at most
    /// once in 30 seconds.
    ///
    /// # Errors
    /// The first check that failed, 700 to 711 of [`ErrorCode`], with what was expected and
    /// what was found. Its details say what an API answers (RFC 6750 section 3.1):
    /// `http_status` 401 with `oauth_error` `invalid_token`, or 403 with
    /// `insufficient_scope`. `JWKS_UNAVAILABLE`, `JWKS_INVALID` (both with `http_status`
    /// 503) or `METADATA_INVALID` when no keys are known; `TIMEOUT` and `CANCELLED` while
    /// they are read.
    pub fn check(
        &self,
        token: &str,
        requirements: &Requirements,
        call: &Call,
    ) -> Result<VerifiedToken> {
        let parts = Parts::split(token)?;
        self.check_signature(&parts, call)?;
        let payload = Payload::new(parts.payload()?)
            .map_err(|()| malformed("has a payload that is not UTF-8"))?;
        let claims = Claims::from_json(payload.as_str())?;
        self.standing
            .check(&claims, requirements, self.clock.now())?;
        Ok(VerifiedToken::new(claims, payload))
    }

    fn check_signature(&self, parts: &Parts<'_>, call: &Call) -> Result<()> {
        let signature = parts.signature()?;
        let keys = self.keys.peek();
        if let Some(known) = &*keys
            && let Some(is_right) =
                known
                    .keys
                    .verify_known(parts.header, parts.signing_input, signature.as_bytes())
        {
            self.keys.refresh_if_due(known);
            return match is_right {
                true => Ok(()),
                false => Err(wrong_signature()),
            };
        }
        drop(keys);
        let header = Header::read(parts.header, &self.algorithms)?;
        let verify = |known: &Known| {
            known.keys.verify(
                parts.header,
                &header,
                parts.signing_input,
                signature.as_bytes(),
            )
        };
        let known = self.keys.keys(call)?;
        let verdict = match (verify(&known), &header.kid) {
            (Verdict::Right, _) => return Ok(()),
            (Verdict::Wrong, Some(_)) => return Err(wrong_signature()),
            (verdict, _) => verdict,
        };
        // The issuer may have a new key, which without a `kid` looks like a wrong signature.
        match self.keys.newer_than(&known, call) {
            Ok(None) => Err(refused(verdict, &header, &known, None)),
            Ok(Some(newer)) => match verify(&newer) {
                Verdict::Right => Ok(()),
                verdict => Err(refused(verdict, &header, &newer, None)),
            },
            Err(error) if matches!(error.code(), ErrorCode::Timeout | ErrorCode::Cancelled) => {
                Err(error)
            }
            Err(error) => Err(refused(verdict, &header, &known, Some(&error))),
        }
    }
}

fn refused(verdict: Verdict, header: &Header, known: &Known, failure: Option<&Error>) -> Error {
    match verdict {
        Verdict::Wrong => wrong_signature(),
        _ => unknown_key(header, known, failure),
    }
}

fn wrong_signature() -> Error {
    invalid_token(
        ErrorCode::AccessTokenSignature,
        "the token's signature is not the issuer's; it was changed on its way, or made by somebody else",
    )
}

fn unknown_key(header: &Header, known: &Known, failure: Option<&Error>) -> Error {
    let named = match &header.kid {
        Some(kid) => format!("a key with the kid \"{}\"", shown(kid)),
        None => "a key without kid, as the token names none".to_owned(),
    };
    let also = failure.map_or(String::new(), |error| {
        format!("; they could not be read anew: {error}")
    });
    let error = invalid_token(
        ErrorCode::AccessTokenKeyUnknown,
        format!(
            "the issuer has not {named}; it has {}{also}",
            known.keys.kids()
        ),
    );
    error.with_retryable(failure.is_some())
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
        Ok(Validator {
            algorithms: settings.algorithms(),
            keys: KeyCache::new(
                source,
                transport,
                Arc::clone(&self.clock),
                settings.timeout(),
                settings.max_age()?,
            ),
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
