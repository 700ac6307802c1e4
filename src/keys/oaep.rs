//! RSAES-OAEP (RFC 8017 section 7.1) in this process's memory, by OpenSSL.

use openssl::error::ErrorStack;
use openssl::pkey::{PKeyRef, Private, Public};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;

use super::PublicJwk;
use super::decrypt::undecipherable;
use crate::alg::KeyEncryption;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// Encrypts a few bytes to an RSA key.
///
/// # Errors
/// `KEY_TYPE` when the key cannot: it is no RSA key, or the text is too long for it.
pub(crate) fn encrypt(key: &PublicJwk, alg: KeyEncryption, plain: &[u8]) -> Result<Vec<u8>> {
    let encrypted = || {
        let mut context = PkeyCtx::<Public>::new(key.pkey())?;
        context.encrypt_init()?;
        prepare(&mut context, alg)?;
        let mut ciphertext = Vec::new();
        context.encrypt_to_vec(plain, &mut ciphertext)?;
        Ok(ciphertext)
    };
    encrypted().map_err(|source: ErrorStack| {
        Error::new(
            ErrorCode::KeyType,
            format!(
                "nothing can be encrypted by {alg} to the {} key with thumbprint {}; use an RSA key",
                key.kty(),
                key.thumbprint()
            ),
        )
        .with_source(source)
    })
}

/// Decrypts.
///
/// # Errors
/// [`undecipherable`] whatever is wrong with `ciphertext`; `DEVICE` when OpenSSL does not
/// do `alg`.
pub(super) fn decrypt(
    key: &PKeyRef<Private>,
    alg: KeyEncryption,
    ciphertext: &[u8],
) -> Result<Secret> {
    let context = || {
        let mut context = PkeyCtx::<Private>::new(key)?;
        context.decrypt_init()?;
        prepare(&mut context, alg)?;
        Ok(context)
    };
    let mut context = context().map_err(|source: ErrorStack| {
        Error::new(
            ErrorCode::Device,
            format!("OpenSSL does not do {alg} with the key"),
        )
        .with_source(source)
    })?;
    // Room for the whole modulus, so that nothing is moved and left unwiped.
    let mut plain = Secret::new(vec![0; key.size()]);
    // OpenSSL's own error would tell what was wrong.
    let len = context
        .decrypt(ciphertext, Some(plain.expose_mut()))
        .map_err(|_| undecipherable())?;
    plain.truncate(len);
    Ok(plain)
}

fn prepare<T>(context: &mut PkeyCtx<T>, alg: KeyEncryption) -> std::result::Result<(), ErrorStack> {
    context.set_rsa_padding(Padding::PKCS1_OAEP)?;
    context.set_rsa_oaep_md(alg.md())?;
    context.set_rsa_mgf1_md(alg.md())
}
