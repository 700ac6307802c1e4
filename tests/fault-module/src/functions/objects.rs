//! Objects: searches, attributes, new ones.

#![allow(non_snake_case)]

use std::ptr;

use cryptoki_sys::*;

use super::forward;
use crate::call::intercept;
use crate::ecdsa;
use crate::function::Function;
use crate::others;
use crate::real::call_real;
use crate::state::state;

pub(super) unsafe extern "C" fn C_FindObjects(
    session: CK_SESSION_HANDLE,
    objects: *mut CK_OBJECT_HANDLE,
    max: CK_ULONG,
    count: *mut CK_ULONG,
) -> CK_RV {
    intercept(Function::C_FindObjects, |_| {
        let (short, hide) = {
            let settings = &state().settings;
            (settings.short_find, settings.no_public_key)
        };
        let max = if short { max.min(1) } else { max };
        loop {
            let rv = call_real!(C_FindObjects(session, objects, max, count));
            if rv != CKR_OK || !hide {
                return rv;
            }
            // SAFETY: the real module has written `*count` handles to `objects`.
            let found = unsafe { std::slice::from_raw_parts_mut(objects, *count as usize) };
            if found.is_empty() {
                return rv;
            }
            let kept: Vec<_> = found
                .iter()
                .copied()
                .filter(|object| {
                    others::number(session, *object, CKA_CLASS) != Some(CKO_PUBLIC_KEY)
                })
                .collect();
            // An empty batch would be the end of the search.
            if !kept.is_empty() {
                found[..kept.len()].copy_from_slice(&kept);
                // SAFETY: the caller answers for `count`.
                unsafe { *count = kept.len() as CK_ULONG };
                return rv;
            }
        }
    })
}

pub(super) unsafe extern "C" fn C_GetAttributeValue(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    intercept(Function::C_GetAttributeValue, |_| {
        let (bare, hidden) = {
            let settings = &state().settings;
            (settings.raw_ec_point, settings.no_attribute.clone())
        };
        if !bare && hidden.is_empty() || template.is_null() {
            return call_real!(C_GetAttributeValue(session, object, template, count));
        }
        // SAFETY: the caller gives `count` attributes.
        let attributes = unsafe { std::slice::from_raw_parts_mut(template, count as usize) };
        let mut all = CKR_OK;
        for attribute in attributes {
            let rv = match attribute.type_ {
                kind if hidden.contains(&kind) => {
                    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
                    CKR_ATTRIBUTE_TYPE_INVALID
                }
                CKA_EC_POINT if bare => bare_point(session, object, attribute),
                _ => call_real!(C_GetAttributeValue(session, object, attribute, 1)),
            };
            if all == CKR_OK {
                all = rv;
            }
        }
        all
    })
}

/// `CKA_EC_POINT` without its OCTET STRING.
fn bare_point(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    attribute: &mut CK_ATTRIBUTE,
) -> CK_RV {
    let mut value = [0_u8; 256];
    let mut whole = CK_ATTRIBUTE {
        type_: CKA_EC_POINT,
        pValue: value.as_mut_ptr().cast(),
        ulValueLen: value.len() as CK_ULONG,
    };
    let rv = call_real!(C_GetAttributeValue(session, object, &mut whole, 1));
    if rv != CKR_OK {
        attribute.ulValueLen = whole.ulValueLen;
        return rv;
    }
    let bare = ecdsa::bare_point(&value[..whole.ulValueLen as usize]);
    let room = attribute.ulValueLen as usize;
    attribute.ulValueLen = bare.len() as CK_ULONG;
    if attribute.pValue.is_null() {
        return CKR_OK;
    }
    if room < bare.len() {
        attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_BUFFER_TOO_SMALL;
    }
    // SAFETY: the caller's buffer has room for `room` bytes, and is none of ours.
    unsafe { ptr::copy_nonoverlapping(bare.as_ptr(), attribute.pValue.cast(), bare.len()) };
    CKR_OK
}

forward! {
    C_CreateObject(
        session: CK_SESSION_HANDLE,
        template: *mut CK_ATTRIBUTE,
        count: CK_ULONG,
        object: *mut CK_OBJECT_HANDLE
    );
    C_DestroyObject(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE);
    C_SetAttributeValue(
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
        template: *mut CK_ATTRIBUTE,
        count: CK_ULONG
    );
    C_FindObjectsInit(session: CK_SESSION_HANDLE, template: *mut CK_ATTRIBUTE, count: CK_ULONG);
    C_FindObjectsFinal(session: CK_SESSION_HANDLE);
    C_GenerateKeyPair(
        session: CK_SESSION_HANDLE,
        mechanism: *mut CK_MECHANISM,
        public: *mut CK_ATTRIBUTE,
        public_count: CK_ULONG,
        private: *mut CK_ATTRIBUTE,
        private_count: CK_ULONG,
        public_key: *mut CK_OBJECT_HANDLE,
        private_key: *mut CK_OBJECT_HANDLE
    );
}
