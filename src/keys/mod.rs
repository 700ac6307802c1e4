//! Keys that sign, wherever they live.

#[cfg(feature = "awskms")]
pub mod awskms;
pub mod decrypt;
pub mod describe;
pub mod foreign;
pub mod generate;
pub mod health;
pub mod jwk;
pub mod pkcs11;
pub mod software;
pub mod tls;
pub mod uri;
pub(crate) mod verifier;
pub mod x509;

mod ecdsa;
pub(crate) mod oaep;
mod software_decrypter;

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "awskms")]
pub use awskms::{AwsKmsDecrypter, AwsKmsSigner};
pub use decrypt::{Decrypter, open_decrypter};
pub use ecdsa::der_to_jose as ecdsa_der_to_jose;
pub use foreign::ForeignSigner;
pub use health::{Health, HealthState};
pub use jwk::PublicJwk;
pub use pkcs11::{Pkcs11Decrypter, Pkcs11Signer};
pub use software_decrypter::SoftwareDecrypter;
pub use tls::TlsCertificate;
pub use uri::KeyUri;
pub use x509::{Certificate, OrgNumber};

use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// A private key that can sign.
pub trait Signer: fmt::Debug + Send + Sync {
    /// The public half. Fixed for the life of the signer.
    fn public_key(&self) -> &PublicJwk;

    /// Algorithms this key can make, the usual one first. Never empty.
    fn algorithms(&self) -> &[Algorithm];

    /// Signs `message`, which is not hashed yet. The signature is in JOSE form
    /// (RFC 7518 section 3): RSA as it is, ECDSA as R‖S. A signature made on a
    /// device is checked with the public key before it is returned.
    ///
    /// # Errors
    /// `ALGORITHM` when the key cannot make `alg`, otherwise whatever the key's
    /// home reports.
    fn sign(&self, alg: Algorithm, message: &[u8], call: &Call) -> Result<Vec<u8>>;

    /// As [`Signer::sign`], of a message that says when it was made: `make` is called
    /// once the key only has to sign. Waiting for a session of a device, a login and
    /// whatever else is put right come before it; a try that fails is followed by one
    /// with a new message. The message comes back beside its signature.
    ///
    /// `make` may run on another thread, several times, and once more after this
    /// call has returned with `TIMEOUT` or `CANCELLED`. It holds up the device, so it
    /// must be quick and must not sign.
    ///
    /// # Errors
    /// Those of `make`, as they are; otherwise as [`Signer::sign`].
    fn sign_when_ready(
        &self,
        alg: Algorithm,
        make: &Arc<MakeMessage>,
        call: &Call,
    ) -> Result<Signed> {
        let message = make()?;
        let signature = self.sign(alg, &message, call)?;
        Ok(Signed { message, signature })
    }

    /// Checks that the key can be used now, by a signature where that is the
    /// only proof.
    ///
    /// # Errors
    /// As [`Signer::sign`].
    fn probe(&self, call: &Call) -> Result<()> {
        self.sign(self.algorithms()[0], b"segl probe", call)
            .map(|_| ())
    }

    /// How the key is doing. Nothing is asked of a device. A client with several
    /// keys asks one that is not ready after those that are, so a key must become
    /// ready again by itself, not only by its next signature.
    fn health(&self) -> Health {
        Health::ready()
    }

    /// Certificates found beside the key, the key's own first. Empty when there
    /// are none.
    fn certificates(&self) -> &[Certificate] {
        &[]
    }

    /// Where the key lives and what its home says about it.
    fn origin(&self) -> Origin;
}

/// Makes a message to sign; see [`Signer::sign_when_ready`].
pub type MakeMessage = dyn Fn() -> Result<Vec<u8>> + Send + Sync;

/// A message and its signature.
#[derive(Clone)]
pub struct Signed {
    /// What was signed.
    pub message: Vec<u8>,
    /// The signature in JOSE form, as [`Signer::sign`] returns it.
    pub signature: Vec<u8>,
}

/// Shows neither: together they may be an assertion.
impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").finish_non_exhaustive()
    }
}

/// Where a key lives, for people and logs. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// `"file"`, `"pkcs11"`, `"awskms"` or `"foreign"`.
    pub kind: &'static str,
    /// The key's URI without secrets, where it has one.
    pub uri: Option<String>,
    /// False when the device says that the private key cannot leave it, true
    /// when it can (always for files), `None` when nobody knows.
    pub extractable: Option<bool>,
    /// What the device says of `CKA_SENSITIVE`: the key does not leave it in
    /// the clear.
    pub sensitive: Option<bool>,
    /// What the device says of `CKA_NEVER_EXTRACTABLE`: the key never could
    /// leave it.
    pub never_extractable: Option<bool>,
    /// The token's label, serial, manufacturer and model, for PKCS#11 keys; the key's
    /// ARN, for those in AWS KMS.
    pub token: Option<String>,
    /// The PKCS#11 mechanism of each of the signer's algorithms, for example
    /// `"CKM_ECDSA"`. Empty for other keys.
    pub mechanisms: Vec<&'static str>,
}

impl Origin {
    /// An origin of which nothing but the kind is known.
    pub fn new(kind: &'static str) -> Self {
        Self {
            kind,
            uri: None,
            extractable: None,
            sensitive: None,
            never_extractable: None,
            token: None,
            mechanisms: Vec::new(),
        }
    }
}

/// Opens the key that `uri` names. A PIN or passphrase given as `secret` goes
/// before the URI's own `pin-source`; for AWS KMS it is credentials, as JSON in the
/// form of `credential_process`.
///
/// # Errors
/// 100, 200 and 300 numbers of [`crate::ErrorCode`].
pub fn open(uri: &KeyUri, secret: Option<Secret>, call: &Call) -> Result<Arc<dyn Signer>> {
    open_expecting(uri, secret, None, call)
}

/// As [`open`], for a key whose public half is known, for example from its
/// certificate: some tokens do not store it.
///
/// # Errors
/// As [`open`]; `CERTIFICATE_MISMATCH` when the key has another public half.
pub fn open_expecting(
    uri: &KeyUri,
    secret: Option<Secret>,
    public_key: Option<&PublicJwk>,
    call: &Call,
) -> Result<Arc<dyn Signer>> {
    match uri {
        KeyUri::File(file) => {
            let signer = software::SoftwareSigner::open(file, secret)?;
            if let Some(expected) = public_key.filter(|expected| *expected != signer.public_key()) {
                return Err(mismatch(expected, signer.public_key()));
            }
            Ok(Arc::new(signer))
        }
        KeyUri::Pkcs11(token) => Ok(Arc::new(Pkcs11Signer::open_expecting(
            token, secret, public_key, call,
        )?)),
        KeyUri::AwsKms(uri) => {
            let signer = open_in_kms(uri, secret, call)?;
            if let Some(expected) = public_key.filter(|expected| *expected != signer.public_key()) {
                return Err(mismatch(expected, signer.public_key()));
            }
            Ok(signer)
        }
    }
}

#[cfg(feature = "awskms")]
fn open_in_kms(
    uri: &uri::AwsKmsUri,
    secret: Option<Secret>,
    call: &Call,
) -> Result<Arc<dyn Signer>> {
    let signer = match kms_credentials(secret)? {
        Some(provider) => AwsKmsSigner::open_with(uri, provider, call),
        None => AwsKmsSigner::open(uri, call),
    };
    Ok(Arc::new(signer?))
}

/// The credentials that were given beside a URI.
#[cfg(feature = "awskms")]
fn kms_credentials(secret: Option<Secret>) -> Result<Option<Arc<dyn awskms::CredentialsProvider>>> {
    let Some(secret) = secret else {
        return Ok(None);
    };
    let credentials = awskms::Credentials::from_json(secret.expose())?;
    Ok(Some(Arc::new(credentials)))
}

#[cfg(not(feature = "awskms"))]
fn open_in_kms(uri: &uri::AwsKmsUri, _: Option<Secret>, _: &Call) -> Result<Arc<dyn Signer>> {
    Err(without_kms(uri))
}

#[cfg(not(feature = "awskms"))]
fn without_kms(uri: &uri::AwsKmsUri) -> Error {
    Error::new(
        ErrorCode::Unsupported,
        format!(
            "{uri}: this build of segl cannot use keys in AWS KMS; build it with the cargo feature \"awskms\", \
             as scripts/build does"
        ),
    )
}

fn mismatch(expected: &PublicJwk, found: &PublicJwk) -> Error {
    Error::new(
        ErrorCode::CertificateMismatch,
        format!(
            "the certificate is for the key with thumbprint {}, the private key has {}; \
             use the certificate that was issued for this key",
            expected.thumbprint(),
            found.thumbprint()
        ),
    )
}

/// Refuses an algorithm that the key cannot make.
pub(crate) fn require_algorithm(signer: &dyn Signer, alg: Algorithm) -> Result<()> {
    if signer.algorithms().contains(&alg) {
        return Ok(());
    }
    let possible: Vec<_> = signer.algorithms().iter().map(|alg| alg.name()).collect();
    Err(Error::new(
        ErrorCode::Algorithm,
        format!(
            "the {} key cannot make {alg}; it can make {}",
            signer.public_key().kty(),
            possible.join(", ")
        ),
    ))
}
