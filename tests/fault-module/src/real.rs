//! The module behind this one.

use std::path::Path;
use std::ptr;
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use cryptoki_sys::*;

/// The path of the real module.
const VARIABLE: &str = "SEGL_FAULT_MODULE";

static LIST: OnceLock<Option<CK_FUNCTION_LIST>> = OnceLock::new();

/// Shared by the calls of the real module, and held alone while other code of the
/// process takes their sessions away: SoftHSM 2.6.1 crashes when a session is
/// closed, or the module finalized, under a call that is inside.
static INSIDE: RwLock<()> = RwLock::new(());

/// Held during one call of the real module.
pub(crate) fn inside() -> RwLockReadGuard<'static, ()> {
    INSIDE.read().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until no other call is inside, and lets none in while the result lives.
pub(crate) fn alone() -> RwLockWriteGuard<'static, ()> {
    INSIDE.write().unwrap_or_else(PoisonError::into_inner)
}

/// The real module's functions, loaded at the first call. `None` when that
/// failed; the reason is on standard error.
pub(crate) fn list() -> Option<&'static CK_FUNCTION_LIST> {
    let load = || {
        load()
            .inspect_err(|why| eprintln!("segl-fault-module: {why}"))
            .ok()
    };
    LIST.get_or_init(load).as_ref()
}

fn load() -> Result<CK_FUNCTION_LIST, String> {
    let path = std::env::var_os(VARIABLE).ok_or_else(|| format!("{VARIABLE} is not set"))?;
    let shown = Path::new(&path).display();
    // SAFETY: runs the initialisers of the library that the test chose.
    let library = unsafe { libloading::Library::new(&path) }.map_err(|why| format!("{why}"))?;
    // SAFETY: PKCS#11 gives the symbol this type.
    let symbol = unsafe {
        library.get::<unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV>(
            b"C_GetFunctionList\0",
        )
    };
    let get_function_list = *symbol.map_err(|why| format!("{shown}: {why}"))?;
    // Never unloaded, as its functions are in a table that others keep.
    std::mem::forget(library);
    let mut list = ptr::null_mut();
    // SAFETY: the library stays loaded, and `list` outlives the call.
    let rv = unsafe { get_function_list(&mut list) };
    if rv != CKR_OK || list.is_null() {
        return Err(format!("{shown}: C_GetFunctionList returned 0x{rv:x}"));
    }
    // SAFETY: the module gave the table, and it is not null.
    Ok(unsafe { *list })
}

/// Calls a function of the real module: `call_real!(C_CloseSession(session))`.
/// What it points to must be as the standard says.
macro_rules! call_real {
    ($name:ident($($argument:expr),*)) => {
        match $crate::real::list().and_then(|list| list.$name) {
            // SAFETY: the arguments are those of this module's caller, who answers for
            // them, or point to locals that outlive the call.
            Some(function) => unsafe { function($($argument),*) },
            None => cryptoki_sys::CKR_FUNCTION_NOT_SUPPORTED,
        }
    };
}
pub(crate) use call_real;
