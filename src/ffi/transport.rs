//! An HTTP transport that the host implements.

use std::ffi::{c_char, c_void};
use std::fmt;
use std::mem;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::callback::{Context, Fail, segl_fail};
use super::error::segl_error;
use super::guard::{guard, guard_or};
use super::handle::{self, Handle};
use super::http::{headers_json, pairs, segl_http_request};
use super::types::{CStruct, Out, null, optional_bytes, optional_text, read_struct};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Request, Response, Transport, TransportSettings};

/// A handle on an HTTP transport that the host implements.
pub struct segl_transport {
    _opaque: [u8; 0],
}

impl Handle for segl_transport {
    type Target = SharedTransport;
    const TYPE: &'static str = "segl_transport";
}

/// The transport of a handle; the clients made with it share it.
pub(super) struct SharedTransport(pub(super) Arc<dyn Transport>);

/// Where a host's transport puts the answer. Valid while its `send` runs; setting it
/// later does nothing.
pub struct segl_reply {
    _opaque: [u8; 0],
}

impl Handle for segl_reply {
    type Target = Reply;
    const TYPE: &'static str = "segl_reply";
}

/// An HTTP transport that the host implements: its own HTTP client, with the proxy, the
/// certificates and the tracing that it has. Zero-fill it, then set `struct_size` and
/// the rest. It is copied.
///
/// It sends requests for tokens and for the server's metadata, and those of
/// `segl_client_send`; not those of `awskms:` keys and of `shared_cache`, which have
/// connections of their own.
///
/// The functions are called on the threads that call segl, and for tokens on threads
/// that segl starts, on several at a time. They return normally: no exception and no
/// longjmp leaves them. They may call segl, but `send` must not wait for a token of a
/// client that it sends for: that token may wait for this very answer, and the wait
/// ends by its deadline only.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct segl_transport_vtable {
    /// `sizeof(segl_transport_vtable)`.
    pub struct_size: usize,
    /// Handed to the functions. May be NULL.
    pub ctx: *mut c_void,
    /// Sends `request`, follows no redirect, and waits for the whole answer for at most
    /// `timeout_ms` milliseconds, which is never 0. It puts the answer, whatever its
    /// status, in `reply` with `segl_reply_set` and returns 0. Anything else is a
    /// failure, and `segl_fail_set` says why; with `SEGL_NETWORK` or `SEGL_TIMEOUT` the
    /// request is tried again where that is safe. The request may hold secrets in its
    /// headers and its body; the pointers are valid until it returns. Must not be NULL.
    ///
    /// Nothing interrupts it: a `segl_client_send` that is cancelled, or whose time is up,
    /// ends when it returns. Who waits for a token waits no longer than the call says.
    pub send: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            request: *const segl_http_request,
            timeout_ms: u32,
            reply: *const segl_reply,
            fail: *const segl_fail,
        ) -> i32,
    >,
    /// Releases `ctx`. Called exactly once, when the last user of the transport is
    /// done, on that user's thread; never when the transport could not be made. May be
    /// NULL.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: `repr(C)`, begins with a `usize`, pointers that may be NULL only.
unsafe impl CStruct for segl_transport_vtable {
    const TYPE: &'static str = "segl_transport_vtable";
}

/// Makes a transport of functions of the host, for `segl_client_params.transport`.
///
/// Ownership: `vtable` is copied; on success `ctx` is segl's until `destroy` is called.
/// `out` becomes the caller's; free it with `segl_transport_free`.
/// NULL: no argument may be NULL.
/// Threads: any thread, any time.
/// Failure: only for a NULL argument or a struct that cannot be read; `out` is NULL
/// then, and `destroy` is not called.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_transport_from_vtable(
    vtable: *const segl_transport_vtable,
    out: *mut *mut segl_transport,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, vtable) = unsafe { (Out::new("out", out)?, read_struct("vtable", vtable)?) };
        let transport = Arc::new(VtableTransport::new(&vtable)?);
        out.set(handle::insert(SharedTransport(transport)));
        Ok(())
    })
}

/// Answers a request that segl gave to the host's transport; the last call counts.
/// `headers_json` is a JSON array of pairs, such as [["Content-Type","text/plain"]], in
/// their order and with names in any case.
///
/// Ownership: the inputs are borrowed, and copied.
/// NULL: `reply` may be NULL, and nothing happens then; `headers_json` may be NULL with
/// length 0, which is no headers, and `body` with length 0.
/// Threads: any thread, while the `send` that got `reply` runs.
/// Failure: it cannot fail. With a `status` outside 100 to 999, or headers that cannot
/// be read, the request fails with `SEGL_CALLBACK_FAILED`, and a `reply` whose `send`
/// has returned is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_reply_set(
    reply: *const segl_reply,
    status: i32,
    headers_json: *const c_char,
    headers_json_len: usize,
    body: *const u8,
    body_len: usize,
) {
    guard_or((), || {
        let Ok(reply) = handle::get("reply", reply) else {
            return;
        };
        // SAFETY: the caller keeps to the conventions.
        let answer = unsafe {
            optional_text("headers_json", headers_json, headers_json_len).and_then(|headers| {
                let body = optional_bytes("body", body, body_len)?;
                response(status, headers.unwrap_or("[]"), body.unwrap_or_default())
            })
        };
        reply.set(answer);
    });
}

/// Frees a transport. Clients that were made with it keep it.
///
/// Ownership: ends the caller's ownership. Freeing twice is harmless.
/// NULL: `transport` may be NULL; nothing happens then.
/// Threads: any thread, any time, also while clients send with it.
/// Failure: it cannot fail; a handle that is not live is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_transport_free(transport: *mut segl_transport) {
    guard_or((), || handle::free(transport));
}

/// What the host answered last, or why that is no answer.
#[derive(Clone, Default)]
pub(super) struct Reply(Arc<ArcSwapOption<std::result::Result<Response, String>>>);

impl Reply {
    fn set(&self, answer: Result<Response>) {
        let answer = answer.map_err(|error| error.message().to_owned());
        self.0.store(Some(Arc::new(answer)));
    }

    fn take(&self, callback: &str) -> Result<Response> {
        let problem = match self.0.swap(None).as_deref() {
            Some(Ok(answer)) => return Ok(answer.clone()),
            Some(Err(problem)) => {
                format!("{callback} gave an answer that cannot be used: {problem}")
            }
            None => format!("{callback} returned 0 and gave no answer; call segl_reply_set first"),
        };
        Err(Error::new(ErrorCode::CallbackFailed, problem))
    }
}

const CALLBACK: &str = "the host's send callback";

type SendFn = unsafe extern "C" fn(
    *mut c_void,
    *const segl_http_request,
    u32,
    *const segl_reply,
    *const segl_fail,
) -> i32;

struct VtableTransport {
    context: Context,
    send: SendFn,
}

impl VtableTransport {
    fn new(vtable: &segl_transport_vtable) -> Result<Self> {
        let send = vtable.send.ok_or_else(|| null("vtable->send"))?;
        Ok(Self {
            context: Context::new(vtable.ctx, vtable.destroy),
            send,
        })
    }
}

impl Transport for VtableTransport {
    fn send(&self, request: &Request, call: &Call) -> Result<Response> {
        let what = request.named();
        let timeout = call.remaining(TransportSettings::default().timeout, &what)?;
        let timeout = u32::try_from(timeout.as_millis().max(1)).unwrap_or(u32::MAX);
        let headers = headers_json(&request.headers)?;
        let (method, url) = (request.method.name(), request.url.as_str());
        let given = segl_http_request {
            struct_size: size_of::<segl_http_request>(),
            method: method.as_ptr().cast(),
            method_len: method.len(),
            url: url.as_ptr().cast(),
            url_len: url.len(),
            headers_json: headers.as_ptr().cast(),
            headers_json_len: headers.len(),
            body: request.body.as_ptr(),
            body_len: request.body.len(),
        };
        let (reply, fail) = (ReplyHandle::new(), Fail::new());
        // SAFETY: the host keeps to the conventions; all pointers are valid until it
        // returns, with the lengths beside them.
        let status = unsafe {
            (self.send)(
                self.context.as_ptr(),
                &raw const given,
                timeout,
                reply.handle,
                fail.handle(),
            )
        };
        if status != 0 {
            let error = fail.into_error(CALLBACK, status);
            let passes = matches!(error.code(), ErrorCode::Network | ErrorCode::Timeout);
            return Err(error.with_retryable(passes).in_context(what));
        }
        reply
            .target
            .take(CALLBACK)
            .map_err(|error| error.in_context(what))
    }
}

impl fmt::Debug for VtableTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VtableTransport")
    }
}

/// A `segl_reply` for one run of `send`.
struct ReplyHandle {
    handle: *mut segl_reply,
    target: Reply,
}

impl ReplyHandle {
    fn new() -> Self {
        let target = Reply::default();
        Self {
            handle: handle::insert(target.clone()),
            target,
        }
    }
}

impl Drop for ReplyHandle {
    fn drop(&mut self) {
        handle::free(self.handle);
    }
}

fn response(status: i32, headers_json: &str, body: &[u8]) -> Result<Response> {
    let status = u16::try_from(status)
        .ok()
        .filter(|status| (100..1000).contains(status))
        .ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidArgument,
                format!("{status} is no HTTP status"),
            )
        })?;
    let headers = pairs("headers_json", headers_json)?
        .into_iter()
        .map(|(name, mut value)| (name.to_ascii_lowercase(), mem::take(&mut *value)))
        .collect();
    Ok(Response::new(status, headers, body.to_vec()))
}
