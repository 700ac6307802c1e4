//! Any JWS, for protocols that segl has no profile for.

use std::ffi::c_char;

use super::call::{read_call, segl_call};
use super::error::segl_error;
use super::guard::guard;
use super::handle;
use super::signer::segl_signer;
use super::types::{Out, optional_bytes, segl_bytes, text};
use crate::jws;

/// Signs `payload` as a JWS in compact serialisation (RFC 7515 section 7.1).
/// `header_json` is the protected header, a JSON object with `alg`; members that
/// segl does not know pass through, `crit` and `b64` are refused.
///
/// Ownership: the inputs are borrowed. `out_compact` becomes the caller's; free
/// it with `segl_bytes_free`.
/// NULL: `signer`, `header_json` and `out_compact` must not be NULL; `payload`
/// may be NULL when `payload_len` is 0; `call` may be NULL.
/// Threads: any thread, any time, also with the same signer. It blocks while
/// the device works.
/// Failure: `SEGL_INVALID_ARGUMENT` or `SEGL_ALGORITHM` for a header that cannot
/// be used, otherwise what the key's home reports; `out_compact` is zero-filled
/// then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_jws_sign(
    signer: *const segl_signer,
    header_json: *const c_char,
    header_json_len: usize,
    payload: *const u8,
    payload_len: usize,
    call: *const segl_call,
    out_compact: *mut segl_bytes,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, header, payload, call) = unsafe {
            (
                Out::new("out_compact", out_compact)?,
                text("header_json", header_json, header_json_len)?,
                optional_bytes("payload", payload, payload_len)?.unwrap_or_default(),
                read_call(call)?,
            )
        };
        let signer = handle::get("signer", signer)?;
        out.set(segl_bytes::copy_of(jws::sign_json(
            &*signer.0, header, payload, &call,
        )?));
        Ok(())
    })
}
