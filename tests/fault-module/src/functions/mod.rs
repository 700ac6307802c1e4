//! The table of `C_GetFunctionList`: the real module's, with entries replaced.

mod decrypting;
mod general;
mod objects;
mod sessions;
mod signing;
mod token;

use std::panic::catch_unwind;
use std::ptr;
use std::sync::OnceLock;

use cryptoki_sys::*;

use crate::real;

/// Defines functions that pass their arguments on to the real module.
macro_rules! forward {
    ($($name:ident($($argument:ident: $type:ty),*);)+) => {
        $(pub(super) unsafe extern "C" fn $name($($argument: $type),*) -> CK_RV {
            $crate::call::intercept($crate::function::Function::$name, |_| {
                $crate::real::call_real!($name($($argument),*))
            })
        })+
    };
}
use forward;

/// The one function that PKCS#11 needs a module to export.
///
/// # Safety
/// `list` points to room for a pointer.
#[unsafe(no_mangle)]
#[allow(non_snake_case)]
pub unsafe extern "C" fn C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    static TABLE: OnceLock<CK_FUNCTION_LIST> = OnceLock::new();
    let real = catch_unwind(real::list).ok().flatten();
    let (Some(real), false) = (real, list.is_null()) else {
        return CKR_GENERAL_ERROR;
    };
    let table = TABLE.get_or_init(|| with_replacements(real));
    // SAFETY: the caller answers for `list`. Nobody may write to the table.
    unsafe { list.write(ptr::from_ref(table).cast_mut()) };
    CKR_OK
}

fn with_replacements(real: &CK_FUNCTION_LIST) -> CK_FUNCTION_LIST {
    macro_rules! replace {
        ($($module:ident::{$($name:ident),+ $(,)?};)+) => {
            CK_FUNCTION_LIST {
                C_GetFunctionList: Some(C_GetFunctionList),
                // What the real module does not have stays absent.
                $($($name: real.$name.and(Some($module::$name as _)),)+)+
                ..*real
            }
        };
    }
    replace! {
        general::{C_Initialize, C_Finalize, C_GetInfo, C_GenerateRandom};
        token::{
            C_GetSlotList, C_GetSlotInfo, C_GetTokenInfo, C_GetMechanismList, C_GetMechanismInfo,
        };
        sessions::{
            C_OpenSession, C_CloseSession, C_CloseAllSessions, C_GetSessionInfo, C_Login, C_Logout,
        };
        objects::{
            C_CreateObject, C_DestroyObject, C_GetAttributeValue, C_SetAttributeValue,
            C_FindObjectsInit, C_FindObjects, C_FindObjectsFinal, C_GenerateKeyPair,
        };
        decrypting::{C_DecryptInit, C_Decrypt};
        signing::{C_SignInit, C_Sign, C_SignUpdate, C_SignFinal};
    }
}
