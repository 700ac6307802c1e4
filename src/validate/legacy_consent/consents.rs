//! Whether a consent token is Altinn's, and in time.

use serde_json::{Map, Value};

use super::super::claims::Claims;
use super::super::consent::{malformed, unix_time};
use super::super::jwt::Parts;
use super::super::key_cache::KeyCache;
use super::super::refusal::{insufficient, shown};
use super::super::signatures::Signatures;
use super::{LegacyConsent, LegacyConsentRequirement};
use crate::alg::Algorithm;
use crate::call::Call;
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::jws::received::Jws;

/// Checks consent tokens of Altinn 2.
#[derive(Debug)]
pub(in super::super) struct LegacyConsents {
    issuer: String,
    signatures: Signatures,
    leeway: i64,
}

impl LegacyConsents {
    pub(super) fn new(issuer: String, keys: KeyCache, leeway: i64) -> Self {
        Self {
            issuer,
            // Altinn made no others, whatever `alg` its keys have (RSA-OAEP-256 was seen).
            signatures: Signatures {
                algorithms: vec![Algorithm::RS256],
                keys,
            },
            leeway,
        }
    }

    /// The consent in the token that is required beside an access token with `claims`, if it
    /// is what is required.
    ///
    /// # Errors
    /// `CONSENT_MISSING`, `CONSENT_MALFORMED`, `CONSENT_EXPIRED`, `CONSENT_ORGANISATION`,
    /// `CONSENT_GIVER`, `CONSENT_RIGHT`; of the consent token `ACCESS_TOKEN_ALGORITHM`,
    /// `ACCESS_TOKEN_KEY_UNKNOWN`, `ACCESS_TOKEN_SIGNATURE` and `ACCESS_TOKEN_ISSUER`; those of
    /// having Altinn's keys.
    pub(in super::super) fn check(
        &self,
        required: &LegacyConsentRequirement,
        claims: &Claims,
        now: UnixTime,
        call: &Call,
    ) -> Result<LegacyConsent> {
        let token = text(required)?;
        let parts = Parts::split(token).map_err(of_consent)?;
        self.signatures.check(&parts, call).map_err(of_consent)?;
        let signed = Jws::parse(token).map_err(malformed)?.claims;
        self.require_issuer(&signed)?;
        self.require_time(&signed, required.cached, now)?;
        let consent = LegacyConsent::from_claims(&signed)?;
        required.require(&consent, claims.consumer_number(), now)?;
        Ok(consent)
    }

    fn require_issuer(&self, claims: &Map<String, Value>) -> Result<()> {
        match claims.get("iss").and_then(Value::as_str) {
            Some(issuer) if issuer == self.issuer => Ok(()),
            found => Err(insufficient(
                ErrorCode::AccessTokenIssuer,
                format!(
                    "the consent token must be from \"{}\" (\"iss\"), and is from {}",
                    self.issuer,
                    found.map_or("nobody".to_owned(), |found| format!("\"{}\"", shown(found)))
                ),
            )),
        }
    }

    /// `exp` is 30 seconds after the token was made. An API that keeps the token has seen it
    /// before that.
    fn require_time(
        &self,
        claims: &Map<String, Value>,
        is_cached: bool,
        now: UnixTime,
    ) -> Result<()> {
        if is_cached {
            return Ok(());
        }
        let time = |name: &str| {
            let value = claims.get(name);
            let read =
                |value| unix_time(value).ok_or_else(|| malformed(format!("\"{name}\" is no time")));
            value.map(read).transpose()
        };
        let expires_at = time("exp")?.ok_or_else(|| malformed("\"exp\" is missing"))?;
        if now >= expires_at.plus(self.leeway) {
            return Err(insufficient(
                ErrorCode::ConsentExpired,
                format!(
                    "the consent token expired at {expires_at}, 30 seconds after it was made; get a new one, or say \
                     \"cached\" if it was checked before that and kept"
                ),
            ));
        }
        for name in ["iat", "nbf"] {
            if let Some(start) = time(name)?.filter(|start| *start > now.plus(self.leeway)) {
                return Err(insufficient(
                    ErrorCode::ConsentExpired,
                    format!(
                        "the consent token is from {start} (\"{name}\"), which is in the future; look at this machine's clock"
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// The token without the quotation marks that Altinn puts around it, and others apostrophes.
fn text(required: &LegacyConsentRequirement) -> Result<&str> {
    let text = std::str::from_utf8(required.token.expose())
        .map_err(|_| malformed("it is not UTF-8"))?
        .trim();
    let text = ['"', '\'']
        .into_iter()
        .find_map(|mark| text.strip_prefix(mark)?.strip_suffix(mark))
        .unwrap_or(text)
        .trim();
    match text.is_empty() {
        false => Ok(text),
        true => Err(insufficient(
            ErrorCode::ConsentMissing,
            "there is no consent token beside the access token",
        )),
    }
}

/// `error`, which is about the consent token and not the access token: that one is good, so
/// that another would not help.
fn of_consent(error: Error) -> Error {
    match error.code() {
        ErrorCode::AccessTokenMalformed => malformed(error.message()),
        ErrorCode::AccessTokenAlgorithm
        | ErrorCode::AccessTokenKeyUnknown
        | ErrorCode::AccessTokenSignature => insufficient(
            error.code(),
            format!("the consent token: {}", error.message()),
        )
        .with_retryable(error.retryable()),
        _ => error.in_context("the consent token"),
    }
}
