//! A SHA-256 in hexadecimal.

use serde::{Deserialize, Serialize};

/// 64 lower case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Hash(String);

impl Hash {
    pub(super) fn new(bytes: [u8; 32]) -> Self {
        Self(crate::hex::encode(&bytes))
    }
}

impl TryFrom<String> for Hash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let is_hash = text.len() == 64
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match is_hash {
            true => Ok(Self(text)),
            false => Err("not a SHA-256 in hexadecimal"),
        }
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.0
    }
}
