//! Key URIs: which key, in which home.

mod awskms;
mod file;
mod grammar;
mod percent;
mod pin_read;
mod pin_source;
mod pkcs11;
mod token_settings;

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "awskms")]
pub(crate) use awskms::is_region;
pub use awskms::{AwsKmsUri, KmsKeyName};
pub use file::FileUri;
pub use pin_source::{PinPolicy, PinSource};
pub use pkcs11::Pkcs11Uri;
pub use token_settings::{ForkPolicy, Lifecycle, Threads, TokenSettings};

use crate::error::{Error, Result};

/// The name of a key: `pkcs11:` (RFC 7512) or `file:` (RFC 8089, with paths
/// relative to the working directory as an addition), or `awskms:` for AWS KMS.
/// Neither `Debug` nor `Display` prints a PIN.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum KeyUri {
    /// A key in a file.
    File(FileUri),
    /// A key in a token behind a PKCS#11 module.
    Pkcs11(Pkcs11Uri),
    /// A key in AWS KMS.
    AwsKms(AwsKmsUri),
}

impl KeyUri {
    /// Parses with a policy for risky PIN sources; [`FromStr`] allows none.
    ///
    /// # Errors
    /// `KEY_URI` naming the part at fault, `PIN_SOURCE` for a source of a PIN
    /// that is unknown or that the policy forbids. The message repeats no more
    /// of the URI than its scheme and the names of its attributes.
    pub fn parse(text: &str, policy: PinPolicy) -> Result<Self> {
        let (scheme, rest) = text
            .split_once(':')
            .filter(|(scheme, _)| is_scheme(scheme))
            .ok_or_else(|| {
                grammar::refusal(
                    "it has no scheme; write file:PATH for a key in a file, \
                     pkcs11:token=LABEL;object=LABEL for a key in a token, awskms:alias/NAME?region=REGION \
                     for one in AWS KMS",
                )
            })?;
        // Positions in messages count from 1.
        let start = scheme.len() + 2;
        match scheme.to_ascii_lowercase().as_str() {
            "pkcs11" => Pkcs11Uri::parse(rest, start, policy).map(Self::Pkcs11),
            "file" => FileUri::parse(rest, start, policy).map(Self::File),
            "awskms" => AwsKmsUri::parse(rest, start, policy).map(Self::AwsKms),
            other => Err(grammar::refusal(format_args!(
                "the scheme \"{other}\" is not supported; use file:, pkcs11: or awskms:"
            ))),
        }
    }
}

impl FromStr for KeyUri {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text, PinPolicy::default())
    }
}

/// The URI in canonical form, without any secret: `pin-value=[redacted]`,
/// `pin-source=|[redacted]` and `init-reserved=[redacted]` stand for a PIN, a command
/// and a module's configuration. Without those it
/// parses to the same URI.
impl fmt::Display for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(uri) => uri.fmt(f),
            Self::Pkcs11(uri) => uri.fmt(f),
            Self::AwsKms(uri) => uri.fmt(f),
        }
    }
}

/// `scheme` of RFC 3986 section 3.1; one letter is a Windows drive.
fn is_scheme(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}
