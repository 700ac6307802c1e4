//! Sessions and the login.

#![allow(non_snake_case)]

use std::ffi::c_void;

use cryptoki_sys::*;

use super::forward;
use crate::call::intercept;
use crate::function::Function;
use crate::real::call_real;
use crate::state::{Open, State, state};

pub(super) unsafe extern "C" fn C_OpenSession(
    slot: CK_SLOT_ID,
    flags: CK_FLAGS,
    application: *mut c_void,
    notify: CK_NOTIFY,
    session: *mut CK_SESSION_HANDLE,
) -> CK_RV {
    intercept(Function::C_OpenSession, |_| {
        let slot = match reserve(&mut state(), slot) {
            Ok(slot) => slot,
            Err(rv) => return rv,
        };
        let rv = call_real!(C_OpenSession(slot, flags, application, notify, session));
        let mut state = state();
        state.opening -= 1;
        if rv == CKR_OK {
            let open = Open { slot, mechanism: 0 };
            // SAFETY: the real module has just written to it.
            state.sessions.insert(unsafe { *session }, open);
            if !state.slots.contains(&slot) {
                state.slots.push(slot);
            }
        }
        rv
    })
}

/// Room for one more session, and the real slot for it.
fn reserve(state: &mut State, slot: CK_SLOT_ID) -> Result<CK_SLOT_ID, CK_RV> {
    let slot = state.settings.real_slot(slot)?;
    let max = state.settings.max_sessions.unwrap_or(usize::MAX);
    if state.sessions.len() + state.opening >= max {
        return Err(CKR_SESSION_COUNT);
    }
    state.opening += 1;
    Ok(slot)
}

pub(super) unsafe extern "C" fn C_CloseSession(session: CK_SESSION_HANDLE) -> CK_RV {
    intercept(Function::C_CloseSession, |_| {
        let rv = call_real!(C_CloseSession(session));
        if matches!(rv, CKR_OK | CKR_SESSION_HANDLE_INVALID) {
            state().sessions.remove(&session);
        }
        rv
    })
}

pub(super) unsafe extern "C" fn C_CloseAllSessions(slot: CK_SLOT_ID) -> CK_RV {
    intercept(Function::C_CloseAllSessions, |_| {
        let slot = match state().settings.real_slot(slot) {
            Ok(slot) => slot,
            Err(rv) => return rv,
        };
        let rv = call_real!(C_CloseAllSessions(slot));
        if rv == CKR_OK {
            state().sessions.retain(|_, open| open.slot != slot);
        }
        rv
    })
}

pub(super) unsafe extern "C" fn C_Login(
    session: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin: *mut CK_BYTE,
    len: CK_ULONG,
) -> CK_RV {
    intercept(Function::C_Login, |_| {
        if state().settings.has_locked_pin() {
            return CKR_PIN_LOCKED;
        }
        let rv = call_real!(C_Login(session, user, pin, len));
        match rv {
            CKR_PIN_INCORRECT => state().settings.pin_misses += 1,
            CKR_OK => state().settings.pin_misses = 0,
            _ => {}
        }
        rv
    })
}

forward! {
    C_GetSessionInfo(session: CK_SESSION_HANDLE, info: *mut CK_SESSION_INFO);
    C_Logout(session: CK_SESSION_HANDLE);
}
