//! A module that does not return keeps no caller past its deadline.

use std::time::{Duration, Instant};

use segl::keys::HealthState;
use segl::keys::pkcs11::Pkcs11Signer;
use segl::{Algorithm, Call, CancelToken, ErrorCode, Signer};

use crate::fault::eventually;
use crate::softhsm::pin;
use crate::{MESSAGE, module, open, open_with_max, require_good};

const DEADLINE: Duration = Duration::from_secs(2);

/// More than any deadline here; a caller that is held would be held so long.
const LATE: Duration = Duration::from_secs(30);

#[test]
fn every_caller_is_back_by_its_deadline_while_signing_hangs() {
    let module = module("hang-sign");
    let signer = open_with_max(&module, "token=hang-sign;object=ec", 4);
    let sessions = module.sessions();
    let hang = module.hang("C_Sign");
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    let start = Instant::now();
                    let outcome = signer.sign(Algorithm::ES256, MESSAGE, &Call::within(DEADLINE));
                    (outcome.unwrap_err(), start.elapsed())
                })
            })
            .collect();
        for caller in callers {
            let (error, took) = caller.join().unwrap();
            assert!(
                matches!(
                    error.code(),
                    ErrorCode::Timeout
                        | ErrorCode::PoolTimeout
                        | ErrorCode::TokenUnavailable
                        | ErrorCode::RestartRequired
                ),
                "{error}"
            );
            assert!(error.retryable(), "{error}");
            assert!(took < LATE, "{took:?}");
        }
    });
    let health = signer.health();
    assert_ne!(health.state, HealthState::Ready, "{health:?}");
    let token = health.token.unwrap();
    assert!((4..=8).contains(&token.sessions.stuck), "{token:?}");
    assert_eq!(token.sessions.busy, 0, "{token:?}");
    assert!(token.counters.hung >= 4, "{token:?}");
    let error = signer
        .sign(Algorithm::ES256, MESSAGE, &Call::within(DEADLINE))
        .unwrap_err();
    assert!(error.retryable(), "{error}");

    drop(hang);
    eventually("the calls that hung are back", || {
        let health = signer.health();
        health.state == HealthState::Ready && health.token.unwrap().sessions.stuck == 0
    });
    require_good(&signer);
    assert!(module.sessions() <= sessions + 4, "{}", module.sessions());
}

#[test]
fn one_call_that_hangs_stops_nobody_else() {
    let module = module("hang-one");
    let signer = open_with_max(&module, "token=hang-one;object=ec", 1);
    module.rules("C_Sign hang count=1");
    let short = Call::within(Duration::from_millis(50));
    let error = signer.sign(Algorithm::ES256, MESSAGE, &short).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
    assert!(error.message().contains("hang-one"), "{error}");
    for _ in 0..10 {
        require_good(&signer);
    }
    let sessions = signer.health().token.unwrap().sessions;
    assert_eq!((sessions.stuck, sessions.max), (1, 1), "{sessions:?}");
    module.rules("release");
    eventually("the call that hung is back", || {
        signer.health().token.unwrap().sessions.stuck == 0
    });
    assert!(module.sessions() <= 3, "{}", module.sessions());
}

/// A job whose caller is gone must not put anything right under those who sign.
#[test]
fn a_job_that_was_left_behind_ends_with_its_own_failure() {
    const OTHERS: u64 = 5;
    let module = module("hang-late");
    let signer = open(&module, "token=hang-late;object=ec").unwrap();
    module.reset_counters();
    module.rules("C_SignInit hang rv=0x60 count=1");
    let short = Call::within(Duration::from_millis(50));
    let error = signer.sign(Algorithm::ES256, MESSAGE, &short).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
    for _ in 0..OTHERS {
        require_good(&signer);
    }
    module.rules("release");
    eventually("it is back", || {
        signer.health().token.unwrap().sessions.stuck == 0
    });
    assert_eq!(
        module.calls("C_SignInit"),
        1 + OTHERS,
        "it is not tried again"
    );
    assert_eq!(module.calls("C_GetSessionInfo"), 0, "nothing is looked at");
    assert_eq!(signer.health().state, HealthState::Ready);
}

#[test]
fn a_call_that_is_cancelled_at_once_is_no_failure() {
    let module = module("hang-hasty");
    let signer = open(&module, "token=hang-hasty;object=ec").unwrap();
    let hang = module.hang("C_Sign");
    let cancel = CancelToken::new();
    let call = Call::none().with_cancel(cancel.clone());
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| signer.sign(Algorithm::ES256, MESSAGE, &call));
        hang.wait_for(1);
        cancel.trigger();
        assert!(caller.join().unwrap().is_err());
    });
    let token = signer.health().token.unwrap();
    assert_eq!(token.sessions.stuck, 1);
    assert_eq!((token.counters.hung, token.last_failure), (0, None));
}

#[test]
fn cancelling_frees_the_caller_of_a_call_that_hangs() {
    let module = module("hang-cancel");
    let signer = open(&module, "token=hang-cancel;object=ec").unwrap();
    let hang = module.hang("C_Sign");
    let cancel = CancelToken::new();
    let call = Call::none().with_cancel(cancel.clone());
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| signer.sign(Algorithm::ES256, MESSAGE, &call));
        hang.wait_for(1);
        cancel.trigger();
        let error = caller.join().unwrap().unwrap_err();
        assert_eq!(error.code(), ErrorCode::Cancelled, "{error}");
    });
    assert_eq!(module.hanging(), 1, "still");
    drop(hang);
    require_good(&signer);
}

#[test]
fn opening_a_key_is_bounded_wherever_the_module_hangs() {
    let module = module("hang-open");
    let path = "token=hang-open;object=ec";
    for function in [
        "C_GetTokenInfo",
        "C_OpenSession",
        "C_Login",
        "C_FindObjectsInit",
        "C_GetAttributeValue",
        "C_SignInit",
        "C_Sign",
    ] {
        let hang = module.hang(function);
        let call = Call::within(Duration::from_millis(100));
        let error = Pkcs11Signer::open(&module.uri(path), pin(), &call).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Timeout, "{function}: {error}");
        hang.wait_for(1);
        drop(hang);
        eventually("nothing is left behind", || module.sessions() == 0);
        require_good(&open(&module, path).unwrap());
        eventually("the key is closed", || module.sessions() == 0);
    }
}

#[test]
fn a_recovery_that_hangs_keeps_nobody() {
    let module = module("hang-heal");
    let signer = open(&module, "token=hang-heal;object=ec").unwrap();
    for function in [
        "C_GetSessionInfo",
        "C_OpenSession",
        "C_Login",
        "C_FindObjectsInit",
    ] {
        // SoftHSM crashes when a session is closed that a call is in.
        eventually("nobody is inside the module", || {
            let sessions = signer.health().token.unwrap().sessions;
            sessions.stuck == 0 && sessions.busy == 0
        });
        module.rules("close_all");
        let hang = module.hang(function);
        std::thread::scope(|scope| {
            let callers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let call = Call::within(Duration::from_millis(200));
                        let start = Instant::now();
                        let outcome = signer.sign(Algorithm::ES256, MESSAGE, &call);
                        (outcome.unwrap_err(), start.elapsed())
                    })
                })
                .collect();
            for caller in callers {
                let (error, took) = caller.join().unwrap();
                assert!(error.retryable(), "{function}: {error}");
                assert!(took < LATE, "{function}: {took:?}");
            }
        });
        drop(hang);
        eventually("the token works again", || {
            signer
                .sign(Algorithm::ES256, MESSAGE, &Call::within(DEADLINE))
                .is_ok()
        });
    }
}

#[test]
fn a_recovery_that_does_not_come_back_asks_for_a_restart() {
    let module = module("hang-for-good");
    let signer = open(&module, "token=hang-for-good;object=ec").unwrap();
    module.rules("close_all");
    let hang = module.hang("C_GetSessionInfo");
    let mut last = None;
    eventually("segl asks for a restart", || {
        let call = Call::within(Duration::from_millis(1500));
        last = signer.sign(Algorithm::ES256, MESSAGE, &call).err();
        signer.health().state == HealthState::RestartRequired
    });
    assert!(last.is_some());
    drop(hang);
    eventually("the token works again", || {
        signer.health().state == HealthState::Ready
    });
    require_good(&signer);
}

#[test]
fn with_the_callers_threads_segl_starts_none() {
    let module = module("hang-none");
    let path = "token=hang-none;object=ec?threads=caller";
    let signer = open(&module, path).unwrap();
    let hang = module.hang("C_Sign");
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| {
            signer.sign(
                Algorithm::ES256,
                MESSAGE,
                &Call::within(Duration::from_millis(1)),
            )
        });
        hang.wait_for(1);
        drop(hang);
        caller.join().unwrap().unwrap();
    });
}

/// The first call opens the breaker, the second is the try whether the token works
/// again. Neither ever returns, and the other sessions work.
#[test]
fn a_try_that_hangs_is_not_the_last_one() {
    let module = module("tries");
    let signer = open_with_max(&module, "token=tries;object=ec", 4);
    let sign = || {
        let call = Call::within(Duration::from_millis(1100));
        signer.sign(Algorithm::ES256, MESSAGE, &call)
    };
    module.rules("C_Sign hang count=2");
    assert_eq!(sign().unwrap_err().code(), ErrorCode::Timeout);
    eventually("the token is tried once more", || sign().is_ok());
    assert_eq!(module.hanging(), 2, "still");
    assert_eq!(signer.health().token.unwrap().sessions.stuck, 2);
    module.rules("release");
    eventually("they come back", || {
        signer.health().token.unwrap().sessions.stuck == 0
    });
    require_good(&signer);
}
