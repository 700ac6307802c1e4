//! Client certificates in the handshake: whoever shows one has its key.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::super::trust::is_trusted;
use crate::clock::Clock;
use crate::keys::Certificate;

/// Takes any certificate whose key signed the handshake; a required one must also
/// be in time and, where issuers are named, come from one of them.
pub(super) struct AnyClientCertificate {
    provider: Arc<CryptoProvider>,
    required: Option<Required>,
}

struct Required {
    trusted: Vec<Certificate>,
    clock: Arc<dyn Clock>,
}

impl AnyClientCertificate {
    /// Clients may come without one.
    pub(super) fn offered(provider: Arc<CryptoProvider>) -> Self {
        Self {
            provider,
            required: None,
        }
    }

    /// Clients that come without one, or with one that is not from `trusted`, are
    /// refused. When `trusted` is empty, every issuer will do.
    pub(super) fn required(
        provider: Arc<CryptoProvider>,
        trusted: Vec<Certificate>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            provider,
            required: Some(Required { trusted, clock }),
        }
    }
}

impl Required {
    fn check(&self, chain: &[Certificate]) -> Result<(), CertificateError> {
        let leaf = chain.first().ok_or(CertificateError::BadEncoding)?;
        let now = self.clock.now();
        if leaf.not_before().is_some_and(|start| now < start) {
            return Err(CertificateError::NotValidYet);
        }
        if leaf.not_after().is_some_and(|end| now > end) {
            return Err(CertificateError::Expired);
        }
        // OpenSSL fails here only for want of memory; nothing is trusted then.
        let is_known =
            self.trusted.is_empty() || is_trusted(chain, &self.trusted, now).unwrap_or(false);
        if is_known {
            Ok(())
        } else {
            Err(CertificateError::UnknownIssuer)
        }
    }
}

impl fmt::Debug for AnyClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyClientCertificate")
            .field("required", &self.required.is_some())
            .finish_non_exhaustive()
    }
}

impl ClientCertVerifier for AnyClientCertificate {
    fn client_auth_mandatory(&self) -> bool {
        self.required.is_some()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain = std::iter::once(end_entity)
            .chain(intermediates)
            .map(|der| Certificate::from_der(der))
            .collect::<crate::error::Result<Vec<_>>>()
            .map_err(|_| CertificateError::BadEncoding)?;
        if let Some(required) = &self.required {
            required.check(&chain)?;
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
