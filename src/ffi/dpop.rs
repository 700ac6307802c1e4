//! DPoP (RFC 9449) for programs that send their own requests.

use std::ffi::c_char;

use zeroize::Zeroizing;

use super::call::{read_call, segl_call};
use super::client::segl_client;
use super::error::segl_error;
use super::guard::guard;
use super::handle;
use super::types::{Out, optional_text, segl_bytes, text};

/// Makes a DPoP proof (RFC 9449 section 4) for one request that carries `access_token`, for
/// the header `DPoP` beside `Authorization: DPoP`. The token has the flag
/// `SEGL_TOKEN_DPOP`, or is one that the host got itself, such as in the code flow of a
/// person; without one, the proof is for the request to the token endpoint there.
///
/// A proof is for one request: each has its own, a repeated one too. It has the nonce that
/// `segl_client_dpop_nonce` kept for the URL's server. `method` is upper case; `url` is the
/// whole URL of the request, without fragment; its query does not go into the proof.
///
/// Ownership: the inputs are borrowed. `out_proof` becomes the caller's; free it with
/// `segl_bytes_free`.
/// NULL: `client`, `method`, `url` and `out_proof` must not be NULL; `access_token` may be
/// NULL with length 0, and `call` may be NULL.
/// Threads: any thread, any time, also with the same client. It blocks while the key signs.
/// Failure: `SEGL_INVALID_ARGUMENT` for an empty token or a method that segl does not know,
/// `SEGL_URL`, `SEGL_UNSUPPORTED` when the client has no DPoP key, otherwise what the key's home
/// reports; `out_proof` is zero-filled then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_dpop_proof(
    client: *const segl_client,
    method: *const c_char,
    method_len: usize,
    url: *const c_char,
    url_len: usize,
    access_token: *const c_char,
    access_token_len: usize,
    call: *const segl_call,
    out_proof: *mut segl_bytes,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, method, url, access_token, call) = unsafe {
            (
                Out::new("out_proof", out_proof)?,
                text("method", method, method_len)?,
                text("url", url, url_len)?,
                optional_text("access_token", access_token, access_token_len)?,
                read_call(call)?,
            )
        };
        let client = handle::get("client", client)?;
        let (method, url) = (method.parse()?, url.parse()?);
        let proof = client.dpop_proof_for(method, &url, access_token, &call)?;
        out.set(segl_bytes::copy_of(Zeroizing::new(proof).as_str()));
        Ok(())
    })
}

/// Keeps the nonce that a server gave the host in the header `DPoP-Nonce`, of any answer. It
/// goes into the next proofs of `segl_client_dpop_proof` for the same scheme, host and port. An answer of 401 with
/// `WWW-Authenticate: DPoP error="use_dpop_nonce"` asks for the request once more, with
/// the same token and a new proof.
///
/// Ownership: the inputs are borrowed; the nonce is copied.
/// NULL: no argument may be NULL.
/// Threads: any thread, any time, also with the same client. It does not block.
/// Failure: `SEGL_INVALID_ARGUMENT` for a text that is no nonce, `SEGL_URL`,
/// `SEGL_UNSUPPORTED` when the client has no DPoP key; nothing is kept then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_dpop_nonce(
    client: *const segl_client,
    url: *const c_char,
    url_len: usize,
    nonce: *const c_char,
    nonce_len: usize,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (url, nonce) =
            unsafe { (text("url", url, url_len)?, text("nonce", nonce, nonce_len)?) };
        handle::get("client", client)?.note_dpop_nonce(&url.parse()?, nonce)
    })
}
