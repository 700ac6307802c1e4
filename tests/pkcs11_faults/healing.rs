//! Sessions, logins and handles that are lost are made anew, with one retry.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use cryptoki_sys::*;
use segl::keys::HealthState;
use segl::keys::pkcs11::Pkcs11Signer;
use segl::{Error, ErrorCode, Signer};

use crate::fault::eventually;
use crate::{module, open, require_good, sign};

/// What tokens say when a session, the login or a handle is gone.
const LOST: [CK_RV; 5] = [
    CKR_SESSION_HANDLE_INVALID,
    CKR_OPERATION_ACTIVE,
    CKR_USER_NOT_LOGGED_IN,
    CKR_KEY_HANDLE_INVALID,
    CKR_OBJECT_HANDLE_INVALID,
];

#[test]
fn each_code_heals_with_one_retry() {
    let module = module("codes");
    let signer = open(&module, "token=codes;object=ec").unwrap();
    for rv in LOST {
        for (rule, signed) in [
            (format!("C_SignInit rv={rv} count=1"), 1),
            (format!("C_Sign rv={rv} count=1"), 2),
            (format!("C_Sign executed rv={rv} count=1"), 2),
        ] {
            module.reset_counters();
            module.rules(&rule);
            require_good(&signer);
            assert_eq!(module.calls("C_SignInit"), 2, "{rule}");
            assert_eq!(module.calls("C_Sign"), signed, "{rule}");
            assert_eq!(module.calls("C_Login"), 0, "{rule}: still logged in");
            module.rules("clear");
        }
    }
}

#[test]
fn a_key_opens_although_its_session_is_lost_midway() {
    let module = module("opening");
    for function in [
        "C_FindObjectsInit",
        "C_FindObjects",
        "C_FindObjectsFinal",
        "C_GetAttributeValue",
        "C_SignInit",
        "C_Sign",
    ] {
        for rv in LOST {
            module.rules(&format!("{function} rv={rv} count=1"));
            let signer = open(&module, "token=opening;object=ec");
            let signer = signer.unwrap_or_else(|error| panic!("{function} 0x{rv:x}: {error}"));
            require_good(&signer);
            module.rules("clear");
        }
    }
}

#[test]
fn what_other_code_takes_away_is_made_anew() {
    let module = module("others");
    let ec = open(&module, "token=others;object=ec").unwrap();
    let ec2 = open(&module, "token=others;object=ec2").unwrap();
    for deed in ["close_all", "logout"] {
        for _ in 0..3 {
            module.reset_counters();
            module.rules(deed);
            require_good(&ec);
            require_good(&ec2);
            assert_eq!(module.calls("C_Login"), 1, "{deed}");
            assert_eq!(module.calls("C_SignInit"), 3, "{deed}: one of two retries");
        }
    }
    drop((ec, ec2));
    assert_eq!(module.sessions(), 0, "no session is left behind");
}

#[test]
fn threads_that_lose_their_sessions_together_all_heal() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 20;
    let module = module("crowd");
    let signer = open(&module, "token=crowd;object=ec").unwrap();
    let round = Barrier::new(THREADS + 1);
    module.reset_counters();
    let outcomes = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let mut outcomes = Vec::new();
                    for _ in 0..ROUNDS {
                        round.wait();
                        outcomes.extend((0..5).map(|_| sign(&signer)));
                        round.wait();
                    }
                    outcomes
                })
            })
            .collect();
        for deed in ["close_all", "logout"].iter().cycle().take(ROUNDS) {
            module.rules(deed);
            round.wait();
            round.wait();
        }
        let outcomes = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        outcomes.collect::<Vec<_>>()
    });
    for outcome in outcomes {
        outcome.unwrap();
    }
    assert_eq!(
        module.calls("C_Login"),
        ROUNDS as u64,
        "one login for each loss"
    );
    assert!(module.sessions() <= 9, "{} sessions", module.sessions());
}

#[test]
fn what_does_not_heal_is_left_alone_until_it_works_again() {
    let module = module("stubborn");
    let signer = open(&module, "token=stubborn;object=ec").unwrap();
    for (rv, code, tries) in [
        // The first, and after a look at the sessions, and in a new connection.
        (CKR_SESSION_HANDLE_INVALID, ErrorCode::SessionLost, 3),
        (CKR_USER_NOT_LOGGED_IN, ErrorCode::SessionLost, 3),
        (CKR_GENERAL_ERROR, ErrorCode::Device, 3),
        // One more in another session of the same connection.
        (CKR_DEVICE_ERROR, ErrorCode::Device, 4),
    ] {
        module.reset_counters();
        module.rules(&format!("C_SignInit rv={rv}"));
        let error = sign(&signer).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(error.details().ck_rv, Some(rv));
        assert!(error.retryable(), "{error}");
        assert_eq!(module.calls("C_SignInit"), tries);
        assert!(module.calls("C_Login") <= 1, "in the new connection");
        assert_eq!(module.calls("C_Finalize"), 0, "it is not segl's");

        let error = eventually_refused(&signer);
        assert_eq!(error.code(), ErrorCode::TokenUnavailable, "{error}");
        assert!(error.details().retry_after.is_some(), "{error}");
        let health = signer.health();
        assert_ne!(health.state, HealthState::Ready, "{health:?}");
        let token = health.token.unwrap();
        assert_eq!(token.last_failure.unwrap().ck_rv, Some(rv));
        assert!(token.counters.failed > 0);

        module.rules("clear");
        // It is tried in the background.
        eventually("the token works again", || {
            signer.health().state == HealthState::Ready
        });
        require_good(&signer);
    }
}

/// A login that failed for an unclear reason is not repeated at once.
#[test]
fn while_the_pin_rests_the_token_is_left_alone() {
    let module = module("resting");
    let signer = open(&module, "token=resting;object=ec").unwrap();
    module.rules(&format!("C_Login rv={CKR_DEVICE_ERROR} count=1;logout"));
    let error = sign(&signer).unwrap_err();
    assert_eq!(error.details().ck_function, Some("C_Login"), "{error}");
    module.reset_counters();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) {
        let error = sign(&signer).unwrap_err();
        assert_eq!(error.code(), ErrorCode::TokenUnavailable, "{error}");
        assert_ne!(signer.health().state, HealthState::Ready);
    }
    // Eight tries fit between pauses that grow from 125 ms.
    let tries = module.calls("C_SignInit");
    assert!(tries <= 20, "{tries} tries");
    assert_eq!(module.calls("C_Login"), 0);
    eventually("the login is made", || sign(&signer).is_ok());
}

/// An error of a call that came between two tries.
fn eventually_refused(signer: &Pkcs11Signer) -> Error {
    loop {
        let error = sign(signer).unwrap_err();
        if error.code() == ErrorCode::TokenUnavailable {
            return error;
        }
    }
}

#[test]
fn a_key_that_fails_does_not_stop_the_others() {
    let module = module("one-key");
    let broken = open(&module, "token=one-key;object=rsa").unwrap();
    let other = open(&module, "token=one-key;object=ec").unwrap();
    let sessions = module.sessions();
    module.reset_counters();
    module.rules(&format!("broken_mechanism={CKM_RSA_PKCS}"));
    for _ in 0..3 {
        let error = sign(&broken).unwrap_err();
        assert_eq!(error.details().ck_rv, Some(CKR_GENERAL_ERROR), "{error}");
        assert_eq!(other.health().state, HealthState::Ready);
        require_good(&other);
    }
    assert_eq!(
        module.calls("C_Login"),
        0,
        "the connection was not given up"
    );
    assert_eq!(module.sessions(), sessions);
}

#[test]
fn an_error_of_the_device_costs_no_signature() {
    let module = module("device");
    let signer = open(&module, "token=device;object=ec").unwrap();
    let sessions = module.sessions();
    for rv in [
        CKR_DEVICE_ERROR,
        CKR_GENERAL_ERROR,
        CKR_HOST_MEMORY,
        0x8000_0001,
    ] {
        for rule in ["C_SignInit", "C_Sign", "C_Sign executed"] {
            module.rules(&format!("{rule} rv={rv} count=1"));
            require_good(&signer);
            module.rules("clear");
        }
    }
    assert_eq!(module.sessions(), sessions, "no session is left behind");
}
