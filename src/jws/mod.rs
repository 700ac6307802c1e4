//! JSON Web Signature, compact serialisation (RFC 7515 section 7.1).

mod decode;
mod header;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

pub use decode::{Decoded, decode};
pub use header::{Header, PreparedHeader};

use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::Signer;

/// Signs `payload` (for a JWT: the claims as JSON) and returns
/// `header.payload.signature`, each base64url without padding.
///
/// # Errors
/// As [`Signer::sign`].
pub fn sign_compact(
    signer: &dyn Signer,
    header: &PreparedHeader,
    payload: &[u8],
    call: &Call,
) -> Result<String> {
    let mut compact = String::with_capacity(header.encoded().len() + payload.len() * 4 / 3 + 700);
    compact.push_str(header.encoded());
    compact.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut compact);
    let signature = signer.sign(header.alg(), compact.as_bytes(), call)?;
    compact.push('.');
    URL_SAFE_NO_PAD.encode_string(&signature, &mut compact);
    Ok(compact)
}

/// Signs with a header given as a JSON object. `alg` is required; other members
/// go in as they are, in alphabetical order.
///
/// # Errors
/// `INVALID_ARGUMENT` when the header is no JSON object, lacks `alg`, or has
/// `crit` or `b64` (RFC 7797), which change how a JWS is read; `ALGORITHM` for
/// an unknown `alg`; otherwise as [`Signer::sign`].
pub fn sign_json(
    signer: &dyn Signer,
    header_json: &str,
    payload: &[u8],
    call: &Call,
) -> Result<String> {
    let refuse = |problem: &str| {
        Error::new(
            ErrorCode::InvalidArgument,
            format!("the JWS header {problem}"),
        )
    };
    let header: Map<String, Value> =
        serde_json::from_str(header_json).map_err(|_| refuse("is not a JSON object"))?;
    for name in ["crit", "b64"] {
        if header.contains_key(name) {
            return Err(refuse(&format!(
                "has \"{name}\", which segl does not support; leave it out"
            )));
        }
    }
    let alg: Algorithm = header
        .get("alg")
        .and_then(Value::as_str)
        .ok_or_else(|| refuse("lacks \"alg\"; give for example {\"alg\":\"RS256\"}"))?
        .parse()?;
    let prepared = PreparedHeader::from_json(alg, &header)?;
    sign_compact(signer, &prepared, payload, call)
}
