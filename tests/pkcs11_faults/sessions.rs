//! Few sessions, sessions that are busy, sessions that must be closed.

use std::time::Duration;

use cryptoki_sys::{CKR_DEVICE_REMOVED, CKR_OPERATION_ACTIVE, CKR_TOKEN_NOT_PRESENT};
use segl::{Algorithm, Call, CancelToken, Error, ErrorCode, Signer};

use crate::fault::FaultModule;
use crate::{MESSAGE, module, open, open_with_max, require_good, sign};

const THREADS: u64 = 8;
const EACH: u64 = 50;

/// Eight threads sign; all must succeed.
fn sign_in_threads(module: &FaultModule, path: &str) {
    let signer = open(module, path).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    require_good(&signer);
                }
            });
        }
    });
}

#[test]
fn one_session_is_enough_for_many_threads() {
    let module = module("scarce-1");
    module.rules("max_sessions=1");
    sign_in_threads(&module, "token=scarce-1;object=ec");
    // Each thread may ask in vain once for each session fewer than eight.
    assert!(module.calls("C_OpenSession") <= 40);
    assert_eq!(module.sessions(), 0, "no session is left behind");
}

#[test]
fn the_login_ends_with_the_only_session() {
    let module = module("only-session");
    module.rules("max_sessions=1");
    let signer = open(&module, "token=only-session;object=ec").unwrap();
    require_good(&signer);
    module.reset_counters();
    module.rules("C_Sign flip count=1");
    require_good(&signer);
    assert_eq!(module.calls("C_Login"), 1);
}

#[test]
fn three_sessions_are_enough_for_many_threads() {
    let module = module("scarce-3");
    module.rules("max_sessions=3");
    sign_in_threads(&module, "token=scarce-3;object=ec");
    assert!(module.calls("C_OpenSession") <= 40);
    assert_eq!(module.sessions(), 0, "no session is left behind");
}

#[test]
fn few_sessions_that_are_lost_again_and_again_are_enough() {
    let module = module("short-lived");
    let path = "token=short-lived;object=ec";
    for max in [1, 2, 3] {
        module.rules(&format!("max_sessions={max}"));
        let signer = open(&module, path).unwrap();
        module.rules(&format!("C_SignInit rv={CKR_OPERATION_ACTIVE} every=10"));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        // A retry may meet the rule again.
                        if let Err(error) = sign(&signer) {
                            assert_eq!(
                                error.details().ck_rv,
                                Some(CKR_OPERATION_ACTIVE),
                                "{error}"
                            );
                        }
                    }
                });
            }
        });
        module.rules("clear");
        require_good(&signer);
        drop(signer);
        assert_eq!(module.sessions(), 0, "no session is left behind");
    }
}

#[test]
fn failures_leave_no_session_behind() {
    let module = module("leaks");
    let signer = open(&module, "token=leaks;object=ec").unwrap();
    module.rules("C_Sign rv=0x30 every=5; C_SignInit rv=0x101 every=7; C_Sign flip every=11");
    let failures = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..100).filter(|_| sign(&signer).is_err()).count()))
            .collect();
        let failures = threads.into_iter().map(|thread| thread.join().unwrap());
        failures.sum::<usize>()
    });
    assert!(failures > 0, "the rules did nothing");
    assert!(module.sessions() <= 5, "{} sessions", module.sessions());
    let open = module.calls("C_OpenSession") - module.calls("C_CloseSession");
    assert_eq!(open, module.sessions());
    drop(signer);
    assert_eq!(module.sessions(), 0);
}

/// A module may say so of a moment, and keep the sessions.
#[test]
fn a_token_that_is_not_gone_keeps_no_session_of_before() {
    let module = module("absent");
    let signer = open(&module, "token=absent;object=ec").unwrap();
    let sessions = module.sessions();
    for rv in [CKR_TOKEN_NOT_PRESENT, CKR_DEVICE_REMOVED] {
        module.rules(&format!("C_Sign rv={rv} count=1"));
        require_good(&signer);
        assert_eq!(module.sessions(), sessions);
    }
}

#[test]
fn while_every_session_hangs_others_wait_no_longer_than_they_want() {
    let module = module("hanging");
    let signer = open_with_max(&module, "token=hanging;object=ec", 2);
    let sign_within = |call: &Call| -> Error {
        signer
            .sign(Algorithm::ES256, MESSAGE, call)
            .expect_err("no session is free")
    };
    let cancel = CancelToken::new();
    let cancellable = Call::within(Duration::from_secs(3600)).with_cancel(cancel.clone());
    std::thread::scope(|scope| {
        let hang = module.hang("C_Sign");
        let hanging: Vec<_> = (0..2).map(|_| scope.spawn(|| sign(&signer))).collect();
        hang.wait_for(2);

        let waiting: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| sign_within(&Call::within(Duration::from_millis(20)))))
            .collect();
        for waiter in waiting {
            let error = waiter.join().unwrap();
            assert!(
                matches!(error.code(), ErrorCode::PoolTimeout | ErrorCode::Timeout),
                "{error}"
            );
        }

        let waiter = scope.spawn(|| sign_within(&cancellable).code());
        cancel.trigger();
        assert_eq!(waiter.join().unwrap(), ErrorCode::Cancelled);
        assert_eq!(sign_within(&cancellable).code(), ErrorCode::Cancelled);

        assert_eq!(module.hanging(), 2, "still");
        drop(hang);
        for thread in hanging {
            thread.join().unwrap().unwrap();
        }
    });
    require_good(&signer);
    assert_eq!(module.sessions(), 3);
}
