//! A compact JWT (RFC 7519, RFC 7515 section 7.1) taken apart, before anything is believed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::refusal::{invalid_token, shown};
use super::wire::{Text, present};
use crate::alg::Algorithm;
use crate::error::{Error, ErrorCode, Result};

/// No header of HTTP that servers take by default has room for more.
const MAX_LEN: usize = 32 * 1024;

/// The parts of a token, still encoded.
pub(super) struct Parts<'a> {
    pub(super) header: &'a str,
    payload: &'a str,
    signature: &'a str,
    /// What the signature covers.
    pub(super) signing_input: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(super) fn split(token: &'a str) -> Result<Self> {
        if token.len() > MAX_LEN {
            return Err(malformed(format!(
                "has {} bytes; more than {MAX_LEN} are not read",
                token.len()
            )));
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(not_three_parts(token));
        };
        Ok(Self {
            header,
            payload,
            signature,
            signing_input: &token.as_bytes()[..header.len() + 1 + payload.len()],
        })
    }

    pub(super) fn signature(&self) -> Result<Signature> {
        let mut bytes = [0; MAX_SIGNATURE_LEN];
        let len = URL_SAFE_NO_PAD
            .decode_slice(self.signature, &mut bytes)
            .map_err(|_| malformed("has a signature that is not base64url, or too long"))?;
        Ok(Signature { bytes, len })
    }

    /// What was signed, decoded. It is believed once the signature is.
    pub(super) fn payload(&self) -> Result<Vec<u8>> {
        URL_SAFE_NO_PAD
            .decode(self.payload)
            .map_err(|_| malformed("has a payload that is not base64url without padding"))
    }
}

fn not_three_parts(token: &str) -> Error {
    if token.is_empty() {
        return malformed(
            "is empty; give what stands after \"Bearer\" in the header Authorization",
        );
    }
    let parts = match token.split('.').count() {
        1 => "1 part".to_owned(),
        number => format!("{number} parts"),
    };
    malformed(format!(
        "has {parts} between dots, and a signed JWT has three; give the token alone, without \"Bearer\" before it"
    ))
}

/// RSA with 4096 bits makes no longer ones; the decoder wants some room.
const MAX_SIGNATURE_LEN: usize = 516;

/// A signature in JOSE form, on the stack.
pub(super) struct Signature {
    bytes: [u8; MAX_SIGNATURE_LEN],
    len: usize,
}

impl Signature {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// What the header says about the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) alg: Algorithm,
    pub(super) kid: Option<String>,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    alg: Text<'a>,
    #[serde(borrow)]
    kid: Option<Text<'a>>,
    #[serde(borrow)]
    typ: Option<Text<'a>>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
    #[serde(default, deserialize_with = "present")]
    b64: bool,
}

impl Header {
    /// Reads a header. A key or an address in it (`jwk`, `x5c`, `jku`, `x5u`) says nothing
    /// about whom the token is from, and is not looked at.
    ///
    /// # Errors
    /// `ACCESS_TOKEN_MALFORMED`; `ACCESS_TOKEN_ALGORITHM` for one that is not `allowed`.
    pub(super) fn read(encoded: &str, allowed: &[Algorithm]) -> Result<Self> {
        let json = URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| undecodable(encoded))?;
        if json.first() != Some(&b'{') {
            return Err(malformed("has a header that is not a JSON object"));
        }
        let wire: Wire<'_> = serde_json::from_slice(&json).map_err(|_| {
            malformed(
                "has a header that is not a JSON object with texts \"alg\", \"kid\" and \"typ\", each member once",
            )
        })?;
        if wire.crit || wire.b64 {
            return Err(malformed(
                "has \"crit\" or \"b64\" in its header, extensions of JWS that segl does not support",
            ));
        }
        if let Some(typ) = wire.typ.as_deref().filter(|typ| !is_usual(typ)) {
            return Err(malformed(format_args!(
                "is a JWT of another kind than an access token: its \"typ\" is \"{}\"",
                shown(typ)
            )));
        }
        let known = wire.alg.parse().ok();
        let alg = known
            .filter(|alg| allowed.contains(alg))
            .ok_or_else(|| not_allowed(&wire.alg, allowed))?;
        Ok(Self {
            alg,
            kid: wire.kid.map(|kid| kid.0.into_owned()),
        })
    }
}

fn undecodable(header: &str) -> Error {
    match header.contains(char::is_whitespace) {
        true => malformed("has a blank in it; give the token alone, without \"Bearer\" before it"),
        false => malformed("has a header that is not base64url without padding"),
    }
}

/// The types of access tokens (RFC 9068 section 2.1), and those that say no more than that
/// it is a JWT (RFC 7519 section 5.1, RFC 7515 section 4.1.9). Issuers sign other things with
/// the same keys (RFC 8725 section 3.11).
fn is_usual(typ: &str) -> bool {
    let typ = match typ.split_at_checked("application/".len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case("application/") => rest,
        _ => typ,
    };
    ["at+jwt", "JWT", "JOSE"]
        .iter()
        .any(|usual| usual.eq_ignore_ascii_case(typ))
}

fn not_allowed(alg: &str, allowed: &[Algorithm]) -> Error {
    let names: Vec<_> = allowed.iter().map(|alg| alg.name()).collect();
    invalid_token(
        ErrorCode::AccessTokenAlgorithm,
        format!(
            "the token is signed with \"{}\"; accepted are {} (setting \"algorithms\")",
            shown(alg),
            names.join(", ")
        ),
    )
}

/// A token that cannot be read.
pub(super) fn malformed(problem: impl std::fmt::Display) -> Error {
    invalid_token(
        ErrorCode::AccessTokenMalformed,
        format!("the token {problem}"),
    )
}
