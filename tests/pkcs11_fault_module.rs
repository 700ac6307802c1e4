//! The module that fails on request does what it says, seen through PKCS#11
//! itself. One test, as finalizing ends a module for the whole process.

#[path = "support/fault.rs"]
mod fault;
#[allow(dead_code, reason = "some of it is for segl's signers")]
#[path = "support/softhsm.rs"]
mod softhsm;

use std::path::Path;

use cryptoki_sys::*;
use fault::FaultModule;
use softhsm::SoftHsm;

#[test]
fn tokens_come_and_go_and_other_code_meddles() {
    let hsm = SoftHsm::new("pkcs11-fault-module");
    let built = fault::set_up();
    hsm.init_token("main");
    let module = FaultModule::load(&built, "meddled");
    let untouched = FaultModule::load(&built, "untouched");
    let raw = Raw::load(module.path());
    assert_eq!(raw.initialize(), CKR_OK);
    let slot = raw.slots()[0];

    // Each copy counts for itself.
    assert_eq!(module.calls("C_Initialize"), 1);
    assert_eq!(module.all_calls(), 3);
    assert_eq!(untouched.all_calls(), 0);
    module.reset_counters();
    assert_eq!(module.all_calls(), 0);

    // A token that is taken out takes its sessions with it.
    let session = raw.open_session(slot).unwrap();
    assert_eq!(raw.session_info(session), CKR_OK);
    module.rules("no_token");
    assert!(raw.slots().is_empty());
    assert_eq!(raw.serial(slot), Err(CKR_TOKEN_NOT_PRESENT));
    assert_eq!(raw.open_session(slot), Err(CKR_TOKEN_NOT_PRESENT));
    assert_eq!(raw.session_info(session), CKR_SESSION_HANDLE_INVALID);
    assert_eq!(module.sessions(), 0);

    // It comes back in another slot, as another token, and then as it was.
    module.rules("token_back slot=77; serial=XYZ");
    assert!(raw.slots().contains(&77) && !raw.slots().contains(&slot));
    assert_eq!(raw.open_session(slot), Err(CKR_SLOT_ID_INVALID));
    raw.open_session(77).unwrap();
    assert_eq!(raw.serial(77).unwrap(), "XYZ");
    module.rules("clear");
    assert!(raw.slots().contains(&slot) && !raw.slots().contains(&77));
    assert_ne!(raw.serial(slot).unwrap(), "XYZ");

    // An answer that is lost leaves its work done.
    module.rules("close_all; C_OpenSession executed rv=0x30 after=1 every=2 count=1");
    raw.open_session(slot).unwrap();
    raw.open_session(slot).unwrap();
    assert_eq!(raw.open_session(slot), Err(CKR_DEVICE_ERROR));
    raw.open_session(slot).unwrap();
    assert_eq!(module.sessions(), 4);
    module.rules("max_sessions=4");
    assert_eq!(raw.open_session(slot), Err(CKR_SESSION_COUNT));
    module.rules("clear");

    // Other code finalizes.
    let session = raw.open_session(slot).unwrap();
    module.rules("refinalize");
    assert_eq!(raw.session_info(session), CKR_SESSION_HANDLE_INVALID);
    assert_eq!(module.sessions(), 0);
    module.rules("finalize");
    assert_eq!(raw.session_info(session), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_eq!(raw.initialize(), CKR_OK);
    assert_eq!(module.calls("C_Finalize"), 0, "not through the module");
}

/// The module's function table.
struct Raw(CK_FUNCTION_LIST);

#[allow(unsafe_code)]
impl Raw {
    fn load(path: &Path) -> Self {
        // SAFETY: the library is loaded already, PKCS#11 gives the symbol this type,
        // and the table is not null after CKR_OK.
        unsafe {
            let library = libloading::Library::new(path).unwrap();
            let get_function_list: libloading::Symbol<
                unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV,
            > = library.get(b"C_GetFunctionList\0").unwrap();
            let mut list = std::ptr::null_mut();
            assert_eq!(get_function_list(&mut list), CKR_OK);
            let list = *list;
            std::mem::forget(library);
            Self(list)
        }
    }

    fn initialize(&self) -> CK_RV {
        // SAFETY: NULL is allowed.
        unsafe { self.0.C_Initialize.unwrap()(std::ptr::null_mut()) }
    }

    fn slots(&self) -> Vec<CK_SLOT_ID> {
        let get = self.0.C_GetSlotList.unwrap();
        let mut count = 0;
        // SAFETY: asks for the number alone.
        let counted = unsafe { get(CK_TRUE, std::ptr::null_mut(), &mut count) };
        assert_eq!(counted, CKR_OK);
        let mut slots = vec![0; usize::try_from(count).unwrap()];
        // SAFETY: there is room for `count` slots.
        let listed = unsafe { get(CK_TRUE, slots.as_mut_ptr(), &mut count) };
        assert_eq!(listed, CKR_OK);
        slots
    }

    fn serial(&self, slot: CK_SLOT_ID) -> Result<String, CK_RV> {
        let mut info = CK_TOKEN_INFO::default();
        // SAFETY: `info` outlives the call.
        match unsafe { self.0.C_GetTokenInfo.unwrap()(slot, &mut info) } {
            CKR_OK => {
                let text = String::from_utf8(info.serialNumber.to_vec()).unwrap();
                Ok(text.trim_end().to_owned())
            }
            rv => Err(rv),
        }
    }

    fn open_session(&self, slot: CK_SLOT_ID) -> Result<CK_SESSION_HANDLE, CK_RV> {
        let mut session = 0;
        let open = self.0.C_OpenSession.unwrap();
        let flags = CKF_SERIAL_SESSION;
        // SAFETY: `session` outlives the call.
        match unsafe { open(slot, flags, std::ptr::null_mut(), None, &mut session) } {
            CKR_OK => Ok(session),
            rv => Err(rv),
        }
    }

    fn session_info(&self, session: CK_SESSION_HANDLE) -> CK_RV {
        let mut info = CK_SESSION_INFO::default();
        // SAFETY: `info` outlives the call.
        unsafe { self.0.C_GetSessionInfo.unwrap()(session, &mut info) }
    }
}
