//! Reading a compact JWS without checking it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::error::{Error, ErrorCode, Result};

/// The parts of a compact JWS. **Nothing is verified.**
#[derive(Clone)]
pub struct Decoded {
    /// The header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
    /// The signature, raw.
    pub signature: Vec<u8>,
    /// What the signature covers: `header.payload` as sent.
    pub signing_input: String,
}

/// Shows the algorithm only: the rest makes up a token, or names a person.
impl fmt::Debug for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Decoded(alg {})",
            self.header.get("alg").unwrap_or(&Value::Null)
        )
    }
}

/// Splits and decodes a compact JWT. It does not check the signature.
///
/// # Errors
/// `INVALID_ARGUMENT` naming the part that cannot be read.
pub fn decode(compact: &str) -> Result<Decoded> {
    let mut parts = compact.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            format!(
                "a compact JWT has three parts with two dots between them; this text has {}",
                compact.split('.').count()
            ),
        ));
    };
    Ok(Decoded {
        header: object("header", header)?,
        claims: object("payload", payload)?,
        signature: octets("signature", signature)?,
        signing_input: format!("{header}.{payload}"),
    })
}

fn object(part: &str, text: &str) -> Result<Map<String, Value>> {
    serde_json::from_slice(&octets(part, text)?).map_err(|_| {
        Error::new(
            ErrorCode::InvalidArgument,
            format!("the JWT's {part} is not a JSON object"),
        )
    })
}

fn octets(part: &str, text: &str) -> Result<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).map_err(|source| {
        Error::new(
            ErrorCode::InvalidArgument,
            format!("the JWT's {part} is not base64url without padding"),
        )
        .with_source(source)
    })
}
