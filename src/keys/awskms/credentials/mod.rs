//! AWS credentials: what they are, and the places where AWS's own tools look for them.

mod cached;
mod container;
mod default;
mod instance;
mod machine;
mod process;
mod profiles;
mod sts;

use std::fmt;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

pub(super) use cached::CachedCredentials;
pub(super) use default::DefaultCredentials;
pub(super) use profiles::Profiles;

use crate::call::Call;
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// Gives AWS credentials: a program's own source, in the place of AWS's usual ones.
pub trait CredentialsProvider: fmt::Debug + Send + Sync {
    /// The credentials to sign requests with, within the bounds of `call`. They are
    /// kept until shortly before they expire, and asked for again when AWS refuses
    /// them.
    ///
    /// # Errors
    /// `KMS_CREDENTIALS`, or whatever the program wants its caller to see.
    fn credentials(&self, call: &Call) -> Result<Credentials>;
}

/// AWS credentials. Their secrets are wiped when dropped and never printed.
#[derive(Clone)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Zeroizing<String>>,
    expires_at: Option<UnixTime>,
}

impl Credentials {
    /// Credentials that do not expire.
    ///
    /// # Errors
    /// `KMS_CREDENTIALS` when one is empty or holds what no credentials hold.
    pub fn new(access_key_id: &str, secret_access_key: Secret) -> Result<Self> {
        if !is_printable(access_key_id.as_bytes()) || access_key_id.contains(['/', ',']) {
            return Err(unusable(
                "the access key id is empty or has characters that none has",
            ));
        }
        if !is_printable(secret_access_key.expose()) {
            return Err(unusable(
                "the secret access key is empty or has characters that none has",
            ));
        }
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            secret_access_key,
            session_token: None,
            expires_at: None,
        })
    }

    /// The same credentials with a session token, which temporary ones have.
    ///
    /// # Errors
    /// `KMS_CREDENTIALS` when it is empty or holds what no token holds.
    pub fn with_session_token(mut self, token: &Secret) -> Result<Self> {
        let text = std::str::from_utf8(token.expose()).unwrap_or_default();
        if !is_printable(text.as_bytes()) {
            return Err(unusable(
                "the session token is empty or has characters that none has",
            ));
        }
        self.session_token = Some(Zeroizing::new(text.to_owned()));
        Ok(self)
    }

    /// The same credentials, known to expire then.
    #[must_use]
    pub fn expiring_at(mut self, time: UnixTime) -> Self {
        self.expires_at = Some(time);
        self
    }

    /// Reads the JSON that a `credential_process` prints: `Version` (1),
    /// `AccessKeyId`, `SecretAccessKey`, and perhaps `SessionToken` and `Expiration`
    /// (RFC 3339). The containers' and instances' JSON, with `Token`, is read too.
    ///
    /// # Errors
    /// `KMS_CREDENTIALS`, without the text.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let json: Members = serde_json::from_slice(json).map_err(|_| {
            unusable(
                "the text is not a JSON object with \"AccessKeyId\" and \"SecretAccessKey\" (it is not shown)",
            )
        })?;
        if json.version.is_some_and(|version| version != 1) {
            return Err(unusable("the JSON's \"Version\" is not 1"));
        }
        let mut credentials = Self::new(
            &json.access_key_id,
            Secret::from(json.secret_access_key.as_bytes()),
        )?;
        if let Some(token) = json.session_token.filter(|token| !token.is_empty()) {
            credentials = credentials.with_session_token(&Secret::from(token.as_bytes()))?;
        }
        if let Some(expiration) = json.expiration {
            credentials.expires_at = Some(read_time(&expiration)?);
        }
        Ok(credentials)
    }

    /// The id, which is no secret.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// When they expire, if that is known.
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.expires_at
    }

    pub(super) fn secret_access_key(&self) -> &Secret {
        &self.secret_access_key
    }

    pub(super) fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(|token| token.as_str())
    }
}

/// Credentials provide themselves.
impl CredentialsProvider for Credentials {
    fn credentials(&self, _: &Call) -> Result<Credentials> {
        Ok(self.clone())
    }
}

/// Shows the id alone.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &self.secret_access_key)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members {
    version: Option<i64>,
    access_key_id: String,
    secret_access_key: Zeroizing<String>,
    #[serde(alias = "Token")]
    session_token: Option<Zeroizing<String>>,
    expiration: Option<String>,
}

/// RFC 3339, as AWS writes the end of credentials.
fn read_time(text: &str) -> Result<UnixTime> {
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
        unusable("the time at which the credentials expire is not in RFC 3339 form")
    })?;
    Ok(UnixTime::from_seconds(time.unix_timestamp()))
}

fn is_printable(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic)
}

/// A `KMS_CREDENTIALS` error.
fn unusable(problem: impl Into<String>) -> Error {
    Error::new(ErrorCode::KmsCredentials, problem)
}
