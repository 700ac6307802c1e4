//! The client's part of a handshake: which certificate, and the signature.
//!
//! A rustls key is asked to sign without a context, and a session is only resumed
//! with the very same key. So the call that bounds the signature, and what happened,
//! stand in variables of the thread that shakes hands.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{InconsistentKeys, SignatureAlgorithm};

use super::client_certificate::{ClientCertificate, SignatureScheme};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};

thread_local! {
    static CALL: RefCell<Call> = RefCell::default();
    static EVENTS: RefCell<Events> = RefCell::default();
}

/// What happened in a handshake.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The server asked for a certificate.
    pub(super) was_asked: bool,
    /// The client sent its own, and signed.
    pub(super) has_sent: bool,
    /// Why the client did not go on.
    pub(super) failure: Option<Error>,
}

/// Runs `work`, whose handshakes are bounded by `call`. It may be nested: a key may
/// itself be asked over HTTPS.
pub(in crate::http) fn with_call<T>(call: &Call, work: impl FnOnce() -> T) -> T {
    struct Before(Call);
    impl Drop for Before {
        fn drop(&mut self) {
            CALL.replace(std::mem::take(&mut self.0));
        }
    }
    let _before = Before(CALL.replace(call.clone()));
    work()
}

/// Runs one handshake, and tells what happened in it.
pub(super) fn observe<T>(shake_hands: impl FnOnce() -> T) -> (T, Events) {
    let outer = EVENTS.take();
    let outcome = shake_hands();
    (outcome, EVENTS.replace(outer))
}

/// Gives servers that ask the one certificate, or none.
#[derive(Debug)]
pub(super) struct Resolver {
    certificate: Option<Arc<dyn ClientCertificate>>,
    key: Option<Arc<CertifiedKey>>,
}

impl Resolver {
    pub(super) fn new(certificate: Option<&Arc<dyn ClientCertificate>>) -> Result<Self> {
        let key = certificate.map(certified_key).transpose()?;
        Ok(Self {
            certificate: certificate.cloned(),
            key: key.map(Arc::new),
        })
    }
}

impl ResolvesClientCert for Resolver {
    fn resolve(
        &self,
        _issuers: &[&[u8]],
        _schemes: &[rustls::SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        note(|events| events.was_asked = true);
        let invalid = self.certificate.as_ref()?.require_valid().err();
        note(|events| events.failure = invalid);
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        self.key.is_some()
    }
}

/// The certificate with its key, for rustls.
///
/// # Errors
/// `CERTIFICATE_MISMATCH` when they do not belong together.
pub(super) fn certified_key(certificate: &Arc<dyn ClientCertificate>) -> Result<CertifiedKey> {
    let chain = certificate.chain().iter();
    let chain: Vec<_> = chain.map(|der| CertificateDer::from(der.clone())).collect();
    let key = CertifiedKey::new(chain, Arc::new(Key(Arc::clone(certificate))));
    key.keys_match().map_err(|error| {
        let name = certificate.name();
        let (code, problem) = match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => (
                ErrorCode::CertificateMismatch,
                format!("the client certificate {name} is for another key; use the one that was issued for this key"),
            ),
            // What openssl issues without extensions.
            _ if error.to_string().contains("UnsupportedCertVersion") => (
                ErrorCode::Certificate,
                format!("the client certificate {name} cannot be used in TLS, as it is none of version 3 of X.509; \
                         have it issued with an extension, for example extendedKeyUsage = clientAuth"),
            ),
            _ => (
                ErrorCode::Certificate,
                format!("the client certificate {name} cannot be used in TLS ({error}); have it issued anew"),
            ),
        };
        Error::new(code, problem).with_source(error)
    })?;
    Ok(key)
}

fn note(change: impl FnOnce(&mut Events)) {
    EVENTS.with_borrow_mut(change);
}

struct Key(Arc<dyn ClientCertificate>);

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[rustls::SignatureScheme]) -> Option<Box<dyn Signer>> {
        let mut schemes = self.0.schemes().iter().copied();
        let scheme = schemes.find(|scheme| offered.contains(&scheme.in_rustls()))?;
        note(|events| events.has_sent = true);
        Some(Box::new(Signature {
            certificate: Arc::clone(&self.0),
            scheme,
        }))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(self.0.public_key()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        let schemes = self.0.schemes().first();
        match schemes {
            Some(SignatureScheme::EcdsaP256Sha256 | SignatureScheme::EcdsaP384Sha384) => {
                SignatureAlgorithm::ECDSA
            }
            _ => SignatureAlgorithm::RSA,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.0.name()).finish()
    }
}

/// One signature that is to be made.
#[derive(Debug)]
struct Signature {
    certificate: Arc<dyn ClientCertificate>,
    scheme: SignatureScheme,
}

impl Signer for Signature {
    fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, rustls::Error> {
        let ended = || rustls::Error::General("the client ended the handshake".to_owned());
        if EVENTS.with_borrow(|events| events.failure.is_some()) {
            return Err(ended());
        }
        let call = CALL.with_borrow(Call::clone);
        self.certificate
            .sign(self.scheme, message, &call)
            .map_err(|error| {
                let error = error.in_context("signing the TLS handshake");
                note(|events| events.failure = Some(error));
                ended()
            })
    }

    fn scheme(&self) -> rustls::SignatureScheme {
        self.scheme.in_rustls()
    }
}
