//! Modules that do not lock by themselves, and modules that other code of the
//! process has initialised. Initialising holds for a whole process, so these
//! tests have one of their own and take turns.

#[path = "support/fault.rs"]
mod fault;
#[allow(dead_code, reason = "some of it is for plain SoftHSM")]
#[path = "support/softhsm.rs"]
mod softhsm;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use cryptoki_sys::*;
use fault::FaultModule;
use segl::keys::pkcs11::{Pkcs11Signer, shutdown};
use segl::{Algorithm, Call, ErrorCode, Signer};
use softhsm::{SoftHsm, pin};

const PATH: &str = "token=main;object=ec";

/// This test's turn, and a copy of the module called `name`.
fn turn(name: &str) -> (MutexGuard<'static, ()>, FaultModule) {
    static TURN: Mutex<()> = Mutex::new(());
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let built = BUILT.get_or_init(|| {
        let hsm = SoftHsm::new("pkcs11-initialise");
        hsm.init_token("main");
        hsm.generate("main", "EC:prime256v1", "01", "ec", &[]);
        fault::set_up()
    });
    (turn, FaultModule::load(built, name))
}

fn open(module: &FaultModule) -> Pkcs11Signer {
    Pkcs11Signer::open(&module.uri(PATH), pin(), &Call::none()).unwrap()
}

/// Eight threads sign, slowly enough to meet.
fn sign_in_threads(module: &FaultModule, signer: &Pkcs11Signer) {
    module.rules("C_Sign delay_ms=2");
    module.reset_counters();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    signer.sign(Algorithm::ES256, b"m", &Call::none()).unwrap();
                }
            });
        }
    });
}

#[test]
fn a_module_that_does_not_lock_is_called_by_one_thread_at_a_time() {
    let (_turn, module) = turn("no-locks");
    module.rules("no_os_locking");
    let signer = open(&module);
    assert_eq!(module.calls("C_Initialize"), 2, "refused, then without");
    sign_in_threads(&module, &signer);
    assert_eq!(module.peak(), 1);
    shutdown(&Call::none()).unwrap();
    assert_eq!(module.calls("C_Finalize"), 1);
}

#[test]
fn a_module_is_called_by_one_thread_at_a_time_where_the_uri_says_so() {
    let (_turn, module) = turn("serial");
    let uri = module.uri(&format!("{PATH}?calls=serial"));
    let signer = Pkcs11Signer::open(&uri, pin(), &Call::none()).unwrap();
    assert_eq!(module.calls("C_Initialize"), 1);
    sign_in_threads(&module, &signer);
    assert_eq!(module.peak(), 1);
    shutdown(&Call::none()).unwrap();
}

#[test]
fn a_module_that_locks_is_called_by_many_threads() {
    let (_turn, module) = turn("locks");
    let signer = open(&module);
    assert_eq!(module.calls("C_Initialize"), 1);
    let hang = module.hang("C_Sign");
    std::thread::scope(|scope| {
        let sign = || signer.sign(Algorithm::ES256, b"m", &Call::none());
        let threads = [scope.spawn(sign), scope.spawn(sign)];
        hang.wait_for(2);
        drop(hang);
        for thread in threads {
            thread.join().unwrap().unwrap();
        }
    });
    shutdown(&Call::none()).unwrap();
    assert_eq!(module.calls("C_Finalize"), 1);
}

#[test]
fn what_the_host_has_initialised_is_adopted_and_not_finalized() {
    let (_turn, module) = turn("adopted");
    let host = Host::initialise();
    let session = host.open_session();
    let signer = open(&module);
    assert_eq!(module.calls("C_Initialize"), 1, "it is asked");
    sign_in_threads(&module, &signer);
    assert!(module.sessions() > 0);
    shutdown(&Call::none()).unwrap();
    assert_eq!(module.calls("C_Finalize"), 0);
    assert_eq!(module.sessions(), 0, "segl's own sessions are closed");
    let error = signer
        .sign(Algorithm::ES256, b"m", &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::ModuleInit, "{error}");
    host.require_open(session);

    let again = open(&module);
    again.sign(Algorithm::ES256, b"m", &Call::none()).unwrap();
    drop((signer, again));
    shutdown(&Call::none()).unwrap();
    host.require_open(session);
    host.finalize();
}

#[test]
fn what_the_host_has_initialised_without_locks_is_called_by_one_thread_at_a_time() {
    let (_turn, module) = turn("adopted-no-locks");
    let host = Host::initialise();
    module.rules("no_os_locking");
    let signer = open(&module);
    sign_in_threads(&module, &signer);
    assert_eq!(module.peak(), 1);
    shutdown(&Call::none()).unwrap();
    assert_eq!(module.calls("C_Finalize"), 0);
    host.finalize();
}

/// Other code of this process that has initialised SoftHSM before segl.
struct Host(Pkcs11);

#[allow(unsafe_code)]
impl Host {
    fn initialise() -> Self {
        let mut arguments = CK_C_INITIALIZE_ARGS {
            CreateMutex: None,
            DestroyMutex: None,
            LockMutex: None,
            UnlockMutex: None,
            flags: CKF_OS_LOCKING_OK,
            pReserved: std::ptr::null_mut(),
        };
        // SAFETY: SoftHSM is a PKCS#11 module, and `arguments` outlives the call.
        unsafe {
            let softhsm = Pkcs11::new(softhsm::module()).unwrap();
            assert_eq!(softhsm.C_Initialize((&raw mut arguments).cast()), CKR_OK);
            Self(softhsm)
        }
    }

    fn open_session(&self) -> CK_SESSION_HANDLE {
        let mut slots = [0; 8];
        let mut count = 8;
        let mut session = 0;
        // SAFETY: there is room for eight slots, and `session` outlives the call.
        unsafe {
            let listed = self
                .0
                .C_GetSlotList(CK_TRUE, slots.as_mut_ptr(), &mut count);
            assert_eq!(listed, CKR_OK);
            let opened = self.0.C_OpenSession(
                slots[0],
                CKF_SERIAL_SESSION,
                std::ptr::null_mut(),
                None,
                &mut session,
            );
            assert_eq!(opened, CKR_OK);
        }
        session
    }

    fn require_open(&self, session: CK_SESSION_HANDLE) {
        let mut info = CK_SESSION_INFO::default();
        // SAFETY: `info` outlives the call.
        let rv = unsafe { self.0.C_GetSessionInfo(session, &mut info) };
        assert_eq!(rv, CKR_OK);
    }

    fn finalize(self) {
        // SAFETY: the argument must be NULL, and no other call is in flight.
        let rv = unsafe { self.0.C_Finalize(std::ptr::null_mut()) };
        assert_eq!(rv, CKR_OK);
        // SoftHSM stays loaded, as it does in a host.
        std::mem::forget(self);
    }
}
