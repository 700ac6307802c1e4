//! Claims that every assertion has, from one reading of the clock.

use serde_json::{Map, Value};

use super::client_settings::{AudienceForm, ClientSettings, JtiForm};
use super::setting_error;
use super::values::ClientId;
use crate::clock::UnixTime;
use crate::error::Result;
use crate::keys::jwk::base64url;

/// The claims that do not depend on the request.
#[derive(Debug, Clone)]
pub(super) struct CommonClaims {
    issuer: String,
    subject: Option<String>,
    audience: Value,
    lifetime: u32,
    nbf: bool,
    jti: JtiForm,
}

impl CommonClaims {
    /// Claims of `client_id` for `audience`, living `default_lifetime`
    /// seconds unless set otherwise and never more than `max_lifetime`.
    pub(super) fn new(
        settings: &ClientSettings,
        client_id: &ClientId,
        audience: &str,
        default_form: AudienceForm,
        default_lifetime: u32,
        max_lifetime: u32,
    ) -> Result<Self> {
        let lifetime = settings.lifetime_seconds.unwrap_or(default_lifetime);
        if !(1..=max_lifetime).contains(&lifetime) {
            return Err(setting_error(
                "lifetime_seconds",
                format_args!("is {lifetime}; 1 to {max_lifetime} are allowed"),
            ));
        }
        Ok(Self {
            issuer: client_id.as_str().to_owned(),
            subject: None,
            audience: one_or_array(audience, settings.audience_form.unwrap_or(default_form)),
            lifetime,
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

    /// `aud`, `exp`, `iat`, `iss`, `jti` and, where set, `nbf` and `sub`.
    pub(super) fn at(&self, now: UnixTime) -> Map<String, Value> {
        let mut claims = Map::new();
        claims.insert("aud".into(), self.audience.clone());
        claims.insert(
            "exp".into(),
            now.plus(i64::from(self.lifetime)).seconds().into(),
        );
        claims.insert("iat".into(), now.seconds().into());
        claims.insert("iss".into(), self.issuer.as_str().into());
        claims.insert("jti".into(), new_jti(self.jti).into());
        if self.nbf {
            claims.insert("nbf".into(), now.seconds().into());
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
