//! What the client proves who it is with.

use std::fmt;

use crate::call::Call;
use crate::error::Result;

/// A certificate, and the private key that belongs to it, wherever that lives.
pub trait ClientCertificate: fmt::Debug + Send + Sync {
    /// The certificate and its issuers in order, DER.
    fn chain(&self) -> &[Vec<u8>];

    /// The key's public half, `SubjectPublicKeyInfo` in DER (RFC 5280 section 4.1.2.7).
    fn public_key(&self) -> &[u8];

    /// The signatures that the key can make, the preferred one first.
    fn schemes(&self) -> &[SignatureScheme];

    /// Checks that the certificate is valid now.
    ///
    /// # Errors
    /// `CERTIFICATE` with the date that was missed.
    fn require_valid(&self) -> Result<()>;

    /// Signs `message`, which is not hashed yet, in the form of TLS: RSA as it is,
    /// ECDSA in DER (RFC 8446 section 4.2.3).
    ///
    /// # Errors
    /// Whatever the key's home reports.
    fn sign(&self, scheme: SignatureScheme, message: &[u8], call: &Call) -> Result<Vec<u8>>;

    /// What messages call it, for example its subject.
    fn name(&self) -> String;
}

/// A signature in a handshake (RFC 8446 section 4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureScheme {
    /// `rsa_pkcs1_sha256`, TLS 1.2 only.
    RsaPkcs1Sha256,
    /// `rsa_pkcs1_sha384`, TLS 1.2 only.
    RsaPkcs1Sha384,
    /// `rsa_pkcs1_sha512`, TLS 1.2 only.
    RsaPkcs1Sha512,
    /// `rsa_pss_rsae_sha256`
    RsaPssSha256,
    /// `ecdsa_secp256r1_sha256`
    EcdsaP256Sha256,
    /// `ecdsa_secp384r1_sha384`
    EcdsaP384Sha384,
}

impl SignatureScheme {
    /// The name in RFC 8446.
    pub fn name(self) -> &'static str {
        match self {
            Self::RsaPkcs1Sha256 => "rsa_pkcs1_sha256",
            Self::RsaPkcs1Sha384 => "rsa_pkcs1_sha384",
            Self::RsaPkcs1Sha512 => "rsa_pkcs1_sha512",
            Self::RsaPssSha256 => "rsa_pss_rsae_sha256",
            Self::EcdsaP256Sha256 => "ecdsa_secp256r1_sha256",
            Self::EcdsaP384Sha384 => "ecdsa_secp384r1_sha384",
        }
    }

    /// True when TLS 1.3 takes it in a handshake.
    pub fn is_for_tls13(self) -> bool {
        !matches!(
            self,
            Self::RsaPkcs1Sha256 | Self::RsaPkcs1Sha384 | Self::RsaPkcs1Sha512
        )
    }

    pub(super) fn in_rustls(self) -> rustls::SignatureScheme {
        match self {
            Self::RsaPkcs1Sha256 => rustls::SignatureScheme::RSA_PKCS1_SHA256,
            Self::RsaPkcs1Sha384 => rustls::SignatureScheme::RSA_PKCS1_SHA384,
            Self::RsaPkcs1Sha512 => rustls::SignatureScheme::RSA_PKCS1_SHA512,
            Self::RsaPssSha256 => rustls::SignatureScheme::RSA_PSS_SHA256,
            Self::EcdsaP256Sha256 => rustls::SignatureScheme::ECDSA_NISTP256_SHA256,
            Self::EcdsaP384Sha384 => rustls::SignatureScheme::ECDSA_NISTP384_SHA384,
        }
    }
}

/// The names of `schemes`, for messages.
pub(super) fn names(schemes: &[SignatureScheme]) -> String {
    let names: Vec<_> = schemes.iter().map(|scheme| scheme.name()).collect();
    names.join(", ")
}
