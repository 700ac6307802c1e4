//! The encryption of a JWE's content (RFC 7518 section 5), by OpenSSL.

use openssl::cipher::{Cipher, CipherRef};
use openssl::cipher_ctx::CipherCtx;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::memcmp;
use openssl::pkey::PKey;
use openssl::rand::rand_bytes;
use openssl::sign::Signer;

use crate::alg::ContentEncryption;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// The length of the tag of AES-GCM.
const GCM_TAG: usize = 16;

/// Encrypted content with what belongs to it.
pub(super) struct Sealed<'a> {
    /// Additional authenticated data: the encoded header.
    pub additional: &'a [u8],
    pub iv: &'a [u8],
    pub ciphertext: &'a [u8],
    pub tag: &'a [u8],
}

/// How an algorithm is put together.
enum Form {
    Gcm(&'static CipherRef),
    /// The second half of the key is the cipher's, the first HMAC's; the tag is the first
    /// half of the MAC.
    CbcHmac(&'static CipherRef, MessageDigest),
}

fn form(enc: ContentEncryption) -> Form {
    match enc {
        ContentEncryption::A256Gcm => Form::Gcm(Cipher::aes_256_gcm()),
        ContentEncryption::A128Gcm => Form::Gcm(Cipher::aes_128_gcm()),
        ContentEncryption::A128CbcHs256 => {
            Form::CbcHmac(Cipher::aes_128_cbc(), MessageDigest::sha256())
        }
        ContentEncryption::A256CbcHs512 => {
            Form::CbcHmac(Cipher::aes_256_cbc(), MessageDigest::sha512())
        }
    }
}

/// The length of the key in bytes.
pub(super) fn key_len(enc: ContentEncryption) -> usize {
    match form(enc) {
        Form::Gcm(cipher) => cipher.key_length(),
        Form::CbcHmac(cipher, _) => 2 * cipher.key_length(),
    }
}

/// The length of the initialisation vector in bytes.
pub(super) fn iv_len(enc: ContentEncryption) -> usize {
    match form(enc) {
        Form::Gcm(cipher) | Form::CbcHmac(cipher, _) => cipher.iv_length(),
    }
}

/// The length of the tag in bytes.
pub(super) fn tag_len(enc: ContentEncryption) -> usize {
    match form(enc) {
        Form::Gcm(_) => GCM_TAG,
        Form::CbcHmac(_, digest) => digest.size() / 2,
    }
}

/// Decrypts; `None` whatever is wrong. `key`, vector and tag have the right lengths.
pub(super) fn decrypt(enc: ContentEncryption, key: &Secret, sealed: &Sealed<'_>) -> Option<Secret> {
    let opened = match form(enc) {
        Form::Gcm(cipher) => decrypt_gcm(cipher, key.expose(), sealed),
        Form::CbcHmac(cipher, digest) => {
            let (mac_key, cipher_key) = key.expose().split_at(cipher.key_length());
            let tag = mac(digest, mac_key, sealed).ok()?;
            if tag.len() != sealed.tag.len() || !memcmp::eq(&tag, sealed.tag) {
                return None;
            }
            decrypt_cbc(cipher, cipher_key, sealed)
        }
    };
    opened.ok()
}

/// Random bytes.
pub(super) fn random(len: usize) -> Result<Secret> {
    let mut bytes = Secret::new(vec![0; len]);
    rand_bytes(bytes.expose_mut()).map_err(|source| {
        Error::new(ErrorCode::Unsupported, "OpenSSL has no random numbers").with_source(source)
    })?;
    Ok(bytes)
}

fn decrypt_gcm(
    cipher: &CipherRef,
    key: &[u8],
    sealed: &Sealed<'_>,
) -> std::result::Result<Secret, ErrorStack> {
    let mut context = CipherCtx::new()?;
    context.decrypt_init(Some(cipher), Some(key), Some(sealed.iv))?;
    context.set_tag(sealed.tag)?;
    context.cipher_update(sealed.additional, None)?;
    finish(&mut context, cipher, sealed.ciphertext)
}

fn decrypt_cbc(
    cipher: &CipherRef,
    key: &[u8],
    sealed: &Sealed<'_>,
) -> std::result::Result<Secret, ErrorStack> {
    let mut context = CipherCtx::new()?;
    context.decrypt_init(Some(cipher), Some(key), Some(sealed.iv))?;
    finish(&mut context, cipher, sealed.ciphertext)
}

/// Runs `input` through the cipher. What comes out is wiped when it fails, too.
fn finish(
    context: &mut CipherCtx,
    cipher: &CipherRef,
    input: &[u8],
) -> std::result::Result<Secret, ErrorStack> {
    let mut output = Secret::new(vec![0; input.len() + cipher.block_size()]);
    let mut len = context.cipher_update(input, Some(output.expose_mut()))?;
    len += context.cipher_final(&mut output.expose_mut()[len..])?;
    output.truncate(len);
    Ok(output)
}

/// The tag of RFC 7518 section 5.2.2.1.
fn mac(
    digest: MessageDigest,
    key: &[u8],
    sealed: &Sealed<'_>,
) -> std::result::Result<Vec<u8>, ErrorStack> {
    let key = PKey::hmac(key)?;
    let mut signer = Signer::new(digest, &key)?;
    signer.update(sealed.additional)?;
    signer.update(sealed.iv)?;
    signer.update(sealed.ciphertext)?;
    let bits = 8 * sealed.additional.len() as u64;
    signer.update(&bits.to_be_bytes())?;
    let mut tag = signer.sign_to_vec()?;
    tag.truncate(digest.size() / 2);
    Ok(tag)
}

/// Encrypts with a new vector; gives it, the ciphertext and the tag.
#[cfg(feature = "simulator")]
pub(super) fn encrypt(
    enc: ContentEncryption,
    key: &Secret,
    additional: &[u8],
    plain: &[u8],
) -> Result<[Vec<u8>; 3]> {
    let iv = random(iv_len(enc))?.expose().to_vec();
    let sealed = || -> std::result::Result<[Vec<u8>; 3], ErrorStack> {
        let mut context = CipherCtx::new()?;
        let (cipher, cipher_key) = match form(enc) {
            Form::Gcm(cipher) => (cipher, key.expose()),
            Form::CbcHmac(cipher, _) => (cipher, &key.expose()[cipher.key_length()..]),
        };
        context.encrypt_init(Some(cipher), Some(cipher_key), Some(&iv))?;
        if let Form::Gcm(_) = form(enc) {
            context.cipher_update(additional, None)?;
        }
        let ciphertext = finish(&mut context, cipher, plain)?.expose().to_vec();
        let tag = match form(enc) {
            Form::Gcm(_) => {
                let mut tag = vec![0; GCM_TAG];
                context.tag(&mut tag)?;
                tag
            }
            Form::CbcHmac(cipher, digest) => {
                let sealed = Sealed {
                    additional,
                    iv: &iv,
                    ciphertext: &ciphertext,
                    tag: &[],
                };
                mac(digest, &key.expose()[..cipher.key_length()], &sealed)?
            }
        };
        Ok([iv.clone(), ciphertext, tag])
    };
    sealed().map_err(|source| {
        Error::new(ErrorCode::Unsupported, format!("OpenSSL does not do {enc}")).with_source(source)
    })
}
