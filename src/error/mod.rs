//! One error type with a stable number, for five languages.

mod code;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use code::ErrorCode;

/// The result of everything in segl that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What failed, on what, and what to do about it.
///
/// An error never carries a PIN, passphrase, token, assertion, private key or
/// personal identifier.
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: ErrorCode,
    message: String,
    details: Details,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// Facts about an error that a program can act on. Absent ones are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Details {
    /// True when the same call may succeed later without any change.
    pub retryable: bool,
    /// How long the server asked to wait (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// The HTTP status of the answer. In a 700 error, the one that an API answers the token
    /// with: 401, 403, or 503 while the issuer's keys cannot be had.
    pub http_status: Option<u16>,
    /// The PKCS#11 return value (`CK_RV`).
    pub ck_rv: Option<u64>,
    /// The PKCS#11 function that returned it, for example `"C_Login"`.
    pub ck_function: Option<&'static str>,
    /// `error` of the token endpoint (RFC 6749 section 5.2). In a 700 error, the one that an
    /// API answers the token with (RFC 6750 section 3.1): `invalid_token` or
    /// `insufficient_scope`.
    pub oauth_error: Option<String>,
    /// `error_description` of the token endpoint.
    pub oauth_error_description: Option<String>,
    /// `error_uri` of the token endpoint.
    pub error_uri: Option<String>,
    /// The provider's own code, for example Maskinporten's `MP-122`.
    pub provider_code: Option<String>,
    /// The provider's trace id, to be quoted in a support case.
    pub trace_id: Option<String>,
    /// The path of the setting at fault, for example `clients.bank.key`.
    pub config_path: Option<String>,
}

impl Error {
    /// An error with a number and a message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            message: one_line(message.into()),
            details: Details::default(),
            source: None,
        }))
    }

    /// The same error with the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into().into());
        self
    }

    /// The same error, marked as worth or not worth another try.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.details.retryable = retryable;
        self
    }

    /// The same error with facts set by `set`.
    #[must_use]
    pub fn with_details(mut self, set: impl FnOnce(&mut Details)) -> Self {
        set(&mut self.0.details);
        self
    }

    /// The same error with `context` (what was being done) before its message.
    #[must_use]
    pub fn in_context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = one_line(format!("{context}: {}", self.0.message));
        self
    }

    /// The same error, about the client called `name` in the configuration.
    #[must_use]
    pub(crate) fn in_client(self, name: &str) -> Self {
        self.in_table("clients", name)
            .in_context(format_args!("client \"{name}\""))
    }

    /// The same error, about the validator called `name` in the configuration.
    #[must_use]
    pub(crate) fn in_validator(self, name: &str) -> Self {
        self.in_table("validators", name)
            .in_context(format_args!("validator \"{name}\""))
    }

    fn in_table(mut self, table: &str, name: &str) -> Self {
        if let Some(path) = &mut self.0.details.config_path
            && !path.starts_with(&format!("{table}."))
        {
            *path = format!("{table}.{name}.{path}");
        }
        self
    }

    /// The same error once more, for another caller.
    #[must_use]
    pub(crate) fn duplicate(&self) -> Self {
        Self(Box::new(Inner {
            code: self.0.code,
            message: self.0.message.clone(),
            details: self.0.details.clone(),
            source: self.0.source.clone(),
        }))
    }

    /// The stable number.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What failed, on what, and what to do. UTF-8, one line.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The facts beside the message.
    pub fn details(&self) -> &Details {
        &self.0.details
    }

    /// True when the same call may succeed later without any change.
    pub fn retryable(&self) -> bool {
        self.0.details.retryable
    }
}

/// What a program's own callback or a file's name brings must not look like another
/// record in a log.
fn one_line(text: String) -> String {
    match text.contains(char::is_control) {
        true => text.replace(char::is_control, " "),
        false => text,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("details", &self.0.details)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
