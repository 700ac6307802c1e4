//! What bounds a call: `segl_call` and `segl_cancel`.

use std::time::Duration;

use super::error::segl_error;
use super::guard::{guard, guard_or};
use super::handle::{self, Handle};
use super::types::{CStruct, Out, read_struct};
use crate::call::{Call, CancelToken};
use crate::error::{Error, ErrorCode, Result};

/// A handle on something that ends calls early.
pub struct segl_cancel {
    _opaque: [u8; 0],
}

impl Handle for segl_cancel {
    type Target = CancelToken;
    const TYPE: &'static str = "segl_cancel";
}

/// The bounds of one call. Zero-fill it, set `struct_size`, then what is
/// needed. Where a function takes one, NULL means no bounds of its own.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct segl_call {
    /// `sizeof(segl_call)`.
    pub struct_size: usize,
    /// The time the whole call may take, in milliseconds; 0 leaves it to the
    /// defaults of segl. A PKCS#11 module that hangs is left behind then, unless
    /// the key's URI says `threads=caller`.
    pub timeout_ms: u32,
    /// 0, or `SEGL_CALL_RESPONSE_JSON` where a function says so.
    pub flags: u32,
    /// Ends the call early when it is triggered. May be NULL.
    pub cancel: *const segl_cancel,
}

// SAFETY: `repr(C)`, begins with a `usize`, integers and a pointer only.
unsafe impl CStruct for segl_call {
    const TYPE: &'static str = "segl_call";
}

/// In `segl_call.flags`: `segl_client_token` and `segl_client_token_if_newer` also
/// fill in `response_json`. Other functions refuse it.
pub const SEGL_CALL_RESPONSE_JSON: u32 = 1;

/// The bounds that a function was given.
///
/// # Safety
/// As [`read_struct`].
pub(super) unsafe fn read_call(call: *const segl_call) -> Result<Call> {
    // SAFETY: see the function's contract.
    unsafe { Bounds::read(call, 0)? }.call()
}

/// What a caller gave to bound a call. No clock is read before it is used.
pub(super) struct Bounds(Option<segl_call>);

impl Bounds {
    /// Reads `call`, which may be NULL, and refuses flags that are not `known`.
    ///
    /// # Safety
    /// As [`read_struct`].
    pub(super) unsafe fn read(call: *const segl_call, known: u32) -> Result<Self> {
        if call.is_null() {
            return Ok(Self(None));
        }
        // SAFETY: see the function's contract.
        let given = unsafe { read_struct("call", call)? };
        if given.flags & !known != 0 {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "call->flags is {:#x}; this function knows {known:#x}, leave the others out",
                    given.flags
                ),
            ));
        }
        Ok(Self(Some(given)))
    }

    pub(super) fn has(&self, flag: u32) -> bool {
        self.0.is_some_and(|given| given.flags & flag != 0)
    }

    /// The bounds from now on.
    pub(super) fn call(&self) -> Result<Call> {
        let Some(given) = self.0 else {
            return Ok(Call::none());
        };
        let call = match given.timeout_ms {
            0 => Call::none(),
            millis => Call::within(Duration::from_millis(millis.into())),
        };
        Ok(match handle::get_optional("call->cancel", given.cancel)? {
            Some(token) => call.with_cancel(CancelToken::clone(&token)),
            None => call,
        })
    }
}

/// Makes a cancel token. Calls that carry it end with `SEGL_CANCELLED` once it
/// is triggered.
///
/// Ownership: `out` becomes the caller's; free it with `segl_cancel_free`.
/// NULL: `out` must not be NULL.
/// Threads: any thread, any time.
/// Failure: only for a NULL argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_cancel_new(out: *mut *mut segl_cancel) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let out = unsafe { Out::new("out", out)? };
        out.set(handle::insert(CancelToken::new()));
        Ok(())
    })
}

/// Ends every call that carries the token, now and later. It cannot be undone;
/// triggering again does nothing.
///
/// Ownership: `cancel` is borrowed.
/// NULL: `cancel` may be NULL; nothing happens then.
/// Threads: any thread, any time; that is what it is for. It is not safe in a
/// signal handler.
/// Failure: it cannot fail; a handle that is not live is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_cancel_trigger(cancel: *const segl_cancel) {
    guard_or((), || {
        if let Ok(token) = handle::get("cancel", cancel) {
            token.trigger();
        }
    });
}

/// Frees a cancel token. Calls that carry it go on and can no longer be
/// cancelled.
///
/// Ownership: ends the caller's ownership. Freeing twice is harmless.
/// NULL: `cancel` may be NULL; nothing happens then.
/// Threads: any thread, any time, also while other threads use it.
/// Failure: it cannot fail; a handle that is not live is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_cancel_free(cancel: *mut segl_cancel) {
    guard_or((), || handle::free(cancel));
}
