//! The certificate that a client showed in TLS, as a server or its proxy hands it on.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error as _};

use crate::error::{Error, ErrorCode, Result};
use crate::keys::Certificate;

/// The certificate that the sender of a request proved to have the key of, in TLS. Whoever
/// builds one says that this was proven.
#[derive(Clone)]
pub struct ClientCertificate(Certificate);

impl ClientCertificate {
    /// The certificate that the TLS handshake verified.
    pub fn new(certificate: Certificate) -> Self {
        Self(certificate)
    }

    /// `x5t#S256`: base64url of the SHA-256 of its DER (RFC 8705 section 3.1).
    pub fn x5t_s256(&self) -> String {
        self.0.to_x5t_s256()
    }
}

impl FromStr for ClientCertificate {
    type Err = Error;

    /// Reads one certificate: PEM, base64 of its DER with or without line breaks, or the same
    /// between colons as in the header `Client-Cert` (RFC 9440 section 2.1).
    ///
    /// # Errors
    /// `CERTIFICATE`.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let octets = match text.starts_with("-----BEGIN") {
            true => text.as_bytes().to_vec(),
            false => der(text)?,
        };
        match Certificate::read_chain(&octets)?.as_slice() {
            [certificate] => Ok(Self(certificate.clone())),
            several => Err(wrong(format_args!(
                "these are {} certificates; give the client's alone, without its issuers",
                several.len()
            ))),
        }
    }
}

fn der(text: &str) -> Result<Vec<u8>> {
    let text = text
        .strip_prefix(':')
        .and_then(|inside| inside.strip_suffix(':'))
        .unwrap_or(text);
    let packed: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(packed).map_err(|_| {
        wrong("it is neither PEM nor base64 of DER; a proxy that escapes it (%20) must be told to pass it as it is")
    })
}

fn wrong(problem: impl fmt::Display) -> Error {
    Error::new(
        ErrorCode::Certificate,
        format!("the client certificate cannot be used: {problem}"),
    )
}

impl PartialEq for ClientCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der() == other.0.der()
    }
}

impl Eq for ClientCertificate {}

/// Shows its thumbprint only: the subject may be a person.
impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificate({})", self.x5t_s256())
    }
}

impl<'de> Deserialize<'de> for ClientCertificate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_panics(text in "(-----BEGIN CERTIFICATE-----\n)?:?\\PC{0,60}:?") {
            let _ = text.parse::<ClientCertificate>();
        }
    }
}
