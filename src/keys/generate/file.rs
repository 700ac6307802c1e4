//! New keys in files.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::symm::Cipher;
use zeroize::Zeroizing;

use crate::alg::Algorithm;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::jwk::{Curve, PublicJwk};
use crate::secret::Secret;

/// The size of a new RSA key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RsaBits(u32);

impl RsaBits {
    /// 2048, 3072 or 4096 bits.
    ///
    /// # Errors
    /// `KEY_TYPE` for another size.
    pub fn new(bits: u32) -> Result<Self> {
        match bits {
            2048 | 3072 | 4096 => Ok(Self(bits)),
            _ => Err(Error::new(
                ErrorCode::KeyType,
                format!("an RSA key of {bits} bits is not offered; use 2048, 3072 or 4096"),
            )),
        }
    }

    /// The size in bits.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// Makes a key for `alg` and writes it to `path` as PKCS#8 PEM, readable by the
/// owner only (mode 0600), encrypted with AES-256-CBC when a passphrase is given.
///
/// # Errors
/// `KEY_EXISTS` when `path` exists (it is left as it is), `IO` when it cannot
/// be written.
pub fn generate_in_file(
    alg: Algorithm,
    rsa_bits: RsaBits,
    path: &Path,
    passphrase: Option<&Secret>,
) -> Result<PublicJwk> {
    let (key, pem) = make(alg, rsa_bits, passphrase).map_err(|source| {
        Error::new(ErrorCode::Device, "OpenSSL could not make the key").with_source(source)
    })?;
    write_new(path, &pem)?;
    let spki = key.public_key_to_der().map_err(|source| {
        Error::new(ErrorCode::Device, "OpenSSL could not encode the public key").with_source(source)
    })?;
    PublicJwk::from_spki_der(&spki)
}

type KeyAndPem = (PKey<Private>, Zeroizing<Vec<u8>>);

fn make(
    alg: Algorithm,
    rsa_bits: RsaBits,
    passphrase: Option<&Secret>,
) -> std::result::Result<KeyAndPem, ErrorStack> {
    let curve = |curve: Curve| {
        let group = EcGroup::from_curve_name(curve.nid())?;
        PKey::from_ec_key(EcKey::generate(&group)?)
    };
    let key = match alg {
        Algorithm::ES256 => curve(Curve::P256)?,
        Algorithm::ES384 => curve(Curve::P384)?,
        _ => PKey::from_rsa(Rsa::generate(rsa_bits.get())?)?,
    };
    let pem = match passphrase {
        None => key.private_key_to_pem_pkcs8()?,
        Some(secret) => {
            key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), secret.expose())?
        }
    };
    Ok((key, Zeroizing::new(pem)))
}

fn write_new(path: &Path, pem: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => Error::new(
            ErrorCode::KeyExists,
            format!(
                "{} exists and is not overwritten; name another file",
                path.display()
            ),
        ),
        _ => not_written(path, source),
    })?;
    file.write_all(pem)
        .and_then(|()| file.sync_all())
        .map_err(|source| {
            // Half a key is no key, and would be in the way of the next try.
            let _ = std::fs::remove_file(path);
            not_written(path, source)
        })
}

fn not_written(path: &Path, source: std::io::Error) -> Error {
    Error::new(
        ErrorCode::Io,
        format!("key file {} cannot be written: {source}", path.display()),
    )
    .with_source(source)
}
