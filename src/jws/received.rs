//! Compact JWS of others (RFC 7515 section 7.1), read without any leniency.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::alg::Algorithm;
use crate::json::unique::UniqueValue;
use crate::keys::PublicJwk;

/// A compact JWS whose payload is a JSON object. Its signature is not checked
/// yet.
pub(crate) struct Jws<'a> {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
    signing_input: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    /// Splits and decodes `text`. The error says what is malformed.
    pub(crate) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let (signing_input, signature) = text.rsplit_once('.').ok_or("it has no three parts")?;
        let (header, payload) = signing_input
            .split_once('.')
            .filter(|(_, payload)| !payload.contains('.'))
            .ok_or("it has no three parts")?;
        let header = object(header).ok_or("its header is no JSON object in base64url")?;
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err("its header has a critical extension");
        }
        Ok(Self {
            header,
            claims: object(payload).ok_or("its payload is no JSON object in base64url")?,
            signing_input,
            signature: URL_SAFE_NO_PAD
                .decode(signature)
                .map_err(|_| "its signature is not base64url")?,
        })
    }

    /// The `alg` of the header, if it is one of `allowed`.
    pub(crate) fn algorithm(&self, allowed: &[Algorithm]) -> Option<Algorithm> {
        let name = self.header.get("alg")?.as_str()?;
        allowed.iter().copied().find(|alg| alg.name() == name)
    }

    /// True when `key` made the signature with `alg`.
    pub(crate) fn is_signed_by(&self, key: &PublicJwk, alg: Algorithm) -> bool {
        key.verify(alg, self.signing_input.as_bytes(), &self.signature)
    }

    /// What is signed: header and payload, in their encoded form.
    pub(crate) fn signing_input(&self) -> &str {
        self.signing_input
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    match serde_json::from_slice(&json).ok()? {
        UniqueValue(Value::Object(object)) => Some(object),
        _ => None,
    }
}
