//! Initialising and finalizing.

#![allow(non_snake_case)]

use std::ffi::c_void;

use cryptoki_sys::*;

use super::forward;
use crate::call::intercept;
use crate::function::Function;
use crate::real::call_real;
use crate::state::state;

pub(super) unsafe extern "C" fn C_Initialize(arguments: *mut c_void) -> CK_RV {
    intercept(Function::C_Initialize, |_| {
        // SAFETY: the caller gives NULL or arguments that outlive the call.
        let flags = unsafe { arguments.cast::<CK_C_INITIALIZE_ARGS>().as_ref() }
            .map_or(0, |arguments| arguments.flags);
        if state().settings.no_os_locking && flags & CKF_OS_LOCKING_OK != 0 {
            return CKR_CANT_LOCK;
        }
        let rv = call_real!(C_Initialize(arguments));
        if rv == CKR_OK {
            state().settings.disconnected = false;
        }
        rv
    })
}

pub(super) unsafe extern "C" fn C_Finalize(reserved: *mut c_void) -> CK_RV {
    intercept(Function::C_Finalize, |_| {
        let rv = call_real!(C_Finalize(reserved));
        if rv == CKR_OK {
            state().sessions.clear();
        }
        rv
    })
}

forward! {
    C_GetInfo(info: *mut CK_INFO);
    C_GenerateRandom(session: CK_SESSION_HANDLE, random: *mut CK_BYTE, len: CK_ULONG);
}
