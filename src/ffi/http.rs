//! `segl_client_send`: one request to an API with a client's token.

use std::ffi::c_char;
use std::ptr;

use zeroize::Zeroizing;

use super::call::{read_call, segl_call};
use super::client::{read_request, segl_client};
use super::error::segl_error;
use super::guard::{guard, guard_or};
use super::handle;
use super::signer::unwritable;
use super::types::{
    CStruct, StructOut, full_struct_size, optional_bytes, optional_text, read_struct, segl_bytes,
    text,
};
use crate::apis::{ApiRequest, require_allowed};
use crate::error::{Error, ErrorCode, Result};
use crate::http::{HeaderValue, Response};
use crate::json;

/// A request to an API. Zero-fill it, then set `struct_size` and what is needed. It
/// is copied.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct segl_http_request {
    /// `sizeof(segl_http_request)`.
    pub struct_size: usize,
    /// "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" or "OPTIONS". Must not be NULL.
    pub method: *const c_char,
    /// The length of `method` in bytes.
    pub method_len: usize,
    /// An https URL, or an http one on the loopback interface. Must not be NULL.
    pub url: *const c_char,
    /// The length of `url` in bytes.
    pub url_len: usize,
    /// More headers: a JSON array of pairs, such as [["Content-Type","text/plain"]].
    /// May be NULL with length 0. `Authorization`, `DPoP`, `Host` and `Content-Length`
    /// are segl's to set; JSON is asked for unless there is an `Accept`.
    pub headers_json: *const c_char,
    /// The length of `headers_json` in bytes.
    pub headers_json_len: usize,
    /// The body of a POST, PUT or PATCH. May be NULL with length 0.
    pub body: *const u8,
    /// The length of `body` in bytes.
    pub body_len: usize,
}

// SAFETY: `repr(C)`, begins with a `usize`, integers and pointers only.
unsafe impl CStruct for segl_http_request {
    const TYPE: &'static str = "segl_http_request";
}

/// An API's answer. Zero-fill it and set `struct_size` before the first use; free it
/// with `segl_http_response_free` before it is used again.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct segl_http_response {
    /// `sizeof(segl_http_response)`.
    pub struct_size: usize,
    /// The headers in their order: a JSON array of pairs of lower-case name and value.
    /// Bytes that are not UTF-8 have become U+FFFD.
    pub headers_json: segl_bytes,
    /// The whole body, as it came; at most as long as the client's setting
    /// `max_response_bytes` allows.
    pub body: segl_bytes,
    /// The HTTP status, for example 200.
    pub status: i32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: `repr(C)`, begins with a `usize`, integers and pointers only.
unsafe impl CStruct for segl_http_response {
    const TYPE: &'static str = "segl_http_response";
}

impl segl_http_response {
    fn empty(struct_size: usize) -> Self {
        Self {
            struct_size,
            headers_json: segl_bytes::EMPTY,
            body: segl_bytes::EMPTY,
            status: 0,
            reserved: 0,
        }
    }
}

/// Sends a request to an API with the client's access token, from the cache or a new
/// one, and with its client certificate if it has one. An answer of 401 is not the
/// last word: the request is sent once more with a new token. Every status is an
/// answer and no failure. Redirects are not followed.
///
/// The token goes to the URL that is given: the client's setting `apis` limits which
/// that may be. `token_request_json` is as for `segl_client_assertion`.
///
/// Ownership: the inputs are borrowed. What `out` holds becomes the caller's; free it
/// with `segl_http_response_free`. What it held before is not freed.
/// NULL: `client`, `request` and `out` must not be NULL; `token_request_json` may be
/// NULL with length 0; `call` may be NULL.
/// Threads: any thread, any time, also with the same client, which may be freed
/// meanwhile. It blocks until the whole answer is there. Without a timeout that is as
/// `segl_client_token`, and the client's setting `timeout_ms` for each time that the
/// request is sent.
/// Failure: `SEGL_INVALID_ARGUMENT` or `SEGL_URL` for a request that cannot be sent,
/// `SEGL_API_NOT_ALLOWED` when `apis` does not have the URL; as `segl_client_token`;
/// `SEGL_NETWORK` and others when the API cannot be reached, `SEGL_RESPONSE_TOO_LARGE`.
/// `out` is zero-filled then but for `struct_size`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_send(
    client: *const segl_client,
    request: *const segl_http_request,
    token_request_json: *const c_char,
    token_request_json_len: usize,
    call: *const segl_call,
    out: *mut segl_http_response,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, request, token_request, call) = unsafe {
            (
                StructOut::new("out", out)?,
                read_http_request(request)?,
                read_request(token_request_json, token_request_json_len)?,
                read_call(call)?,
            )
        };
        let client = handle::get("client", client)?;
        let answer = request.send(&client, token_request.unwrap_or_default(), &call)?;
        out.set(filled(&answer, out.struct_size())?);
        Ok(())
    })
}

/// Checks that the client's setting `apis` lets its tokens be sent to a URL; without the
/// setting, every one is allowed. For a host that sends its own requests with the
/// client's tokens; `segl_client_send` does it by itself.
///
/// Ownership: the inputs are borrowed.
/// NULL: no argument may be NULL.
/// Threads: any thread, any time, also with the same client. It does not block.
/// Failure: `SEGL_API_NOT_ALLOWED` when the token must not go there, `SEGL_URL` for what
/// is not an https URL, or an http one on the loopback interface.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_require_allowed(
    client: *const segl_client,
    url: *const c_char,
    url_len: usize,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let url = unsafe { text("url", url, url_len)? };
        let client = handle::get("client", client)?;
        require_allowed(&url.parse()?, client.apis())
    })
}

/// Wipes and frees what an answer holds, and zero-fills it but for `struct_size`.
///
/// Ownership: ends the caller's ownership of what `response` holds; the struct itself
/// stays the caller's. Freeing the same struct twice is harmless.
/// NULL: `response` may be NULL or zero-filled; nothing happens then.
/// Threads: any thread, any time; one struct by one thread at a time.
/// Failure: it cannot fail; a struct with a `struct_size` that is too small is
/// ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_http_response_free(response: *mut segl_http_response) {
    guard_or((), || {
        // SAFETY: NULL, or a struct that is zero-filled or filled by segl; it is
        // emptied before what it held is released.
        unsafe {
            if let Ok(struct_size) = full_struct_size("response", response) {
                let old = ptr::replace(response, segl_http_response::empty(struct_size));
                old.headers_json.release();
                old.body.release();
            }
        }
    });
}

fn filled(answer: &Response, struct_size: usize) -> Result<segl_http_response> {
    let headers = headers_json(&answer.headers)?;
    Ok(segl_http_response {
        headers_json: segl_bytes::copy_of(&*headers),
        body: segl_bytes::copy_of(&*answer.body),
        status: answer.status.into(),
        ..segl_http_response::empty(struct_size)
    })
}

/// # Safety
/// As [`read_struct`], and its texts and bytes as [`text`].
unsafe fn read_http_request(request: *const segl_http_request) -> Result<ApiRequest> {
    // SAFETY: see the function's contract.
    let (method, url, headers, body) = unsafe {
        let given = read_struct("request", request)?;
        (
            text("request->method", given.method, given.method_len)?,
            text("request->url", given.url, given.url_len)?,
            optional_text(
                "request->headers_json",
                given.headers_json,
                given.headers_json_len,
            )?,
            optional_bytes("request->body", given.body, given.body_len)?,
        )
    };
    let mut read = ApiRequest::new(method, url)?;
    for (name, value) in pairs("request->headers_json", headers.unwrap_or("[]"))? {
        read = read.header(&name, &value)?;
    }
    read.body(body.unwrap_or_default().to_vec())
}

/// Headers as they cross the border: a JSON array of pairs of texts.
pub(super) fn headers_json<N: AsRef<str>>(
    headers: &[(N, HeaderValue)],
) -> Result<Zeroizing<Vec<u8>>> {
    let pairs = headers.iter();
    let pairs: Vec<(&str, &str)> = pairs
        .map(|(name, value)| (name.as_ref(), value.as_str()))
        .collect();
    json::to_wiped_text(&pairs).map_err(unwritable)
}

/// Reads headers that were written so.
pub(super) fn pairs(
    argument: &str,
    headers_json: &str,
) -> Result<Vec<(String, Zeroizing<String>)>> {
    // serde's own text would quote the values, which may be secrets.
    serde_json::from_str(headers_json).map_err(|source| {
        Error::new(
            ErrorCode::InvalidArgument,
            format!(
                "{argument} is no JSON array of pairs of texts (line {} column {}); \
                 give for example [[\"Content-Type\",\"text/plain\"]]",
                source.line(),
                source.column()
            ),
        )
    })
}
