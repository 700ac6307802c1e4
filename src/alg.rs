//! Signature algorithms of RFC 7518 section 3.1 that segl can make.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use openssl::md::{Md, MdRef};
use openssl::sha::{sha256, sha384, sha512};

use crate::error::{Error, ErrorCode, Result};

/// A JWS signature algorithm (RFC 7518 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.
    PS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
}

impl Algorithm {
    /// All algorithms, RSA first.
    pub const ALL: [Self; 6] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::ES256,
        Self::ES384,
    ];

    /// The `alg` header value, for example `"RS256"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
        }
    }

    /// True for the RSA algorithms.
    pub fn is_rsa(self) -> bool {
        matches!(self, Self::RS256 | Self::RS384 | Self::RS512 | Self::PS256)
    }

    /// Hashes `message` with the algorithm's hash.
    pub(crate) fn hash(self, message: &[u8]) -> Digest {
        match self {
            Self::RS256 | Self::PS256 | Self::ES256 => Digest::new(&sha256(message)),
            Self::RS384 | Self::ES384 => Digest::new(&sha384(message)),
            Self::RS512 => Digest::new(&sha512(message)),
        }
    }

    /// OpenSSL's name for the algorithm's hash.
    pub(crate) fn md(self) -> &'static MdRef {
        match self {
            Self::RS256 | Self::PS256 | Self::ES256 => Md::sha256(),
            Self::RS384 | Self::ES384 => Md::sha384(),
            Self::RS512 => Md::sha512(),
        }
    }
}

/// A message digest of at most 64 bytes, on the stack.
#[derive(Clone, Copy)]
pub(crate) struct Digest {
    bytes: [u8; 64],
    len: usize,
}

impl Digest {
    fn new(digest: &[u8]) -> Self {
        let mut bytes = [0; 64];
        bytes[..digest.len()].copy_from_slice(digest);
        Self {
            bytes,
            len: digest.len(),
        }
    }
}

impl Deref for Digest {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|alg| alg.name() == name)
            .ok_or_else(|| {
                Error::new(
                    ErrorCode::Algorithm,
                    format!(
                        "algorithm \"{}\" is not supported; use one of RS256, RS384, RS512, PS256, ES256, ES384",
                        name.escape_debug()
                    ),
                )
            })
    }
}
