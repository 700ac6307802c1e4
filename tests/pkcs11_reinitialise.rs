//! `C_Finalize` and `C_Initialize`, by segl and by other code. They hold for a
//! whole process, so these tests have one of their own and take turns.

#[path = "support/fault.rs"]
mod fault;
#[allow(dead_code, reason = "some of it is for plain SoftHSM")]
#[path = "support/softhsm.rs"]
mod softhsm;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use cryptoki_sys::CKM_RSA_PKCS;
use fault::{FaultModule, eventually};
use segl::keys::HealthState;
use segl::keys::pkcs11::{Pkcs11Signer, shutdown};
use segl::{Algorithm, Call, Error, ErrorCode, Signer};
use softhsm::{SoftHsm, pin};

/// This test's turn, and a copy of the module called `name`, which segl is the
/// first to initialise.
fn turn(name: &str) -> (MutexGuard<'static, ()>, FaultModule) {
    static TURN: Mutex<()> = Mutex::new(());
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let built = BUILT.get_or_init(|| {
        let hsm = SoftHsm::new("pkcs11-reinitialise");
        for token in ["main", "second"] {
            hsm.init_token(token);
            hsm.generate(token, "EC:prime256v1", "01", "ec", &[]);
            hsm.generate(token, "rsa:2048", "02", "rsa", &[]);
        }
        fault::set_up()
    });
    shutdown(&Call::none()).unwrap();
    (turn, FaultModule::load(built, name))
}

fn open(module: &FaultModule, path: &str) -> Pkcs11Signer {
    Pkcs11Signer::open(&module.uri(path), pin(), &Call::none()).unwrap()
}

fn sign(signer: &Pkcs11Signer) -> Result<(), Error> {
    let alg = signer.algorithms()[0];
    let signature = signer.sign(alg, b"header.payload", &Call::none())?;
    assert!(
        signer
            .public_key()
            .verify(alg, b"header.payload", &signature)
    );
    Ok(())
}

#[test]
fn a_lost_connection_is_made_anew_for_all_keys() {
    let (_turn, module) = turn("lost");
    let ec = open(&module, "token=main;object=ec");
    let rsa = open(&module, "token=main;object=rsa");
    let second = open(&module, "token=second;object=ec");
    for round in 1..=3 {
        module.reset_counters();
        module.rules("disconnect");
        for signer in [&ec, &rsa, &second] {
            sign(signer).unwrap();
        }
        assert_eq!(module.calls("C_Finalize"), 1, "once for all tokens");
        assert_eq!(module.calls("C_Initialize"), 1);
        assert_eq!(module.calls("C_Login"), 2, "once for each token");
        let token = ec.health().token.unwrap();
        assert_eq!(token.counters.reinitialisations, round);
        assert_eq!(token.counters.failed, 0);
        assert!(token.counters.healed > 0);
    }
    module.reset_counters();
    for signer in [&ec, &rsa, &second] {
        sign(signer).unwrap();
    }
    assert_eq!(module.all_calls(), 6, "nothing old was closed or used");
    // The next connection is lost with nobody calling.
    module.rules("disconnect");
    std::thread::sleep(Duration::from_millis(300));
    sign(&ec).unwrap();
}

/// What SoftHSM shows to a process that begins while another one writes its files.
#[test]
fn what_is_half_written_at_the_beginning_is_read_again() {
    for (name, half_written) in [
        ("no-slots", "C_GetSlotList rv=0x5 count=2"),
        ("no-name", "C_GetTokenInfo rv=0x5 count=3"),
        ("no-pin", "C_Login rv=0x102 count=1"),
    ] {
        let (_turn, module) = turn(name);
        module.rules(half_written);
        sign(&open(&module, "token=main;object=ec")).unwrap();
        assert!(module.calls("C_Initialize") > 1, "{name}");
        assert_eq!(
            module.calls("C_Initialize"),
            module.calls("C_Finalize") + 1,
            "{name}"
        );
    }
}

#[test]
fn what_is_not_there_is_looked_for_a_few_times() {
    let (_turn, module) = turn("not-there");
    for (path, rules, code) in [
        ("token=none", "clear", ErrorCode::TokenNotFound),
        ("token=main", "C_Login rv=0x102", ErrorCode::PinExpired),
    ] {
        shutdown(&Call::none()).unwrap();
        module.reset_counters();
        module.rules(rules);
        let uri = module.uri(&format!("{path};object=ec"));
        let error = Pkcs11Signer::open(&uri, pin(), &Call::none()).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(module.calls("C_Initialize") <= 7, "{path}");
    }
    module.rules("clear");
    let used = open(&module, "token=main;object=ec");
    module.reset_counters();
    let uri = module.uri("token=none;object=ec");
    assert!(Pkcs11Signer::open(&uri, pin(), &Call::none()).is_err());
    assert_eq!(module.calls("C_Finalize"), 0, "a token of it is in use");
    sign(&used).unwrap();
}

#[test]
fn threads_lose_no_signature_with_the_connection() {
    let (_turn, module) = turn("crowd");
    let ec = open(&module, "token=main;object=ec");
    let rsa = open(&module, "token=main;object=rsa");
    let second = open(&module, "token=second;object=ec");
    let is_over = AtomicBool::new(false);
    let failed = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let signer = [&ec, &rsa, &second][n % 3];
                let is_over = &is_over;
                scope.spawn(move || {
                    let mut failed = 0;
                    while !is_over.load(Ordering::SeqCst) {
                        if let Err(error) = sign(signer) {
                            assert!(error.retryable(), "{error}");
                            failed += 1;
                        }
                    }
                    failed
                })
            })
            .collect();
        for _ in 0..5 {
            let before = second.health().token.unwrap().generation;
            module.rules("disconnect");
            eventually("the module is initialised again", || {
                second.health().token.unwrap().generation > before
            });
            for signer in [&ec, &rsa, &second] {
                eventually("it signs again", || sign(signer).is_ok());
            }
        }
        is_over.store(true, Ordering::SeqCst);
        let failed = threads.into_iter().map(|thread| thread.join().unwrap());
        failed.sum::<u64>()
    });
    println!("{failed} signatures failed for their callers");
    let token = ec.health().token.unwrap();
    assert_eq!(token.sessions.stuck, 0);
    assert!(module.sessions() <= 18, "{}", module.sessions());
}

#[test]
fn a_token_that_does_not_work_disturbs_no_other_of_its_module() {
    let (_turn, module) = turn("neighbours");
    let works = open(&module, "token=main;object=ec");
    let broken = open(&module, "token=second;object=rsa");
    module.reset_counters();
    module.rules(&format!("broken_mechanism={CKM_RSA_PKCS}"));
    for _ in 0..3 {
        assert!(sign(&broken).is_err());
        assert_ne!(broken.health().state, HealthState::Ready);
        sign(&works).unwrap();
    }
    assert_eq!(module.calls("C_Finalize"), 0);
    assert_eq!(works.health().token.unwrap().counters.logins, 1);
    module.rules("clear");
    eventually("the other works too", || {
        broken.health().state == HealthState::Ready
    });
    sign(&broken).unwrap();
}

#[test]
fn what_others_finalize_is_initialised_again_and_not_finalized() {
    let (_turn, module) = turn("finalized");
    let signer = open(&module, "token=main;object=ec");
    for _ in 0..3 {
        module.reset_counters();
        module.rules("finalize");
        sign(&signer).unwrap();
        assert_eq!(module.calls("C_Finalize"), 0);
        assert_eq!(module.calls("C_Initialize"), 1);
        assert_eq!(module.calls("C_Login"), 1);
    }
    for _ in 0..3 {
        module.reset_counters();
        module.rules("refinalize");
        sign(&signer).unwrap();
        assert_eq!(module.calls("C_Finalize"), 0, "others have done so");
        assert_eq!(module.calls("C_Initialize"), 0);
        assert_eq!(module.calls("C_Login"), 1);
    }
}

#[test]
fn nothing_is_finalized_while_a_call_hangs() {
    let (_turn, module) = turn("hung");
    let signer = open(&module, "token=main;object=ec");
    module.reset_counters();
    let hang = module.hang("C_Sign count=1");
    let short = Call::within(Duration::from_millis(50));
    let error = signer
        .sign(Algorithm::ES256, b"m", &short)
        .expect_err("it hangs");
    assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
    module.rules("disconnect");
    assert!(sign(&signer).is_err());
    eventually("segl asks for a restart", || {
        signer.health().state == HealthState::RestartRequired
    });
    let error = sign(&signer).unwrap_err();
    assert_eq!(error.code(), ErrorCode::RestartRequired, "{error}");
    assert!(error.message().contains("hangs"), "{error}");
    assert_eq!(module.calls("C_Finalize"), 0);

    drop(hang);
    eventually("the token works again", || {
        signer.health().state == HealthState::Ready
    });
    sign(&signer).unwrap();
    assert_eq!(module.calls("C_Finalize"), 1);
}

#[test]
fn with_omit_segl_initialises_nothing() {
    let (_turn, module) = turn("omit");
    let uri = module.uri("token=main;object=ec?lifecycle=omit");
    let error = Pkcs11Signer::open(&uri, pin(), &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ModuleInit, "{error}");
    assert!(error.message().contains("lifecycle=omit"), "{error}");
    assert_eq!(module.calls("C_Initialize"), 0);
    // The program does.
    module.rules("initialize");
    let signer = Pkcs11Signer::open(&uri, pin(), &Call::none()).unwrap();
    sign(&signer).unwrap();
    shutdown(&Call::none()).unwrap();
    assert_eq!(module.calls("C_Initialize") + module.calls("C_Finalize"), 0);
    module.rules("finalize");
}

#[test]
fn with_exclusive_segl_shares_with_nobody() {
    let (_turn, module) = turn("exclusive");
    let uri = module.uri("token=main;object=ec?lifecycle=exclusive");
    module.rules("initialize");
    let error = Pkcs11Signer::open(&uri, pin(), &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ModuleInit, "{error}");
    assert!(error.message().contains("exclusive"), "{error}");
    module.rules("finalize");
    sign(&Pkcs11Signer::open(&uri, pin(), &Call::none()).unwrap()).unwrap();
}

#[test]
fn a_key_that_is_not_there_keeps_no_other_from_being_opened() {
    let (_turn, module) = turn("beside");
    module.rules("C_OpenSession delay_ms=40; C_GetTokenInfo delay_ms=5");
    for _ in 0..5 {
        shutdown(&Call::none()).unwrap();
        std::thread::scope(|scope| {
            let missing = scope.spawn(|| {
                let uri = module.uri("token=none;object=ec");
                Pkcs11Signer::open(&uri, pin(), &Call::none()).map(drop)
            });
            let opened = ["main", "second"].map(|token| {
                let path = format!("token={token};object=ec");
                let module = &module;
                scope.spawn(move || sign(&open(module, &path)))
            });
            for opened in opened {
                opened.join().unwrap().unwrap();
            }
            let error = missing.join().unwrap().unwrap_err();
            assert_eq!(error.code(), ErrorCode::TokenNotFound, "{error}");
        });
    }
    module.rules("clear");
}

/// A PIN that was right before is tried once more when the connection is lost in a login,
/// and no oftener: it may have been changed.
#[test]
fn a_login_that_loses_the_connection_is_repeated_once() {
    let (_turn, module) = turn("login-lost");
    module.reset_counters();
    drop(open(&module, "token=main;object=ec"));
    // What is asked of the token before a login, and once more after one that failed.
    let questions = module.calls("C_GetTokenInfo") + 1;
    module.reset_counters();
    module.rules(&format!(
        "C_Login rv=0x30; C_GetTokenInfo rv=0x30 every={questions}"
    ));
    let uri = module.uri("token=main;object=ec");
    let error = Pkcs11Signer::open(&uri, pin(), &Call::none()).unwrap_err();
    assert_eq!(error.details().ck_function, Some("C_Login"), "{error}");
    assert_eq!(module.calls("C_Login"), 2);
    module.rules("clear");
}
