//! JSON Web Signature, compact serialisation (RFC 7515 section 7.1).

mod decode;
mod header;
pub(crate) mod received;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

pub use decode::{Decoded, decode};
pub use header::{Header, PreparedHeader};

use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::{MakeMessage, Signer};

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
    let input = signing_input(header, payload);
    let signature = signer.sign(header.alg(), input.as_bytes(), call)?;
    Ok(compact(input, &signature))
}

/// As [`sign_compact`], with the payload that `make` makes once the key only has to
/// sign, so that a time in it is that of the signature and not that of a wait for
/// the device. See [`Signer::sign_when_ready`] for what `make` may do.
///
/// # Errors
/// As [`Signer::sign_when_ready`].
pub fn sign_compact_when_ready(
    signer: &dyn Signer,
    header: &PreparedHeader,
    make: impl Fn() -> Result<Vec<u8>> + Send + Sync + 'static,
    call: &Call,
) -> Result<String> {
    let own = header.clone();
    let make: Arc<MakeMessage> = Arc::new(move || Ok(signing_input(&own, &make()?).into_bytes()));
    let signed = signer.sign_when_ready(header.alg(), &make, call)?;
    let input = String::from_utf8(signed.message).map_err(|_| {
        Error::new(
            ErrorCode::SignatureFault,
            "the signer returned another message than it was given; it must sign each message as it is",
        )
    })?;
    Ok(compact(input, &signed.signature))
}

/// The JWS Signing Input (RFC 7515 section 2), with room for the signature.
fn signing_input(header: &PreparedHeader, payload: &[u8]) -> String {
    let mut input = String::with_capacity(header.encoded().len() + payload.len() * 4 / 3 + 700);
    input.push_str(header.encoded());
    input.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut input);
    input
}

fn compact(mut input: String, signature: &[u8]) -> String {
    input.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut input);
    input
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
