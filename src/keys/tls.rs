//! Keys and certificates that the client shows to servers in TLS.

use std::sync::Arc;

use super::ecdsa::jose_to_der;
use super::x509::order_chain;
use super::{Certificate, Signer};
use crate::alg::Algorithm;
use crate::call::Call;
use crate::clock::Clock;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{ClientCertificate, SignatureScheme};

/// A client certificate whose key is any [`Signer`].
#[derive(Debug)]
pub struct TlsCertificate {
    signer: Arc<dyn Signer>,
    leaf: Certificate,
    chain: Vec<Vec<u8>>,
    public_key: Vec<u8>,
    schemes: Vec<SignatureScheme>,
    clock: Arc<dyn Clock>,
}

impl TlsCertificate {
    /// The certificate of `signer`'s key among `certificates`, in any order, with its
    /// issuers; without them, those beside the key. `clock` tells whether it is valid.
    ///
    /// # Errors
    /// `CERTIFICATE` when there is none, or it is not valid now;
    /// `CERTIFICATE_MISMATCH` when it is for another key.
    pub fn new(
        signer: Arc<dyn Signer>,
        certificates: Option<Vec<Certificate>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let certificates = certificates.unwrap_or_else(|| signer.certificates().to_vec());
        let chain = order_chain(signer.public_key(), certificates)?;
        let Some(leaf) = chain.first() else {
            return Err(Error::new(
                ErrorCode::Certificate,
                "there is no certificate beside the TLS key (token object with the same id, PKCS#12, the same PEM), \
                 and none was named; set tls.certificate",
            ));
        };
        leaf.require_valid(clock.now())?;
        let mut schemes: Vec<_> = signer.algorithms().iter().map(|alg| scheme(*alg)).collect();
        // TLS 1.2 takes both paddings of RSA; PSS is the better one (RFC 8446 section 1.3).
        schemes.sort_by_key(|scheme| !scheme.is_for_tls13());
        Ok(Self {
            public_key: signer.public_key().to_spki_der()?,
            leaf: leaf.clone(),
            chain: chain.iter().map(|each| each.der().to_vec()).collect(),
            schemes,
            signer,
            clock,
        })
    }

    /// The key.
    pub fn signer(&self) -> &Arc<dyn Signer> {
        &self.signer
    }

    /// The key's own certificate.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }
}

impl TlsCertificate {
    /// Why servers may refuse it, with what to do. Not all look at it, so it is no
    /// error.
    pub fn warning(&self) -> Option<String> {
        let lacking = self.leaf.lacks_for_tls_client()?;
        Some(format!(
            "the TLS certificate of \"{}\" is not for clients, as it lacks {lacking}; \
             most servers will refuse it, get one for client authentication",
            self.leaf.subject()
        ))
    }
}

impl ClientCertificate for TlsCertificate {
    fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    fn schemes(&self) -> &[SignatureScheme] {
        &self.schemes
    }

    fn require_valid(&self) -> Result<()> {
        let now = self.clock.now();
        self.leaf
            .require_valid(now)
            .map_err(|error| error.in_context("TLS"))
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8], call: &Call) -> Result<Vec<u8>> {
        let signature = self.signer.sign(algorithm(scheme)?, message, call)?;
        match self.signer.public_key().curve() {
            None => Ok(signature),
            Some(curve) => jose_to_der(curve, &signature).ok_or_else(|| {
                Error::new(
                    ErrorCode::SignatureFault,
                    format!(
                        "the TLS key's signer returned {} bytes that are no R‖S of its curve",
                        signature.len()
                    ),
                )
            }),
        }
    }

    fn name(&self) -> String {
        format!("\"{}\"", self.leaf.subject())
    }
}

fn scheme(alg: Algorithm) -> SignatureScheme {
    match alg {
        Algorithm::RS256 => SignatureScheme::RsaPkcs1Sha256,
        Algorithm::RS384 => SignatureScheme::RsaPkcs1Sha384,
        Algorithm::RS512 => SignatureScheme::RsaPkcs1Sha512,
        Algorithm::PS256 => SignatureScheme::RsaPssSha256,
        Algorithm::ES256 => SignatureScheme::EcdsaP256Sha256,
        Algorithm::ES384 => SignatureScheme::EcdsaP384Sha384,
    }
}

fn algorithm(wanted: SignatureScheme) -> Result<Algorithm> {
    let mut all = Algorithm::ALL.into_iter();
    all.find(|alg| scheme(*alg) == wanted).ok_or_else(|| {
        Error::new(
            ErrorCode::Algorithm,
            format!("no key of segl makes {}", wanted.name()),
        )
    })
}
