//! Settings of the HTTPS listener.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::super::config::contradiction;
use super::super::trust::Certificates;
use crate::error::Result;
use crate::secret::Secret;

/// The `[tls]` table. Where it stands, HTTPS is served beside plain HTTP.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in super::super) struct TlsConfig {
    /// Of the address that plain HTTP is served on. 0 takes a free one.
    pub(in super::super) port: u16,
    /// The versions that are spoken.
    pub(super) versions: Vec<Version>,
    pub(in super::super) client_certificates: ClientCertificates,
    /// Issuers of client certificates, or such certificates themselves.
    pub(in super::super) trusted_certificates: Certificates,
    /// PEM, the server's own first. `None`: one is made.
    pub(super) certificate: Option<String>,
    /// PEM.
    #[serde(deserialize_with = "secret")]
    pub(super) key: Option<Secret>,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Version {
    #[serde(rename = "1.2")]
    Tls12,
    #[serde(rename = "1.3")]
    Tls13,
}

/// Whether clients are asked for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in super::super) enum ClientCertificates {
    /// They are not asked.
    Off,
    /// They are asked. Each endpoint decides what it demands.
    Offer,
    /// The handshake fails without one that is trusted.
    Require,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            port: 0,
            versions: vec![Version::Tls12, Version::Tls13],
            client_certificates: ClientCertificates::Offer,
            trusted_certificates: Certificates::default(),
            certificate: None,
            key: None,
        }
    }
}

impl TlsConfig {
    /// Refuses settings that contradict each other.
    pub(in super::super) fn check(&self) -> Result<()> {
        if self.versions.is_empty() {
            return Err(contradiction(
                "tls.versions",
                "is empty; name \"1.2\", \"1.3\" or both",
            ));
        }
        if self.client_certificates == ClientCertificates::Off
            && !self.trusted_certificates.0.is_empty()
        {
            return Err(contradiction(
                "tls.trusted_certificates",
                "trusts certificates that tls.client_certificates = \"off\" does not ask for",
            ));
        }
        match (&self.certificate, &self.key) {
            (Some(_), None) => Err(contradiction(
                "tls.certificate",
                "needs tls.key; leave both out to have a certificate made",
            )),
            (None, Some(_)) => Err(contradiction(
                "tls.key",
                "needs tls.certificate; leave both out to have a certificate made",
            )),
            _ => Ok(()),
        }
    }
}

fn secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Secret>, D::Error> {
    let pem = String::deserialize(deserializer)?;
    if !pem.contains("-----BEGIN ") {
        return Err(D::Error::custom(
            "the key is no PEM; give its text, or \"file:\" and its name",
        ));
    }
    Ok(Some(Secret::new(pem.into_bytes())))
}
