//! Decryption.

#![allow(non_snake_case)]

use cryptoki_sys::*;

use super::forward;

forward! {
    C_DecryptInit(
        session: CK_SESSION_HANDLE,
        mechanism: *mut CK_MECHANISM,
        key: CK_OBJECT_HANDLE
    );
    C_Decrypt(
        session: CK_SESSION_HANDLE,
        ciphertext: *mut CK_BYTE,
        ciphertext_len: CK_ULONG,
        plain: *mut CK_BYTE,
        plain_len: *mut CK_ULONG
    );
}
