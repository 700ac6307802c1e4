//! The bare calls of a PKCS#11 module: `C_SignInit` and `C_Sign`.

use std::path::Path;
use std::ptr;

use cryptoki_sys::*;

/// A session and a key handle of its own.
pub struct Raw {
    functions: &'static CK_FUNCTION_LIST,
    session: CK_SESSION_HANDLE,
    key: CK_OBJECT_HANDLE,
    mechanism: CK_MECHANISM_TYPE,
}

#[allow(unsafe_code)]
impl Raw {
    /// The private key with `id` on the token with this label. segl has initialised
    /// the module and logged in, which holds for the whole process.
    pub fn new(module: &Path, token: &str, id: u8, mechanism: CK_MECHANISM_TYPE) -> Self {
        // SAFETY: the module is loaded and initialised already; its function list is
        // static; every pointer outlives its call.
        unsafe {
            let library = libloading::Library::new(module).unwrap();
            let get: libloading::Symbol<unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV> =
                library.get(b"C_GetFunctionList").unwrap();
            let mut list = ptr::null_mut();
            assert_eq!(get(&mut list), CKR_OK);
            std::mem::forget(library);
            let functions = &*list;
            let mut session = 0;
            let open = functions.C_OpenSession.unwrap();
            let (slot, flags) = (slot(functions, token), CKF_SERIAL_SESSION);
            let opened = open(slot, flags, ptr::null_mut(), None, &mut session);
            assert_eq!(opened, CKR_OK);
            let mut class = CKO_PRIVATE_KEY;
            let mut id = [id];
            let mut template = [attribute(CKA_CLASS, &mut class), attribute(CKA_ID, &mut id)];
            let begin = functions.C_FindObjectsInit.unwrap();
            assert_eq!(begin(session, template.as_mut_ptr(), 2), CKR_OK);
            let (mut key, mut found) = (0, 0);
            functions.C_FindObjects.unwrap()(session, &mut key, 1, &mut found);
            functions.C_FindObjectsFinal.unwrap()(session);
            assert_eq!(found, 1);
            Self {
                functions,
                session,
                key,
                mechanism,
            }
        }
    }

    /// Signs `data`; the length of what is in `signature` then.
    pub fn sign(&self, data: &mut [u8], signature: &mut [u8]) -> usize {
        let mut mechanism = CK_MECHANISM {
            mechanism: self.mechanism,
            pParameter: ptr::null_mut(),
            ulParameterLen: 0,
        };
        let mut len = signature.len() as CK_ULONG;
        // SAFETY: session and key are good, and every pointer outlives its call.
        unsafe {
            let init = self.functions.C_SignInit.unwrap();
            assert_eq!(init(self.session, &mut mechanism, self.key), CKR_OK);
            let sign = self.functions.C_Sign.unwrap();
            let rv = sign(
                self.session,
                data.as_mut_ptr(),
                data.len() as CK_ULONG,
                signature.as_mut_ptr(),
                &mut len,
            );
            assert_eq!(rv, CKR_OK);
        }
        len as usize
    }
}

/// The slot of the token with this label.
#[allow(unsafe_code)]
fn slot(functions: &CK_FUNCTION_LIST, token: &str) -> CK_SLOT_ID {
    let mut slots = [0; 8];
    let mut count = 8;
    // SAFETY: there is room for eight slots.
    let rv = unsafe { functions.C_GetSlotList.unwrap()(CK_TRUE, slots.as_mut_ptr(), &mut count) };
    assert_eq!(rv, CKR_OK);
    let is_wanted = |slot: &&CK_SLOT_ID| {
        let mut info = CK_TOKEN_INFO::default();
        // SAFETY: `info` outlives the call.
        let rv = unsafe { functions.C_GetTokenInfo.unwrap()(**slot, &mut info) };
        rv == CKR_OK && info.label.starts_with(token.as_bytes())
    };
    let found = slots[..count as usize].iter().find(is_wanted);
    *found.expect("the token is there")
}

fn attribute<T>(kind: CK_ATTRIBUTE_TYPE, value: &mut T) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE {
        type_: kind,
        pValue: ptr::from_mut(value).cast(),
        ulValueLen: size_of::<T>() as CK_ULONG,
    }
}
