//! The C ABI: `include/segl.h`, whose opening comment is the contract.
//!
//! This layer translates and does nothing else. Every exported function is a
//! `guard` around: read the arguments, call one function of the crate, set
//! the result. A function's first act is to make its `types::Out`, which
//! zeroes the caller's place.
//!
//! No lock lives here, so a child process made by `fork` inherits none that is
//! held.

#![allow(unsafe_code)]
#![allow(non_camel_case_types)]
// What a caller must keep to is said once, in the header's opening comment.
#![allow(clippy::missing_safety_doc)]

mod api;
mod call;
mod callback;
mod client;
mod client_token;
mod dpop;
mod error;
mod guard;
mod handle;
mod http;
mod jws;
mod log;
mod settings;
mod signer;
mod table;
#[cfg(feature = "test-hooks")]
mod test_hooks;
mod token;
mod transport;
mod types;
mod validator;
mod vtable;

use std::ffi::c_char;

use error::segl_error;
use guard::guard;

use crate::call::Call;
use crate::keys;

/// The version of this header: major << 16 | minor. Within a major there are
/// only additions, each with a new minor.
pub const SEGL_ABI_VERSION: u32 = (1 << 16) | 2;

/// The ABI version of the loaded library, as `SEGL_ABI_VERSION`. A program
/// needs the same major and at least its own minor.
///
/// Ownership: nothing is passed.
/// NULL: there is nothing that could be NULL.
/// Threads: any thread, any time.
/// Failure: it cannot fail.
#[unsafe(no_mangle)]
pub extern "C" fn segl_abi_version() -> u32 {
    SEGL_ABI_VERSION
}

/// The version of the loaded library, for example "1.2.3".
///
/// Ownership: the text is static, NUL-terminated, and not freed.
/// NULL: the answer is never NULL.
/// Threads: any thread, any time.
/// Failure: it cannot fail.
#[unsafe(no_mangle)]
pub extern "C" fn segl_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Frees every handle, ends logging, closes the sessions with tokens, and
/// finalizes the PKCS#11 modules that segl initialised. Optional; segl does
/// nothing by itself when a program ends. What is called after it has succeeded
/// starts anew. A program with keys on tokens calls it before it ends: a module that
/// cleans up at exit while a thread of segl still closes its sessions may crash.
///
/// Another user of such a module in this process (Java's SunPKCS11, for example)
/// finds it finalized. A module that was initialised before segl came to it stays
/// initialised: only segl's own sessions end.
///
/// Ownership: ends the caller's ownership of all handles. Errors, bytes and
/// tokens stay the caller's.
/// NULL: there is nothing that could be NULL.
/// Threads: any thread; calls that run on other threads finish with what they
/// have, or fail.
/// Failure: `SEGL_TIMEOUT` when calls into a module do not end within 5 seconds,
/// or what a module says to `C_Finalize`; call it again then, for keys of that
/// module cannot be opened until it has succeeded.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn segl_shutdown() -> *mut segl_error {
    guard(|| {
        handle::free_all();
        let ended = keys::pkcs11::shutdown(&Call::none());
        crate::log::set_sink(None, crate::log::Level::Error);
        ended
    })
}
