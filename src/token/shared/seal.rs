//! Sealing what is shared: who can read the store learns neither a token nor what
//! it was asked for, and who can write to it can forge none.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rand::rand_bytes;
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};
use crate::hex;

/// The form of what is sealed: this byte, the nonce, the ciphertext, the tag.
const VERSION: u8 = 1;
const KEY_LEN: usize = 32;
/// 96 random bits (NIST SP 800-38D section 8.2.2). One key may seal 2^32 times; at
/// one token a second that is 136 years.
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// A key that tokens are sealed with (AES-256-GCM), and their places named with
/// (HMAC-SHA256). Its memory is wiped; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SealingKey {
    sealing: Zeroizing<[u8; KEY_LEN]>,
    naming: Zeroizing<[u8; KEY_LEN]>,
    /// Tells keys apart; nothing of the key can be learnt from it.
    id: String,
}

impl SealingKey {
    /// The key made of these bytes, which must be random.
    ///
    /// # Errors
    /// `UNSUPPORTED` when OpenSSL has no HMAC-SHA256.
    pub fn from_bytes(bytes: &[u8; KEY_LEN]) -> Result<Self> {
        let part = |label: &[u8]| hmac(bytes, label).map_err(|source| unsupported(source, "made"));
        Ok(Self {
            sealing: part(b"segl shared cache 1: sealing")?,
            naming: part(b"segl shared cache 1: naming")?,
            id: hex::encode(&part(b"segl shared cache 1: id")?[..4]),
        })
    }

    /// The key that `text` is the base64 or base64url of, with padding or without,
    /// as `openssl rand -base64 32` prints it.
    ///
    /// # Errors
    /// `CONFIG` when it is not the base64 of 32 bytes. The text is not repeated.
    pub fn from_base64(text: &[u8]) -> Result<Self> {
        let refusal = || {
            Error::new(
                ErrorCode::Config,
                "a sealing key is 32 random bytes in base64, 43 characters and a \"=\"; \
                 make one with: openssl rand -base64 32",
            )
        };
        let mut standard = Zeroizing::new(text.trim_ascii().to_vec());
        let padding = standard.iter().rev().take_while(|c| **c == b'=').count();
        let unpadded = standard.len() - padding;
        standard.truncate(unpadded);
        for character in standard.iter_mut() {
            match character {
                b'-' => *character = b'+',
                b'_' => *character = b'/',
                _ => {}
            }
        }
        // The decoder wants room for whole groups of three bytes.
        let mut decoded = Zeroizing::new([0; KEY_LEN + 1]);
        match STANDARD_NO_PAD.decode_slice(&*standard, &mut *decoded) {
            Ok(KEY_LEN) => {}
            _ => return Err(refusal()),
        }
        Self::from_bytes(decoded.first_chunk().ok_or_else(refusal)?)
    }

    /// Eight characters that tell keys apart, and tell nothing about the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where the token for `digest` is kept that this key seals. It is keyed, for
    /// what a digest is of can be guessed when it is a person's number.
    pub(super) fn name(&self, digest: &[u8; 32]) -> Result<String> {
        let name = hmac(&*self.naming, digest).map_err(|source| unsupported(source, "named"))?;
        Ok(format!("{}:{}", self.id, hex::encode(&*name)))
    }

    /// Seals the token for `digest`; it opens for no other.
    pub(super) fn seal(&self, digest: &[u8; 32], plain: &[u8]) -> Result<Vec<u8>> {
        let failed = |source| unsupported(source, "used");
        let mut nonce = [0; NONCE_LEN];
        rand_bytes(&mut nonce).map_err(failed)?;
        let mut tag = [0; TAG_LEN];
        let ciphertext = encrypt_aead(
            Cipher::aes_256_gcm(),
            &*self.sealing,
            Some(&nonce),
            &aad(digest),
            plain,
            &mut tag,
        )
        .map_err(failed)?;
        Ok([&[VERSION][..], &nonce, &ciphertext, &tag].concat())
    }

    /// What this key sealed for `digest`; `None` for everything else.
    pub(super) fn open(&self, digest: &[u8; 32], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (&version, rest) = sealed.split_first()?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_LEN>()?;
        if version != VERSION {
            return None;
        }
        let cipher = Cipher::aes_256_gcm();
        let aad = aad(digest);
        decrypt_aead(cipher, &*self.sealing, Some(nonce), &aad, ciphertext, tag)
            .ok()
            .map(Zeroizing::new)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", self.id)
    }
}

/// One key or several, while one replaces another: the first seals, each of them
/// opens.
#[derive(Debug, Clone)]
pub struct SealingKeys {
    first: SealingKey,
    others: Vec<SealingKey>,
}

impl SealingKeys {
    /// `first` seals and opens, `others` open.
    pub fn new(first: SealingKey, others: Vec<SealingKey>) -> Self {
        Self { first, others }
    }

    pub(super) fn first(&self) -> &SealingKey {
        &self.first
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &SealingKey> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl From<SealingKey> for SealingKeys {
    fn from(key: SealingKey) -> Self {
        Self::new(key, Vec::new())
    }
}

/// What is authenticated beside the ciphertext.
fn aad(digest: &[u8; 32]) -> Vec<u8> {
    [b"segl shared token ", &[VERSION][..], digest].concat()
}

fn hmac(key: &[u8], data: &[u8]) -> std::result::Result<Zeroizing<[u8; 32]>, ErrorStack> {
    let key = PKey::hmac(key)?;
    let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
    let mut mac = Zeroizing::new([0; 32]);
    signer.sign_oneshot(&mut *mac, data)?;
    Ok(mac)
}

fn unsupported(source: ErrorStack, what: &str) -> Error {
    Error::new(
        ErrorCode::Unsupported,
        format!(
            "a sealing key cannot be {what}: OpenSSL refuses AES-256-GCM, HMAC-SHA256 or random numbers; \
             check its configuration"
        ),
    )
    .with_source(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: [u8; 32] = [1; 32];
    const THERE: [u8; 32] = [2; 32];

    fn key(byte: u8) -> SealingKey {
        SealingKey::from_bytes(&[byte; 32]).unwrap()
    }

    #[test]
    fn every_byte_counts() {
        let sealed = key(1).seal(&HERE, b"secret").unwrap();
        assert_eq!(sealed.len(), 1 + NONCE_LEN + b"secret".len() + TAG_LEN);
        let opened = key(1).open(&HERE, &sealed);
        assert_eq!(opened.as_deref().map(Vec::as_slice), Some(&b"secret"[..]));
        assert!(key(1).open(&THERE, &sealed).is_none());
        assert!(key(2).open(&HERE, &sealed).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key(1).open(&HERE, &changed).is_none(), "byte {at}");
            assert!(key(1).open(&HERE, &sealed[..at]).is_none(), "{at} bytes");
        }
        let again = key(1).seal(&HERE, b"secret").unwrap();
        assert_ne!(sealed, again, "each has its own nonce");
    }

    #[test]
    fn names_are_stable_and_keyed() {
        let name = key(1).name(&HERE).unwrap();
        assert_eq!(name, key(1).name(&HERE).unwrap());
        assert_ne!(name, key(1).name(&THERE).unwrap());
        assert!(name.starts_with(key(1).id()));
        let (_, own) = name.split_once(':').unwrap();
        let other = key(2).name(&HERE).unwrap();
        assert!(!other.ends_with(own), "{other}");
        assert!(!name.contains(&hex::encode(&HERE)));
    }

    #[test]
    fn base64_of_both_alphabets_is_one_key() {
        let bytes = [0xfb; 32];
        let standard = STANDARD_NO_PAD.encode(bytes);
        assert!(standard.contains(['+', '/']), "the alphabets differ in it");
        let url = standard.replace('+', "-").replace('/', "_");
        let id = SealingKey::from_bytes(&bytes).unwrap().id;
        for text in [
            &standard,
            &url,
            &format!("{standard}=\n"),
            &format!("{url}="),
        ] {
            let key = SealingKey::from_base64(text.as_bytes()).unwrap();
            assert_eq!(key.id, id, "{text}");
        }
        let too_short = &standard[1..];
        let too_long = format!("{standard}AA");
        for text in ["", "AAAA", too_short, &too_long, &"A".repeat(44)] {
            let error = SealingKey::from_base64(text.as_bytes()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Config, "{text}");
        }
    }
}
