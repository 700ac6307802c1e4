//! What all callbacks of the host share: how they fail and how they end.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::guard::guard_or;
use super::handle::{self, Handle};
use super::types::optional_bytes;
use crate::error::{Error, ErrorCode};

/// Where a callback says why it fails. Valid while the callback runs; setting
/// it later does nothing.
pub struct segl_fail {
    _opaque: [u8; 0],
}

impl Handle for segl_fail {
    type Target = Reason;
    const TYPE: &'static str = "segl_fail";
}

/// Says why a callback fails. The caller of segl gets an error with this code
/// and message; the last call counts. The message is passed on, into log records too:
/// it must hold no secret.
///
/// Ownership: `fail` and `message` are borrowed.
/// NULL: `fail` may be NULL, and nothing happens then; `message` may be NULL.
/// Threads: any thread, while the callback that got `fail` runs.
/// Failure: it cannot fail. A `code` that is no error number of segl becomes
/// `SEGL_CALLBACK_FAILED`, what is not UTF-8 in `message` is replaced, line ends and
/// other control characters become blanks, and a `fail` whose callback has returned
/// is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_fail_set(
    fail: *const segl_fail,
    code: i32,
    message: *const c_char,
    message_len: usize,
) {
    guard_or((), || {
        // SAFETY: the caller keeps to the conventions.
        let message = unsafe { optional_bytes("message", message.cast(), message_len) };
        if let Ok(reason) = handle::get("fail", fail) {
            reason.set(code, message.ok().flatten().unwrap_or_default());
        }
    });
}

/// Why the host's callback failed: the last that it said.
#[derive(Clone, Default)]
pub(super) struct Reason(Arc<ArcSwapOption<(i32, String)>>);

impl Reason {
    fn set(&self, code: i32, message: &[u8]) {
        let message = String::from_utf8_lossy(message).into_owned();
        self.0.store(Some(Arc::new((code, message))));
    }
}

/// A `segl_fail` for one run of a callback.
pub(super) struct Fail {
    handle: *mut segl_fail,
    reason: Reason,
}

impl Fail {
    pub(super) fn new() -> Self {
        let reason = Reason::default();
        Self {
            handle: handle::insert(reason.clone()),
            reason,
        }
    }

    pub(super) fn handle(&self) -> *const segl_fail {
        self.handle
    }

    /// The error for a callback that returned `status`, which is not 0.
    pub(super) fn into_error(self, callback: &str, status: i32) -> Error {
        let Some(reason) = self.reason.0.load_full() else {
            return Error::new(
                ErrorCode::CallbackFailed,
                format!(
                    "{callback} returned {status} and gave no reason; call segl_fail_set first"
                ),
            );
        };
        let (number, message) = &*reason;
        let code = ErrorCode::from_number(*number).unwrap_or(ErrorCode::CallbackFailed);
        if message.is_empty() {
            return Error::new(
                code,
                format!("{callback} failed with code {number} and no message"),
            );
        }
        Error::new(code, message.as_str())
    }
}

impl Drop for Fail {
    fn drop(&mut self) {
        handle::free(self.handle);
    }
}

/// The host's `ctx`, destroyed when it is dropped.
pub(super) struct Context {
    ctx: *mut c_void,
    destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: the conventions let callbacks and `destroy` run on any thread.
unsafe impl Send for Context {}
// SAFETY: the conventions let callbacks run on several threads at a time.
unsafe impl Sync for Context {}

impl Context {
    pub(super) fn new(
        ctx: *mut c_void,
        destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
    ) -> Self {
        Self { ctx, destroy }
    }

    pub(super) fn as_ptr(&self) -> *mut c_void {
        self.ctx
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: the two belong together, and nobody uses `ctx` any more.
            unsafe { destroy(self.ctx) }
        }
    }
}
