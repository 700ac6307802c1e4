//! `segl_client_token` and what belongs to it: a client's tokens, and its cache.

use std::ffi::c_char;

use super::call::{Bounds, SEGL_CALL_RESPONSE_JSON, segl_call};
use super::client::{read_request, segl_client};
use super::error::segl_error;
use super::guard::guard;
use super::handle;
use super::token::{TokenOut, segl_token};
use super::types::optional_text;
use crate::error::Result;
use crate::token::{Spelling, Token, TokenRequest, TokenSource};

/// Gets an access token that is good for a while: from the cache, or a new one.
///
/// However many callers ask for the same token, it is fetched once, on a thread of
/// segl's own. Before a token ends its successor is fetched; when that fails, the
/// old one is given out while it lasts. Failures that pass are tried again within
/// the call's time; a refusal is remembered for 1 to 5 seconds.
///
/// `request_json` is as for `segl_client_assertion`. `call->flags` may have
/// `SEGL_CALL_RESPONSE_JSON`.
///
/// Ownership: the inputs are borrowed. What `out` holds becomes the caller's;
/// free it with `segl_token_free`. What it held before is not freed.
/// NULL: `client` and `out` must not be NULL; `request_json` may be NULL with
/// length 0; `call` may be NULL.
/// Threads: any thread, any time, also with the same client. Unless the token is
/// in the cache it blocks until it is fetched, 30 seconds without a timeout.
/// Failure: as `segl_client_assertion`; `SEGL_NETWORK` and others when the
/// endpoint cannot be reached, a `SEGL_TOKEN_` error when it refuses; `out` is
/// zero-filled then but for `struct_size`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_token(
    client: *const segl_client,
    request_json: *const c_char,
    request_json_len: usize,
    call: *const segl_call,
    out: *mut segl_token,
) -> *mut segl_error {
    // SAFETY: the caller keeps to the conventions.
    guard(|| unsafe { token(client, request_json, request_json_len, 0, call, out) })
}

/// As `segl_client_token`, for a caller who holds a token already: when that is
/// still the one to use, nothing is copied.
///
/// `generation` is that of the token which the caller holds, 0 for none. When it
/// is unchanged, `out` has the flag `SEGL_TOKEN_UNCHANGED`, `generation` and
/// `expires_at_ms`, and no bytes.
///
/// Ownership: as `segl_client_token`. What the caller holds stays the caller's.
/// NULL: as `segl_client_token`.
/// Threads: as `segl_client_token`.
/// Failure: as `segl_client_token`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_token_if_newer(
    client: *const segl_client,
    request_json: *const c_char,
    request_json_len: usize,
    generation: u64,
    call: *const segl_call,
    out: *mut segl_token,
) -> *mut segl_error {
    // SAFETY: the caller keeps to the conventions.
    guard(|| unsafe {
        token(
            client,
            request_json,
            request_json_len,
            generation,
            call,
            out,
        )
    })
}

/// Drops a token that an API rejected (HTTP 401), if it is still the cached one;
/// the next call then fetches another. However many callers meet the same
/// rejection, the token is dropped once and no newer one is lost. Within 10 seconds
/// of a rejection the next one drops nothing: an API that takes no token at all would
/// not take another either.
///
/// `request_json` is what the token was asked for with, `generation` the token's.
///
/// Ownership: the inputs are borrowed.
/// NULL: `client` must not be NULL; `request_json` may be NULL with length 0.
/// Threads: any thread, any time, also with the same client.
/// Failure: only for a NULL argument, a handle that is not live, or text that is
/// not UTF-8. A token that was replaced already is no failure.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_reject(
    client: *const segl_client,
    request_json: *const c_char,
    request_json_len: usize,
    generation: u64,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let json = unsafe { optional_text("request_json", request_json, request_json_len)? };
        let client = handle::get("client", client)?;
        client.reject_generation(spelling(json, &TokenRequest::default()), generation);
        Ok(())
    })
}

/// Forgets tokens in the cache, whatever they are.
///
/// Ownership: the inputs are borrowed.
/// NULL: `client` must not be NULL; `request_json` may be NULL with length 0,
/// which forgets all tokens of the client.
/// Threads: any thread, any time, also with the same client.
/// Failure: `SEGL_INVALID_ARGUMENT` for a request that is not one; nothing is
/// forgotten then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_forget(
    client: *const segl_client,
    request_json: *const c_char,
    request_json_len: usize,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let request = unsafe { read_request(request_json, request_json_len)? };
        handle::get("client", client)?.forget(request.as_ref());
        Ok(())
    })
}

/// Fills `out` with a token that is not the one the caller `holds`.
///
/// # Safety
/// As the functions that it serves.
unsafe fn token(
    client: *const segl_client,
    request_json: *const c_char,
    request_json_len: usize,
    holds: u64,
    call: *const segl_call,
    out: *mut segl_token,
) -> Result<()> {
    // SAFETY: see the function's contract.
    let (out, json, bounds) = unsafe {
        (
            TokenOut::new(out)?,
            optional_text("request_json", request_json, request_json_len)?,
            Bounds::read(call, SEGL_CALL_RESPONSE_JSON)?,
        )
    };
    let client = handle::get("client", client)?;
    let default = TokenRequest::default();
    let spelling = spelling(json, &default);
    let with_response = bounds.has(SEGL_CALL_RESPONSE_JSON);
    let set = |token: &Token, source| out.set(token, source, holds, with_response);
    if client
        .peek(spelling, |token| set(token, TokenSource::Cache))
        .is_none()
    {
        let (token, source) = client.spelled_token(spelling, &bounds.call()?)?;
        set(&token, source);
    }
    Ok(())
}

fn spelling<'a>(json: Option<&'a str>, default: &'a TokenRequest) -> Spelling<'a> {
    json.map_or(Spelling::Request(default), Spelling::Json)
}
