//! Other code of the process that uses the same token as segl.
#![allow(dead_code, reason = "each test uses its own part")]

use std::path::Path;
use std::ptr;

use cryptoki_sys::*;

/// A second user of a module that segl has initialised.
pub struct OtherCode {
    functions: CK_FUNCTION_LIST,
    slot: CK_SLOT_ID,
}

#[allow(unsafe_code)]
impl OtherCode {
    /// Uses the token with this label.
    pub fn new(module: &Path, token: &str) -> Self {
        // SAFETY: segl has loaded the library already, PKCS#11 gives the symbol this
        // type, and the library stays loaded.
        let functions = unsafe {
            let library = libloading::Library::new(module).unwrap();
            let get_function_list = library
                .get::<unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV>(
                    b"C_GetFunctionList\0",
                )
                .unwrap();
            let mut list = ptr::null_mut();
            assert_eq!(get_function_list(&mut list), CKR_OK);
            let functions = *list;
            std::mem::forget(library);
            functions
        };
        let mut other = Self { functions, slot: 0 };
        let slots = other.slots();
        other.slot = slots
            .into_iter()
            .find(|slot| other.label(*slot) == token)
            .expect("the token must be there");
        other
    }

    /// Logs the whole process out of the token.
    pub fn log_out(&self) {
        self.with_session(|session| {
            // SAFETY: takes no pointer.
            let rv = unsafe { self.functions.C_Logout.unwrap()(session) };
            assert_eq!(rv, CKR_OK, "C_Logout");
        });
    }

    /// Tries to log in with a PIN that is wrong.
    pub fn log_in_with_wrong_pin(&self) {
        self.with_session(|session| {
            let pin = b"0000-wrong-too";
            // SAFETY: the PIN is only read.
            let rv = unsafe {
                let pin_len = pin.len() as CK_ULONG;
                let log_in = self.functions.C_Login.unwrap();
                log_in(session, CKU_USER, pin.as_ptr().cast_mut(), pin_len)
            };
            assert_eq!(rv, CKR_PIN_INCORRECT, "C_Login");
        });
    }

    /// Changes the user PIN. Somebody must be logged in.
    pub fn change_pin(&self, old: &str, new: &str) {
        self.with_session(|session| {
            let (old_len, new_len) = (old.len() as CK_ULONG, new.len() as CK_ULONG);
            let (old, new) = (old.as_ptr().cast_mut(), new.as_ptr().cast_mut());
            // SAFETY: the PINs are only read.
            let rv =
                unsafe { self.functions.C_SetPIN.unwrap()(session, old, old_len, new, new_len) };
            assert_eq!(rv, CKR_OK, "C_SetPIN");
        });
    }

    /// Closes every session that the process has with the token.
    pub fn close_all_sessions(&self) {
        // SAFETY: takes no pointer.
        let rv = unsafe { self.functions.C_CloseAllSessions.unwrap()(self.slot) };
        assert_eq!(rv, CKR_OK, "C_CloseAllSessions");
    }

    /// `CKA_PUBLIC_KEY_INFO` of the private key with this label. Somebody must be
    /// logged in.
    pub fn public_key_info(&self, label: &str) -> Vec<u8> {
        let mut class = CKO_PRIVATE_KEY;
        let mut label = label.as_bytes().to_vec();
        let mut template = [
            attribute(CKA_CLASS, (&raw mut class).cast(), size_of_val(&class)),
            attribute(CKA_LABEL, label.as_mut_ptr().cast(), label.len()),
        ];
        let mut value = vec![0_u8; 1024];
        let mut info = attribute(CKA_PUBLIC_KEY_INFO, value.as_mut_ptr().cast(), value.len());
        self.with_session(|session| {
            let (mut key, mut count) = (0, 0);
            let functions = &self.functions;
            // SAFETY: all that is pointed to outlives the calls.
            unsafe {
                let begun = functions.C_FindObjectsInit.unwrap()(session, &mut template[0], 2);
                assert_eq!(begun, CKR_OK, "C_FindObjectsInit");
                let found = functions.C_FindObjects.unwrap()(session, &mut key, 1, &mut count);
                assert_eq!((found, count), (CKR_OK, 1), "C_FindObjects");
                let ended = functions.C_FindObjectsFinal.unwrap()(session);
                assert_eq!(ended, CKR_OK, "C_FindObjectsFinal");
                let read = functions.C_GetAttributeValue.unwrap()(session, key, &mut info, 1);
                assert_eq!(read, CKR_OK, "C_GetAttributeValue");
            }
        });
        value.truncate(info.ulValueLen.try_into().unwrap());
        value
    }

    fn slots(&self) -> Vec<CK_SLOT_ID> {
        let mut slots = vec![0; 256];
        let mut count = 256;
        // SAFETY: there is room for so many slots.
        let rv = unsafe {
            self.functions.C_GetSlotList.unwrap()(CK_TRUE, slots.as_mut_ptr(), &mut count)
        };
        assert_eq!(rv, CKR_OK, "C_GetSlotList");
        slots.truncate(count.try_into().unwrap());
        slots
    }

    fn label(&self, slot: CK_SLOT_ID) -> String {
        let mut info = CK_TOKEN_INFO::default();
        // SAFETY: `info` outlives the call.
        let rv = unsafe { self.functions.C_GetTokenInfo.unwrap()(slot, &mut info) };
        assert_eq!(rv, CKR_OK, "C_GetTokenInfo");
        String::from_utf8_lossy(&info.label).trim_end().to_owned()
    }

    fn with_session(&self, work: impl FnOnce(CK_SESSION_HANDLE)) {
        let mut session = 0;
        // SAFETY: `session` outlives the call.
        let opened = unsafe {
            self.functions.C_OpenSession.unwrap()(
                self.slot,
                CKF_SERIAL_SESSION | CKF_RW_SESSION,
                ptr::null_mut(),
                None,
                &mut session,
            )
        };
        assert_eq!(opened, CKR_OK, "C_OpenSession");
        work(session);
        // SAFETY: takes no pointer.
        let closed = unsafe { self.functions.C_CloseSession.unwrap()(session) };
        assert_eq!(closed, CKR_OK, "C_CloseSession");
    }
}

fn attribute(kind: CK_ATTRIBUTE_TYPE, value: *mut std::ffi::c_void, len: usize) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE {
        type_: kind,
        pValue: value,
        ulValueLen: len.try_into().unwrap(),
    }
}
