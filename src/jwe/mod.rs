//! JSON Web Encryption, compact serialisation (RFC 7516 section 7.1): what others
//! encrypt to a key of segl's user.
//!
//! ```no_run
//! use segl::jwe::{self, Accepted};
//! use segl::keys::open_decrypter;
//! use segl::{Call, KeyUri};
//!
//! # fn main() -> segl::Result<()> {
//! let key: KeyUri = "pkcs11:token=agency;object=dsop?pin-source=file:/run/secrets/pin".parse()?;
//! let key = open_decrypter(&key, None, &Call::none())?;
//! # let compact = String::new();
//! let content = jwe::decrypt(&compact, &*key, &Accepted::default(), &Call::none())?;
//! println!("{} bytes, not to be logged", content.expose().len());
//! # Ok(())
//! # }
//! ```

mod compact;
mod content;
#[cfg(feature = "simulator")]
mod encrypt;
mod header;

pub use compact::Compact;
use compact::invalid;
#[cfg(feature = "simulator")]
pub use encrypt::{encrypt, seal};
pub use header::Header;

use crate::alg::{ContentEncryption, KeyEncryption};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::Decrypter;
use crate::secret::Secret;

/// The algorithms that a JWE may use. The sender's word is not enough: it would choose
/// the weakest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// `alg`.
    pub key_encryption: Vec<KeyEncryption>,
    /// `enc`.
    pub content_encryption: Vec<ContentEncryption>,
}

impl Default for Accepted {
    /// RSA-OAEP-256, with A256GCM or A128CBC-HS256.
    fn default() -> Self {
        Self {
            key_encryption: vec![KeyEncryption::RsaOaep256],
            content_encryption: vec![ContentEncryption::A256Gcm, ContentEncryption::A128CbcHs256],
        }
    }
}

/// Decrypts a compact JWE that was encrypted to `key`.
///
/// # Errors
/// `JWE_ALGORITHM` for another algorithm than `accepted`, before the key is asked;
/// `JWE_INVALID` for a text that is no compact JWE, and with one message whatever is
/// wrong with the encryption itself; otherwise what the key's home reports.
pub fn decrypt(
    compact: &str,
    key: &dyn Decrypter,
    accepted: &Accepted,
    call: &Call,
) -> Result<Secret> {
    Compact::parse(compact)?.decrypt(key, accepted, call)
}

impl Compact {
    /// Refuses what no key would be asked to decrypt.
    ///
    /// # Errors
    /// `JWE_ALGORITHM` for another algorithm than `accepted`, `JWE_INVALID` for parts that
    /// are not as long as it wants.
    pub fn require(&self, accepted: &Accepted) -> Result<(KeyEncryption, ContentEncryption)> {
        let (alg, enc) = self.header().require(accepted)?;
        self.require_lengths(enc)?;
        Ok((alg, enc))
    }

    /// Decrypts it with `key`.
    ///
    /// # Errors
    /// As [`decrypt`].
    pub fn decrypt(&self, key: &dyn Decrypter, accepted: &Accepted, call: &Call) -> Result<Secret> {
        let (alg, enc) = self.require(accepted)?;
        let content_key = unwrap(self, alg, enc, key, call)?;
        content::decrypt(enc, &content_key, &self.sealed()).ok_or_else(|| {
            let thumbprint = key.public_key().thumbprint();
            self.undecipherable(&format!("the key that has thumbprint {thumbprint}"))
        })
    }

    /// `JWE_INVALID`: it does not decrypt with `keys`, all that could be.
    pub(crate) fn undecipherable(&self, keys: &str) -> Error {
        let for_key = self.header().shown_kid();
        invalid(format_args!(
            "does not decrypt with {keys}{for_key}; it was encrypted to another key, or changed on its way. \
             Check which public key or certificate the sender uses"
        ))
    }
}

/// The key of the content. When there is none to be had, a random one stands in for it,
/// so that it fails where a wrong tag does (RFC 7516 section 11.5).
fn unwrap(
    jwe: &Compact,
    alg: KeyEncryption,
    enc: ContentEncryption,
    key: &dyn Decrypter,
    call: &Call,
) -> Result<Secret> {
    let stand_in = content::random(content::key_len(enc))?;
    match key.decrypt(alg, jwe.encrypted_key(), call) {
        Ok(content_key) if content_key.expose().len() == content::key_len(enc) => Ok(content_key),
        Ok(_) => Ok(stand_in),
        Err(error) if error.code() == ErrorCode::JweInvalid => Ok(stand_in),
        Err(error) => Err(error),
    }
}
