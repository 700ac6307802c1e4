//! The three symbols by which a program finds the functions of a PKCS#11 module
//! (PKCS#11 v3.2 section 5.4). The functions are Kryoptic's.

use kryoptic_lib::fns::general;
use kryoptic_lib::pkcs11::{
    CK_FLAGS, CK_FUNCTION_LIST_PTR_PTR, CK_INTERFACE_PTR, CK_INTERFACE_PTR_PTR, CK_RV,
    CK_ULONG_PTR, CK_UTF8CHAR_PTR, CK_VERSION_PTR,
};

/// The functions of PKCS#11 v2.40.
#[unsafe(no_mangle)]
pub extern "C" fn C_GetFunctionList(functions: CK_FUNCTION_LIST_PTR_PTR) -> CK_RV {
    general::fn_get_function_list(functions)
}

/// All interfaces.
#[unsafe(no_mangle)]
pub extern "C" fn C_GetInterfaceList(interfaces: CK_INTERFACE_PTR, count: CK_ULONG_PTR) -> CK_RV {
    general::fn_get_interface_list(interfaces, count)
}

/// One interface.
#[unsafe(no_mangle)]
pub extern "C" fn C_GetInterface(
    name: CK_UTF8CHAR_PTR,
    version: CK_VERSION_PTR,
    interface: CK_INTERFACE_PTR_PTR,
    flags: CK_FLAGS,
) -> CK_RV {
    general::fn_get_interface(name, version, interface, flags)
}
