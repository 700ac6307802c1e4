//! Keys that decrypt, wherever they live.

use std::fmt;
use std::sync::Arc;

use super::pkcs11::Pkcs11Decrypter;
use super::software_decrypter::SoftwareDecrypter;
use super::{KeyUri, PublicJwk};
use crate::alg::KeyEncryption;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// A private RSA key that others encrypt to.
pub trait Decrypter: fmt::Debug + Send + Sync {
    /// The public half. Fixed for the life of the decrypter.
    fn public_key(&self) -> &PublicJwk;

    /// Decrypts what was encrypted to the public half by `alg`; for a JWE this is the
    /// key of its content, a few bytes.
    ///
    /// # Errors
    /// `JWE_INVALID` when `ciphertext` is none, whatever is wrong with it: who could
    /// tell one case from another would learn to decrypt it (Manger, CRYPTO 2001).
    /// `MECHANISM` or `KMS_KEY_USAGE` when the key's home does not do `alg`; otherwise
    /// what the key's home reports.
    fn decrypt(&self, alg: KeyEncryption, ciphertext: &[u8], call: &Call) -> Result<Secret>;
}

/// Opens the key that `uri` names, an RSA key that may decrypt. `secret` is as in
/// [`super::open`].
///
/// # Errors
/// As [`super::open`]; `KEY_TYPE` for an EC key.
pub fn open_decrypter(
    uri: &KeyUri,
    secret: Option<Secret>,
    call: &Call,
) -> Result<Arc<dyn Decrypter>> {
    match uri {
        KeyUri::File(file) => Ok(Arc::new(SoftwareDecrypter::open(file, secret)?)),
        KeyUri::Pkcs11(token) => Ok(Arc::new(Pkcs11Decrypter::open(token, secret, call)?)),
        KeyUri::AwsKms(uri) => open_in_kms(uri, secret, call),
    }
}

#[cfg(feature = "awskms")]
fn open_in_kms(
    uri: &super::uri::AwsKmsUri,
    secret: Option<Secret>,
    call: &Call,
) -> Result<Arc<dyn Decrypter>> {
    let provider = super::kms_credentials(secret)?;
    Ok(Arc::new(super::awskms::AwsKmsDecrypter::open(
        uri, provider, call,
    )?))
}

#[cfg(not(feature = "awskms"))]
fn open_in_kms(
    uri: &super::uri::AwsKmsUri,
    _: Option<Secret>,
    _: &Call,
) -> Result<Arc<dyn Decrypter>> {
    Err(super::without_kms(uri))
}

/// The one error for a ciphertext that does not decrypt.
pub(crate) fn undecipherable() -> Error {
    Error::new(
        ErrorCode::JweInvalid,
        "the key does not decrypt it; it was encrypted to another key, or changed on its way",
    )
}

/// Refuses a ciphertext that is not as long as the modulus (RFC 8017 section 7.1.2),
/// without asking a device. Its length is no secret.
pub(super) fn require_length(key: &PublicJwk, ciphertext: &[u8]) -> Result<()> {
    match ciphertext.len() == key.bits().div_ceil(8) as usize {
        true => Ok(()),
        false => Err(undecipherable()),
    }
}

/// Refuses a key that nobody can encrypt to.
pub(super) fn require_rsa(key: &PublicJwk) -> Result<()> {
    match key.curve() {
        None => Ok(()),
        Some(curve) => Err(Error::new(
            ErrorCode::KeyType,
            format!(
                "the key is on {}, and RSA-OAEP needs an RSA key; use one of 2048 to 4096 bits",
                curve.name()
            ),
        )),
    }
}
