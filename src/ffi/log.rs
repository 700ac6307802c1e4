//! Log records to the host.

use std::cell::Cell;
use std::ffi::{c_char, c_void};

use super::SEGL_ABI_VERSION;
use super::callback::Context;
use super::error::segl_error;
use super::guard::guard;
use super::types::{CStruct, null, read_struct};
use crate::error::{Error, ErrorCode, Result};
use crate::log::{Level, Sink, emit, set_sink};

/// A fault in segl itself.
pub const SEGL_LOG_ERROR: i32 = 1;
/// Something will fail, or was retried.
pub const SEGL_LOG_WARN: i32 = 2;
/// A session was opened, a token fetched.
pub const SEGL_LOG_INFO: i32 = 3;
/// Timings and decisions.
pub const SEGL_LOG_DEBUG: i32 = 4;

/// Receives log records. Zero-fill it, then set `struct_size` and the rest. It
/// is copied.
///
/// Records hold no PIN, passphrase, token, assertion, private key or personal
/// identifier.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct segl_log_sink {
    /// `sizeof(segl_log_sink)`.
    pub struct_size: usize,
    /// Handed to the functions. May be NULL.
    pub ctx: *mut c_void,
    /// Takes one record of a `SEGL_LOG_` level. `target` is the layer that it
    /// comes from, for example "pkcs11". Called on the thread of the call that
    /// the record is about, or on one of segl's own, on several at a time. It
    /// returns normally: no exception and no longjmp leaves it. It may call
    /// segl; records made by such calls are dropped. Must not be NULL.
    pub log: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            level: i32,
            target: *const c_char,
            target_len: usize,
            message: *const c_char,
            message_len: usize,
        ),
    >,
    /// Releases `ctx`. Called exactly once, when the sink was replaced and the
    /// last thread has left it; never when the sink could not be set. May be
    /// NULL.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: `repr(C)`, begins with a `usize`, pointers that may be NULL only.
unsafe impl CStruct for segl_log_sink {
    const TYPE: &'static str = "segl_log_sink";
}

/// Sends log records up to `max_level`, one of the `SEGL_LOG_` levels, to
/// `sink`, in the place of the sink before. The new sink gets one record at
/// `SEGL_LOG_INFO` that names the library's version.
///
/// Ownership: `sink` is copied; on success `ctx` is segl's until `destroy` is
/// called.
/// NULL: `sink` may be NULL, which ends logging; `max_level` does not matter
/// then.
/// Threads: any thread, any time. The sink before may still be called by
/// threads that are inside it.
/// Failure: `SEGL_INVALID_ARGUMENT` for an unknown level, and for a NULL `log`
/// `SEGL_NULL_ARGUMENT`; logging goes on as before then, and `destroy` is not
/// called.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_log_set(
    sink: *const segl_log_sink,
    max_level: i32,
) -> *mut segl_error {
    guard(|| {
        if sink.is_null() {
            set_sink(None, Level::Error);
            return Ok(());
        }
        let level = level(max_level)?;
        // SAFETY: the caller keeps to the conventions.
        let sink = VtableSink::new(&unsafe { read_struct("sink", sink)? })?;
        set_sink(Some(Box::new(sink)), level);
        let (major, minor) = (SEGL_ABI_VERSION >> 16, SEGL_ABI_VERSION & 0xffff);
        let version = env!("CARGO_PKG_VERSION");
        emit(
            Level::Info,
            "ffi",
            format_args!("segl {version}, ABI {major}.{minor}, logs here"),
        );
        Ok(())
    })
}

fn level(number: i32) -> Result<Level> {
    match number {
        SEGL_LOG_ERROR => Ok(Level::Error),
        SEGL_LOG_WARN => Ok(Level::Warn),
        SEGL_LOG_INFO => Ok(Level::Info),
        SEGL_LOG_DEBUG => Ok(Level::Debug),
        _ => Err(Error::new(
            ErrorCode::InvalidArgument,
            format!("max_level is {number}; use SEGL_LOG_ERROR (1) to SEGL_LOG_DEBUG (4)"),
        )),
    }
}

type LogFn = unsafe extern "C" fn(*mut c_void, i32, *const c_char, usize, *const c_char, usize);

struct VtableSink {
    context: Context,
    log: LogFn,
}

impl VtableSink {
    fn new(sink: &segl_log_sink) -> Result<Self> {
        let log = sink.log.ok_or_else(|| null("sink->log"))?;
        Ok(Self {
            context: Context::new(sink.ctx, sink.destroy),
            log,
        })
    }
}

thread_local! {
    /// True while this thread is inside the host's sink, which would otherwise
    /// recurse without end when it calls segl.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

impl Sink for VtableSink {
    fn log(&self, level: Level, target: &'static str, message: &str) {
        if INSIDE.replace(true) {
            return;
        }
        // SAFETY: the host keeps to the conventions; the texts are valid until
        // it returns, with the lengths beside them.
        unsafe {
            (self.log)(
                self.context.as_ptr(),
                level as i32,
                target.as_ptr().cast(),
                target.len(),
                message.as_ptr().cast(),
                message.len(),
            );
        }
        INSIDE.set(false);
    }
}
