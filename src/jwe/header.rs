//! The header of a JWE (RFC 7516 section 4.1).

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use super::Accepted;
use super::compact::invalid;
use crate::alg::{ContentEncryption, KeyEncryption};
use crate::error::{Error, ErrorCode, Result};

/// What a header says of how its JWE is encrypted. What else it says is not used: a key
/// or a certificate in it is anybody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    alg: String,
    enc: String,
    kid: Option<String>,
    x5t_s256: Option<String>,
}

/// A member that is there twice is refused.
#[derive(Deserialize)]
struct Wire {
    alg: String,
    enc: String,
    kid: Option<String>,
    #[serde(rename = "x5t#S256")]
    x5t_s256: Option<String>,
    #[serde(default, deserialize_with = "present")]
    zip: bool,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

impl Header {
    /// Reads the header's JSON.
    pub(super) fn parse(json: &[u8]) -> Result<Self> {
        // serde would take an array of the values for an object.
        if json.trim_ascii_start().first() != Some(&b'{') {
            return Err(invalid(format_args!("has a header that is no JSON object")));
        }
        let wire: Wire = serde_json::from_slice(json).map_err(|_| {
            invalid(format_args!(
                "has a header that is no JSON object with the texts \"alg\" and \"enc\", each member once"
            ))
        })?;
        if wire.zip {
            return Err(invalid(format_args!(
                "is compressed (\"zip\"), which is not read: the length of what is compressed tells of it; \
                 have the sender leave it out"
            )));
        }
        if wire.crit {
            return Err(invalid(format_args!(
                "has extensions that must be understood (\"crit\"), and segl knows none; have the sender leave it out"
            )));
        }
        Ok(Self {
            alg: wire.alg,
            enc: wire.enc,
            kid: wire.kid,
            x5t_s256: wire.x5t_s256,
        })
    }

    /// `alg`: how the content's key is encrypted.
    pub fn alg(&self) -> &str {
        &self.alg
    }

    /// `enc`: how the content is encrypted.
    pub fn enc(&self) -> &str {
        &self.enc
    }

    /// `kid`: which key it is encrypted to, in the sender's words.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// `x5t#S256`: the thumbprint of the certificate that it is encrypted to.
    pub fn x5t_s256(&self) -> Option<&str> {
        self.x5t_s256.as_deref()
    }

    /// Its `kid` for a message, in brackets; empty without one.
    pub(super) fn shown_kid(&self) -> String {
        self.kid.as_deref().map_or_else(String::new, |kid| {
            let kid: String = kid.chars().take(100).collect();
            format!(" (its \"kid\" is \"{}\")", kid.escape_debug())
        })
    }

    /// Its algorithms, if they are among those `accepted`.
    ///
    /// # Errors
    /// `JWE_ALGORITHM` saying what may be done.
    pub(super) fn require(
        &self,
        accepted: &Accepted,
    ) -> Result<(KeyEncryption, ContentEncryption)> {
        let alg = KeyEncryption::ALL
            .into_iter()
            .find(|alg| alg.name() == self.alg);
        let names = accepted.key_encryption.iter().map(|alg| alg.name());
        let alg = alg
            .filter(|alg| accepted.key_encryption.contains(alg))
            .ok_or_else(|| {
                refused(
                    "alg",
                    &self.alg,
                    "key_encryption",
                    alg.is_some(),
                    names.collect(),
                )
            })?;
        let enc = ContentEncryption::ALL
            .into_iter()
            .find(|enc| enc.name() == self.enc);
        let names = accepted.content_encryption.iter().map(|enc| enc.name());
        let enc = enc
            .filter(|enc| accepted.content_encryption.contains(enc))
            .ok_or_else(|| {
                refused(
                    "enc",
                    &self.enc,
                    "content_encryption",
                    enc.is_some(),
                    names.collect(),
                )
            })?;
        Ok((alg, enc))
    }
}

fn refused(
    member: &str,
    found: &str,
    setting: &str,
    is_known: bool,
    accepted: Vec<&'static str>,
) -> Error {
    let found: String = found.chars().take(40).collect();
    let accepted = match accepted.is_empty() {
        true => "nothing".to_owned(),
        false => accepted.join(", "),
    };
    let remedy = match is_known {
        true => format!(
            "have the sender use what is accepted, or name it in the setting \"decryption.{setting}\""
        ),
        false => "segl does not do it, so have the sender use what is accepted".to_owned(),
    };
    Error::new(
        ErrorCode::JweAlgorithm,
        format!(
            "the JWE has \"{member}\" \"{}\", and {accepted} is accepted; {remedy}",
            found.escape_debug()
        ),
    )
}

/// True for a member whatever its value, `null` too.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}
