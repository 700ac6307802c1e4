//! What other code of the process, or another key, does with the real module.

use std::ptr;

use cryptoki_sys::*;

use crate::real::call_real;
use crate::state::state;

/// Closes every session with the tokens that this library has had sessions with.
pub(crate) fn close_all() -> CK_RV {
    each_slot(|slot| {
        let rv = call_real!(C_CloseAllSessions(slot));
        if rv == CKR_OK {
            state().sessions.retain(|_, open| open.slot != slot);
        }
        rv
    })
}

/// Logs out of those tokens, on a session of its own.
pub(crate) fn logout() -> CK_RV {
    each_slot(|slot| {
        let mut session = 0;
        let flags = CKF_SERIAL_SESSION;
        let opened = call_real!(C_OpenSession(
            slot,
            flags,
            ptr::null_mut(),
            None,
            &mut session
        ));
        if opened != CKR_OK {
            return opened;
        }
        let rv = call_real!(C_Logout(session));
        let closed = call_real!(C_CloseSession(session));
        if rv == CKR_OK { closed } else { rv }
    })
}

/// `C_Finalize`, for the whole process.
pub(crate) fn finalize() -> CK_RV {
    let rv = call_real!(C_Finalize(ptr::null_mut()));
    if rv == CKR_OK {
        state().sessions.clear();
    }
    rv
}

/// `C_Finalize`, then `C_Initialize` with the operating system's locks.
pub(crate) fn refinalize() -> CK_RV {
    match finalize() {
        CKR_OK => initialize(),
        rv => rv,
    }
}

/// `C_Initialize` with the operating system's locks.
pub(crate) fn initialize() -> CK_RV {
    let mut arguments = CK_C_INITIALIZE_ARGS {
        CreateMutex: None,
        DestroyMutex: None,
        LockMutex: None,
        UnlockMutex: None,
        flags: CKF_OS_LOCKING_OK,
        pReserved: ptr::null_mut(),
    };
    call_real!(C_Initialize((&raw mut arguments).cast()))
}

/// Another private key than `key`, of the same type if there is one. `key` if
/// there is no other.
pub(crate) fn another_key(session: CK_SESSION_HANDLE, key: CK_OBJECT_HANDLE) -> CK_OBJECT_HANDLE {
    let mut class = CKO_PRIVATE_KEY;
    let mut template = CK_ATTRIBUTE {
        type_: CKA_CLASS,
        pValue: (&raw mut class).cast(),
        ulValueLen: size_of::<CK_OBJECT_CLASS>() as CK_ULONG,
    };
    let mut keys = [0; 64];
    let mut count = 0;
    if call_real!(C_FindObjectsInit(session, &mut template, 1)) != CKR_OK {
        return key;
    }
    let found = call_real!(C_FindObjects(session, keys.as_mut_ptr(), 64, &mut count));
    let ended = call_real!(C_FindObjectsFinal(session));
    if found != CKR_OK || ended != CKR_OK {
        return key;
    }
    let kind = number(session, key, CKA_KEY_TYPE);
    let mut others: Vec<_> = keys[..count as usize].to_vec();
    others.retain(|other| *other != key);
    others.sort_by_key(|other| number(session, *other, CKA_KEY_TYPE) != kind);
    others.first().copied().unwrap_or(key)
}

/// An attribute that is one number.
pub(crate) fn number(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    kind: CK_ATTRIBUTE_TYPE,
) -> Option<CK_ULONG> {
    let mut value: CK_ULONG = 0;
    let mut attribute = CK_ATTRIBUTE {
        type_: kind,
        pValue: (&raw mut value).cast(),
        ulValueLen: size_of::<CK_ULONG>() as CK_ULONG,
    };
    let rv = call_real!(C_GetAttributeValue(session, object, &mut attribute, 1));
    (rv == CKR_OK).then_some(value)
}

fn each_slot(work: impl Fn(CK_SLOT_ID) -> CK_RV) -> CK_RV {
    let slots = state().slots.clone();
    let values = slots.into_iter().map(work);
    values
        .reduce(|all, rv| if all == CKR_OK { rv } else { all })
        .unwrap_or(CKR_OK)
}
