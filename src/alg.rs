//! The algorithms of RFC 7518 that segl knows: of signatures (section 3.1), and of
//! encryption (sections 4 and 5).

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use openssl::md::{Md, MdRef};
use openssl::sha::{sha256, sha384, sha512};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode, Result};

/// A JWS signature algorithm (RFC 7518 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
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

/// How the key of a JWE's content is encrypted to an RSA key (RFC 7518 section 4.3).
/// There is no RSA1_5: an answer about what was wrong with its padding gives the content
/// away (RFC 3218), so it cannot be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum KeyEncryption {
    /// RSAES-OAEP with SHA-256, and MGF1 with SHA-256.
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256,
    /// RSAES-OAEP with SHA-1, and MGF1 with SHA-1. Its strength does not rest on SHA-1
    /// being free of collisions.
    #[serde(rename = "RSA-OAEP")]
    RsaOaep,
}

impl KeyEncryption {
    /// Both, the better one first.
    pub const ALL: [Self; 2] = [Self::RsaOaep256, Self::RsaOaep];

    /// The `alg` header value, for example `"RSA-OAEP-256"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::RsaOaep => "RSA-OAEP",
        }
    }

    /// OpenSSL's name for the hash, which is MGF1's too.
    pub(crate) fn md(self) -> &'static MdRef {
        match self {
            Self::RsaOaep256 => Md::sha256(),
            Self::RsaOaep => Md::sha1(),
        }
    }
}

impl fmt::Display for KeyEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the content of a JWE is encrypted (RFC 7518 section 5). Each of them finds out
/// whether the content was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum ContentEncryption {
    /// AES-GCM with a key of 256 bits.
    #[serde(rename = "A256GCM")]
    A256Gcm,
    /// AES-CBC with a key of 128 bits, and HMAC with SHA-256.
    #[serde(rename = "A128CBC-HS256")]
    A128CbcHs256,
    /// AES-CBC with a key of 256 bits, and HMAC with SHA-512.
    #[serde(rename = "A256CBC-HS512")]
    A256CbcHs512,
    /// AES-GCM with a key of 128 bits.
    #[serde(rename = "A128GCM")]
    A128Gcm,
}

impl ContentEncryption {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::A256Gcm,
        Self::A128CbcHs256,
        Self::A256CbcHs512,
        Self::A128Gcm,
    ];

    /// The `enc` header value, for example `"A256GCM"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::A256Gcm => "A256GCM",
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A256CbcHs512 => "A256CBC-HS512",
            Self::A128Gcm => "A128GCM",
        }
    }
}

impl fmt::Display for ContentEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
