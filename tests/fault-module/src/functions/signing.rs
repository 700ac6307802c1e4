//! Signatures.

#![allow(non_snake_case)]

use cryptoki_sys::*;

use super::forward;
use crate::call::intercept;
use crate::ecdsa;
use crate::function::Function;
use crate::others;
use crate::real::call_real;
use crate::rule::Effect;
use crate::state::state;

pub(super) unsafe extern "C" fn C_SignInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    intercept(Function::C_SignInit, |effect| {
        // SAFETY: the caller gives a mechanism.
        let kind = unsafe { mechanism.as_ref() }.map_or(0, |mechanism| mechanism.mechanism);
        if state().settings.hides_mechanism(kind) {
            return CKR_MECHANISM_INVALID;
        }
        if state().settings.broken_mechanism.contains(&kind) {
            return CKR_GENERAL_ERROR;
        }
        let key = if effect.swap_keys {
            others::another_key(session, key)
        } else {
            key
        };
        let rv = call_real!(C_SignInit(session, mechanism, key));
        if let (CKR_OK, Some(open)) = (rv, state().sessions.get_mut(&session)) {
            open.mechanism = kind;
        }
        rv
    })
}

pub(super) unsafe extern "C" fn C_Sign(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    data_len: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_len: *mut CK_ULONG,
) -> CK_RV {
    intercept(Function::C_Sign, |effect| {
        if !effect.flip && !effect.der || signature.is_null() {
            return call_real!(C_Sign(session, data, data_len, signature, signature_len));
        }
        let mut buffer = [0; 2048];
        let mut len = buffer.len() as CK_ULONG;
        let rv = call_real!(C_Sign(
            session,
            data,
            data_len,
            buffer.as_mut_ptr(),
            &mut len
        ));
        if rv != CKR_OK {
            return rv;
        }
        let altered = altered(&buffer[..len as usize], effect, is_ecdsa(session));
        // SAFETY: the caller answers for `signature` and its length.
        unsafe {
            let room = signature_len.replace(altered.len() as CK_ULONG) as usize;
            if room < altered.len() {
                return CKR_BUFFER_TOO_SMALL;
            }
            signature.copy_from_nonoverlapping(altered.as_ptr(), altered.len());
        }
        CKR_OK
    })
}

fn altered(signature: &[u8], effect: &Effect, is_ecdsa: bool) -> Vec<u8> {
    let mut altered = signature.to_vec();
    if effect.flip
        && let Some(byte) = altered.get_mut(signature.len() / 3)
    {
        *byte ^= 1;
    }
    if effect.der && is_ecdsa {
        return ecdsa::to_der(&altered);
    }
    altered
}

fn is_ecdsa(session: CK_SESSION_HANDLE) -> bool {
    let state = state();
    let kind = state.sessions.get(&session).map(|open| open.mechanism);
    matches!(
        kind,
        Some(
            CKM_ECDSA
                | CKM_ECDSA_SHA1
                | CKM_ECDSA_SHA224
                | CKM_ECDSA_SHA256
                | CKM_ECDSA_SHA384
                | CKM_ECDSA_SHA512
        )
    )
}

forward! {
    C_SignUpdate(session: CK_SESSION_HANDLE, data: *mut CK_BYTE, len: CK_ULONG);
    C_SignFinal(
        session: CK_SESSION_HANDLE,
        signature: *mut CK_BYTE,
        signature_len: *mut CK_ULONG
    );
}
