//! The five parts of a compact JWE.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::content::{self, Sealed};
use super::header::Header;
use crate::alg::ContentEncryption;
use crate::error::{Error, ErrorCode, Result};

/// The longest text that is read. Answers are bounded before, by the client's setting
/// `max_response_bytes`.
const MAX_LEN: usize = 64 * 1024 * 1024;
/// The longest header, encoded; one with a chain of certificates has some thousand bytes.
const MAX_HEADER: usize = 32 * 1024;
/// The longest encrypted key: an RSA key of 4096 bits makes 512 bytes.
const MAX_KEY: usize = 512;

/// A compact JWE, taken apart. Nothing is decrypted yet.
pub struct Compact {
    header: Header,
    /// As it was sent: the tag covers it.
    encoded_header: String,
    encrypted_key: Vec<u8>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl Compact {
    /// Takes a text apart.
    ///
    /// # Errors
    /// `JWE_INVALID` naming the part that cannot be read. `JWE_ALGORITHM` for an `alg`
    /// or `enc` that segl does not know.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > MAX_LEN {
            return Err(invalid(format_args!(
                "has {} bytes; {MAX_LEN} are read at most",
                text.len()
            )));
        }
        let parts: Vec<_> = text.splitn(6, '.').collect();
        let [header, encrypted_key, iv, ciphertext, tag] = parts[..] else {
            return Err(invalid(format_args!(
                "must have five parts with four dots between them, and has {}; is the text a JWE?",
                text.split('.').count()
            )));
        };
        if header.len() > MAX_HEADER {
            return Err(invalid(format_args!("has a header that is too long")));
        }
        let encrypted_key = octets("encrypted key", encrypted_key)?;
        if encrypted_key.len() > MAX_KEY {
            return Err(invalid(format_args!(
                "has an encrypted key that is longer than any of an RSA key of 4096 bits"
            )));
        }
        Ok(Self {
            header: Header::parse(&octets("header", header)?)?,
            encoded_header: header.to_owned(),
            encrypted_key,
            iv: octets("initialisation vector", iv)?,
            ciphertext: octets("ciphertext", ciphertext)?,
            tag: octets("authentication tag", tag)?,
        })
    }

    /// The header. **Nobody has checked it yet.**
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Refuses lengths that `enc` does not have. They are no secret.
    pub(super) fn require_lengths(&self, enc: ContentEncryption) -> Result<()> {
        let (iv, tag) = (content::iv_len(enc), content::tag_len(enc));
        if (self.iv.len(), self.tag.len()) != (iv, tag) {
            return Err(invalid(format_args!(
                "has an initialisation vector of {} bytes and a tag of {}; {enc} has {iv} and {tag}",
                self.iv.len(),
                self.tag.len()
            )));
        }
        Ok(())
    }

    pub(super) fn encrypted_key(&self) -> &[u8] {
        &self.encrypted_key
    }

    pub(super) fn sealed(&self) -> Sealed<'_> {
        Sealed {
            additional: self.encoded_header.as_bytes(),
            iv: &self.iv,
            ciphertext: &self.ciphertext,
            tag: &self.tag,
        }
    }
}

/// Shows the header only.
impl fmt::Debug for Compact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compact")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// `JWE_INVALID`: the JWE `problem`.
pub(super) fn invalid(problem: fmt::Arguments<'_>) -> Error {
    Error::new(ErrorCode::JweInvalid, format!("the JWE {problem}"))
}

fn octets(part: &str, text: &str) -> Result<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| {
        invalid(format_args!(
            "has a part that is not base64url without padding: the {part}"
        ))
    })
}
