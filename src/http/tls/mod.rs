//! TLS: the server is checked, and the client proves who it is with a key that need
//! not be in this process.

mod client_certificate;
mod connection;
mod connector;
mod failure;
mod handshake;
mod roots;

use std::sync::Arc;

pub use client_certificate::{ClientCertificate, SignatureScheme};
pub(super) use connector::TlsConnector;
pub(super) use handshake::with_call;
pub use roots::Roots;

use crate::error::{Error, ErrorCode, Result};

/// How the built-in transport speaks TLS.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TlsOptions {
    /// What servers that ask for a certificate are given. Default none.
    pub client_certificate: Option<Arc<dyn ClientCertificate>>,
    /// What servers' certificates are checked against. Default: the operating
    /// system's trust store.
    pub roots: Option<Roots>,
    /// The oldest version that is spoken. Default TLS 1.2.
    pub min_version: TlsVersion,
    /// Whether a connection may resume the session of an earlier one, without a
    /// signature (RFC 8446 section 2.2, RFC 5077). Default true.
    pub resumption: bool,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            client_certificate: None,
            roots: None,
            min_version: TlsVersion::Tls12,
            resumption: true,
        }
    }
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl TlsOptions {
    /// Refuses what no handshake could succeed with.
    pub(super) fn check(&self) -> Result<()> {
        let Some(certificate) = &self.client_certificate else {
            return Ok(());
        };
        certificate.require_valid()?;
        handshake::certified_key(certificate)?;
        if self.min_version >= TlsVersion::Tls13 && self.is_key_for_tls12_only() {
            return Err(Error::new(
                ErrorCode::TlsVersion,
                format!(
                    "TLS 1.3 is the oldest version allowed, and the key of {} makes PKCS#1 v1.5 signatures only ({}), \
                     which TLS 1.3 does not take; use a token with RSA-PSS mechanisms or an EC key, or allow TLS 1.2",
                    certificate.name(),
                    client_certificate::names(certificate.schemes())
                ),
            ));
        }
        Ok(())
    }

    /// True when the client certificate's key makes no signature that TLS 1.3 takes.
    fn is_key_for_tls12_only(&self) -> bool {
        let certificate = self.client_certificate.as_ref();
        certificate.is_some_and(|certificate| {
            let mut schemes = certificate.schemes().iter();
            !schemes.any(|scheme| scheme.is_for_tls13())
        })
    }
}
