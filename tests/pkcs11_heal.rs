//! What other code of the process does to a token's sessions and login. It meets
//! every signer of that token, so this file has one test.

#[path = "support/softhsm.rs"]
mod softhsm;

use cryptoki_sys::*;
use segl::keys::pkcs11::Pkcs11Signer;
use segl::{Algorithm, Call, Signer};
use softhsm::{SoftHsm, pin, uri};

#[test]
fn lost_sessions_and_logins_are_made_anew() {
    let hsm = SoftHsm::new("pkcs11-heal");
    hsm.init_token("main");
    hsm.generate("main", "EC:prime256v1", "01", "p256", &[]);
    hsm.generate("main", "rsa:2048", "02", "rsa", &[]);
    let open = |path| Pkcs11Signer::open(&uri(path), pin(), &Call::none()).unwrap();
    let p256 = open("token=main;object=p256");
    let rsa = open("token=main;object=rsa");
    let sign_with_both = || {
        p256.sign(Algorithm::ES256, b"m", &Call::none()).unwrap();
        rsa.sign(Algorithm::RS256, b"m", &Call::none()).unwrap();
    };
    let other = OtherCode::new();
    for _ in 0..3 {
        sign_with_both();
        other.log_out();
        sign_with_both();
        other.close_all_sessions();
        sign_with_both();
    }
}

/// Other code of this process that uses the same token.
struct OtherCode {
    module: Pkcs11,
    slot: CK_SLOT_ID,
}

#[allow(unsafe_code)]
impl OtherCode {
    fn new() -> Self {
        // SAFETY: SoftHSM is loaded already.
        let module = unsafe { Pkcs11::new(softhsm::module()) }.unwrap();
        let mut slots = [0; 8];
        let mut count = 8;
        // SAFETY: there is room for eight slots.
        let rv = unsafe { module.C_GetSlotList(CK_TRUE, slots.as_mut_ptr(), &mut count) };
        assert_eq!(rv, CKR_OK);
        // The token is in the first slot, the other is SoftHSM's empty one.
        Self {
            module,
            slot: slots[0],
        }
    }

    fn log_out(&self) {
        let mut session = 0;
        // SAFETY: `session` outlives the calls.
        unsafe {
            let flags = CKF_SERIAL_SESSION;
            let opened = self.module.C_OpenSession(
                self.slot,
                flags,
                std::ptr::null_mut(),
                None,
                &mut session,
            );
            assert_eq!(opened, CKR_OK);
            assert_eq!(self.module.C_Logout(session), CKR_OK);
            assert_eq!(self.module.C_CloseSession(session), CKR_OK);
        }
    }

    fn close_all_sessions(&self) {
        // SAFETY: takes no pointer.
        let rv = unsafe { self.module.C_CloseAllSessions(self.slot) };
        assert_eq!(rv, CKR_OK);
    }
}
