//! Whom servers' certificates must be issued by.

use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::{Error, ErrorCode, Result};

/// Certificates of authorities, in the place of the operating system's.
#[derive(Clone)]
pub struct Roots(pub(super) Arc<RootCertStore>);

impl Roots {
    /// All certificates in `pem`.
    ///
    /// # Errors
    /// `CERTIFICATE` when there is none, or one that cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        let unreadable = |problem: String| {
            Error::new(
                ErrorCode::Certificate,
                format!("the authorities' certificates cannot be used: {problem}"),
            )
        };
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
            store
                .add(certificate)
                .map_err(|error| unreadable(error.to_string()).with_source(error))?;
        }
        if store.is_empty() {
            return Err(unreadable(
                "the PEM holds none (no BEGIN CERTIFICATE block)".to_owned(),
            ));
        }
        Ok(Self(Arc::new(store)))
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roots({})", self.0.len())
    }
}
