//! `segl_client_call_api`: the APIs that segl knows, with JSON in and JSON out.

use std::ffi::c_char;

use super::call::{read_call, segl_call};
use super::client::{read_request, segl_client};
use super::error::segl_error;
use super::guard::guard;
use super::handle;
use super::types::{Out, segl_bytes, text};
use crate::apis::Operation;

/// Calls an operation of an API that segl knows, with the client's access token:
/// "krr.lookup" and the others in docs/services.md. The token is replaced once when the API
/// refuses it, and what changes nothing is sent again after failures that pass.
///
/// `input_json` is the JSON object that docs/operations.schema.json describes for the
/// operation, for example `{"persons":["05848998356"]}` for "krr.lookup".
/// `token_request_json` is as for `segl_client_assertion`.
///
/// Ownership: the inputs are borrowed. `out_json`, a JSON object, becomes the caller's; free
/// it with `segl_bytes_free`.
/// NULL: `client`, `operation`, `input_json` and `out_json` must not be NULL;
/// `token_request_json` may be NULL with length 0; `call` may be NULL.
/// Threads: any thread, any time, also with the same client, which may be freed meanwhile. It
/// blocks until the answer is there.
/// Failure: `SEGL_INVALID_ARGUMENT` for an operation or input that is none,
/// `SEGL_CONFIG` for the client's setting `services`, a `SEGL_API_` error when the API
/// refuses, otherwise as `segl_client_send`; `out_json` is zero-filled then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_call_api(
    client: *const segl_client,
    operation: *const c_char,
    operation_len: usize,
    input_json: *const c_char,
    input_json_len: usize,
    token_request_json: *const c_char,
    token_request_json_len: usize,
    call: *const segl_call,
    out_json: *mut segl_bytes,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, operation, input, token_request, call) = unsafe {
            (
                Out::new("out_json", out_json)?,
                text("operation", operation, operation_len)?,
                text("input_json", input_json, input_json_len)?,
                read_request(token_request_json, token_request_json_len)?,
                read_call(call)?,
            )
        };
        let client = handle::get("client", client)?;
        let answer = Operation::named(operation)?.call(
            &client,
            &token_request.unwrap_or_default(),
            input,
            &call,
        )?;
        out.set(segl_bytes::copy_of(answer.as_str()));
        Ok(())
    })
}
