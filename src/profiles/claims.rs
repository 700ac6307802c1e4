//! Claims that every assertion has, from one reading of the clock.

use serde_json::{Map, Value};

use super::choices::{AudienceForm, JtiForm};
use super::client_settings::ClientSettings;
use super::setting_error;
use crate::clock::UnixTime;
use crate::error::Result;
use crate::keys::jwk::base64url;

/// What a service wants in every assertion, unless the settings say otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClaimRules {
    pub(super) audience_form: AudienceForm,
    /// Seconds.
    pub(super) lifetime: u32,
    /// Seconds.
    pub(super) max_lifetime: u32,
    /// Seconds.
    pub(super) backdate: u32,
}

/// The farthest that `iat` may lie back, in seconds: within the 10 seconds that
/// Maskinporten allows.
const MAX_BACKDATE: u32 = 9;

/// The claims that do not depend on the request.
#[derive(Debug, Clone)]
pub(super) struct CommonClaims {
    issuer: String,
    subject: Option<String>,
    audience: Value,
    lifetime: u32,
    backdate: u32,
    nbf: bool,
    jti: JtiForm,
}

impl CommonClaims {
    /// Claims of the client `issuer` for `audience`.
    pub(super) fn new(
        settings: &ClientSettings,
        issuer: &str,
        audience: &str,
        rules: ClaimRules,
    ) -> Result<Self> {
        let max_lifetime = rules.max_lifetime;
        let lifetime = settings.lifetime_seconds.unwrap_or(rules.lifetime);
        if !(1..=max_lifetime).contains(&lifetime) {
            return Err(setting_error(
                "lifetime_seconds",
                format_args!("is {lifetime}; 1 to {max_lifetime} are allowed"),
            ));
        }
        let backdate = settings.backdate_seconds.unwrap_or(rules.backdate);
        if backdate > MAX_BACKDATE {
            return Err(setting_error(
                "backdate_seconds",
                format_args!("is {backdate}; 0 to {MAX_BACKDATE} are allowed"),
            ));
        }
        if lifetime <= backdate {
            return Err(setting_error(
                "lifetime_seconds",
                format_args!(
                    "is {lifetime}, and \"backdate_seconds\" is {backdate}: assertions would be made expired; raise it"
                ),
            ));
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            subject: None,
            audience: one_or_array(
                audience,
                settings.audience_form.unwrap_or(rules.audience_form),
            ),
            lifetime,
            backdate,
            nbf: settings.nbf,
            jti: settings.jti.unwrap_or(JtiForm::Uuid),
        })
    }

    /// Adds `sub`, equal to `iss`, as client authentication wants it (RFC 7523
    /// section 3).
    pub(super) fn with_subject(mut self) -> Self {
        self.subject = Some(self.issuer.clone());
        self
    }

    /// Adds `nbf`, equal to `iat`, whatever the settings say.
    pub(super) fn with_not_before(mut self) -> Self {
        self.nbf = true;
        self
    }

    /// `aud`, `exp`, `iat`, `iss`, `jti` and, where set, `nbf` and `sub`. `exp` is
    /// counted from `iat`, so that the life is never longer than set.
    pub(super) fn at(&self, now: UnixTime) -> Map<String, Value> {
        let issued = now.plus(-i64::from(self.backdate));
        let expires = issued.plus(i64::from(self.lifetime));
        let mut claims = Map::new();
        claims.insert("aud".into(), self.audience.clone());
        claims.insert("exp".into(), expires.seconds().into());
        claims.insert("iat".into(), issued.seconds().into());
        claims.insert("iss".into(), self.issuer.as_str().into());
        claims.insert("jti".into(), new_jti(self.jti).into());
        if self.nbf {
            claims.insert("nbf".into(), issued.seconds().into());
        }
        if let Some(subject) = &self.subject {
            claims.insert("sub".into(), subject.as_str().into());
        }
        claims
    }
}

/// `"value"` or `["value"]`.
pub(super) fn one_or_array(value: &str, form: AudienceForm) -> Value {
    match form {
        AudienceForm::String => value.into(),
        AudienceForm::Array => Value::Array(vec![value.into()]),
    }
}

fn new_jti(form: JtiForm) -> String {
    let random = uuid::Uuid::new_v4();
    match form {
        JtiForm::Uuid => random.to_string(),
        JtiForm::Base64url => base64url(random.as_bytes()),
    }
}
