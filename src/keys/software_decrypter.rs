//! Keys in files that decrypt.

use std::fmt;

use openssl::pkey::{PKey, Private};

use super::decrypt::{Decrypter, require_rsa};
use super::software::SoftwareSigner;
use super::uri::FileUri;
use super::{PublicJwk, Signer, oaep};
use crate::alg::KeyEncryption;
use crate::call::Call;
use crate::error::Result;
use crate::secret::Secret;

/// A private RSA key in this process's memory.
pub struct SoftwareDecrypter {
    key: PKey<Private>,
    public_key: PublicJwk,
}

impl SoftwareDecrypter {
    /// Opens a key file, as [`SoftwareSigner::open`].
    ///
    /// # Errors
    /// As there; `KEY_TYPE` for an EC key.
    pub fn open(uri: &FileUri, passphrase: Option<Secret>) -> Result<Self> {
        Self::of(SoftwareSigner::open(uri, passphrase)?)
    }

    /// Reads a key, as [`SoftwareSigner::from_bytes`].
    ///
    /// # Errors
    /// As there; `KEY_TYPE` for an EC key.
    pub fn from_bytes(bytes: &[u8], passphrase: Option<&Secret>) -> Result<Self> {
        Self::of(SoftwareSigner::from_bytes(bytes, passphrase)?)
    }

    fn of(signer: SoftwareSigner) -> Result<Self> {
        let public_key = signer.public_key().clone();
        require_rsa(&public_key)?;
        Ok(Self {
            key: signer.into_key(),
            public_key,
        })
    }
}

impl Decrypter for SoftwareDecrypter {
    fn public_key(&self) -> &PublicJwk {
        &self.public_key
    }

    fn decrypt(&self, alg: KeyEncryption, ciphertext: &[u8], call: &Call) -> Result<Secret> {
        call.check("decrypting")?;
        oaep::decrypt(&self.key, alg, ciphertext)
    }
}

impl fmt::Debug for SoftwareDecrypter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareDecrypter")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}
