//! PINs are never tried until the token locks.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Barrier;

use segl::keys::HealthState;
use segl::keys::pkcs11::Pkcs11Signer;
use segl::{Call, Error, ErrorCode, Secret, Signer};

use crate::fault::{FaultModule, eventually};
use crate::other_code::OtherCode;
use crate::softhsm::PIN;
use crate::{module, open, require_good, softhsm};

fn open_with_wrong_pin(module: &FaultModule, path: &str) -> Error {
    let pin = Some(Secret::from(&b"0000-wrong"[..]));
    Pkcs11Signer::open(&module.uri(path), pin, &Call::none()).unwrap_err()
}

#[test]
fn a_wrong_pin_is_tried_once_by_all_threads_together() {
    let module = module("wrong-pin");
    let path = "token=wrong-pin;object=ec";
    module.rules("pin_limit=3");
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                for _ in 0..3 {
                    let error = open_with_wrong_pin(&module, path);
                    assert_eq!(error.code(), ErrorCode::PinIncorrect, "{error}");
                    assert!(!error.retryable(), "{error}");
                }
            });
        }
    });
    assert_eq!(module.calls("C_Login"), 1);
    assert_eq!(module.sessions(), 0, "no session is left behind");

    require_good(&open(&module, path).unwrap());
    assert_eq!(module.calls("C_Login"), 2, "the right PIN is tried");
    let error = open_with_wrong_pin(&module, path);
    assert_eq!(error.code(), ErrorCode::PinIncorrect, "{error}");
    assert_eq!(module.calls("C_Login"), 2, "the wrong one is still known");
}

/// A program that is restarted with a wrong PIN again and again must not lock the
/// token.
#[test]
fn no_pin_is_tried_after_a_wrong_one_of_somebody_else() {
    let module = module("guarded");
    let path = "token=guarded;object=ec";
    module.rules("pin_limit=3");
    // The module in front of the real one must be initialised.
    drop(open(&module, path).unwrap());
    OtherCode::new(module.path(), "guarded").log_in_with_wrong_pin();
    module.reset_counters();
    // The PIN that has worked is tried, a new one is not.
    let error = open_with_wrong_pin(&module, path);
    assert_eq!(error.code(), ErrorCode::PinGuard, "{error}");
    assert!(error.message().contains("pin-count-low=try"), "{error}");
    assert_eq!(module.calls("C_Login"), 0);
    let error = open_with_wrong_pin(&module, &format!("{path}?pin-count-low=try"));
    assert_eq!(error.code(), ErrorCode::PinIncorrect, "{error}");
    let error = open(&module, path).unwrap_err();
    assert_eq!(error.code(), ErrorCode::PinLocked, "{error}");
    assert_eq!(module.calls("C_Login"), 1, "the final try is never made");
    module.rules("pin_limit=3");
    require_good(&open(&module, path).unwrap());
}

#[test]
fn a_wrong_pin_is_not_tried_on_a_token_in_use() {
    let module = module("in-use");
    let signer = open(&module, "token=in-use;object=ec").unwrap();
    assert_eq!(module.calls("C_Login"), 1);
    let error = open_with_wrong_pin(&module, "token=in-use;object=ec2");
    assert_eq!(error.code(), ErrorCode::PinIncorrect, "{error}");
    assert_eq!(module.calls("C_Login"), 1);
    require_good(&signer);
}

#[test]
fn no_pin_is_tried_when_a_miss_would_lock_the_token_or_it_is_locked() {
    let module = module("locked");
    let path = "token=locked;object=ec";
    for misses_left in ["pin_limit=1", "pin_limit=0"] {
        module.rules(misses_left);
        let error = open(&module, path).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PinLocked, "{error}");
        assert!(!error.retryable(), "{error}");
        assert_eq!(module.calls("C_Login"), 0, "{misses_left}");
    }
    module.rules("pin_limit=2");
    require_good(&open(&module, path).unwrap());
}

#[test]
fn a_login_that_is_lost_meets_the_flags_again() {
    let module = module("relogin");
    let signer = open(&module, "token=relogin;object=ec").unwrap();
    module.reset_counters();
    module.rules("pin_limit=1; logout");
    for _ in 0..3 {
        let error = crate::sign(&signer).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PinLocked, "{error}");
    }
    assert_eq!(module.calls("C_Login"), 0);
    assert_eq!(signer.health().state, HealthState::PinRefused);
    module.rules("clear");
    eventually("the token works again", || {
        signer.health().state == HealthState::Ready
    });
    require_good(&signer);
    assert_eq!(module.calls("C_Login"), 1);
}

#[test]
fn a_pin_that_is_changed_while_running_is_read_again() {
    const NEW_PIN: &str = "5678-quite-as-secret";
    let module = module("rotated");
    let file = module.path().with_extension("pin");
    let write = |pin: &str| {
        std::fs::write(&file, pin).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    };
    write(PIN);
    let path = format!("token=rotated;object=ec?pin-source=file:{}", file.display());
    let signer = Pkcs11Signer::open(&module.uri(&path), None, &Call::none()).unwrap();
    OtherCode::new(Path::new(softhsm::module()), "rotated").change_pin(PIN, NEW_PIN);
    require_good(&signer);
    module.reset_counters();
    module.rules("logout");
    for _ in 0..3 {
        let error = crate::sign(&signer).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PinIncorrect, "{error}");
    }
    eventually("the old PIN is known to be wrong", || {
        signer.health().state == HealthState::PinRefused
    });
    assert_eq!(module.calls("C_Login"), 1, "the old PIN is tried once");
    write(NEW_PIN);
    eventually("the new PIN is tried", || crate::sign(&signer).is_ok());
    assert_eq!(module.calls("C_Login"), 2);
    // Who changes the file first sees no failure.
    OtherCode::new(Path::new(softhsm::module()), "rotated").change_pin(NEW_PIN, "9-secret");
    write("9-secret");
    module.rules("logout");
    require_good(&signer);
    assert_eq!(module.calls("C_Login"), 3);
}

#[test]
fn an_unclear_failure_of_a_login_is_not_repeated_at_once() {
    let module = module("unclear");
    let path = "token=unclear;object=ec";
    module.rules("C_Login rv=0x5");
    let error = open(&module, path).unwrap_err();
    assert_eq!(error.details().ck_rv, Some(0x5), "{error}");
    for _ in 0..3 {
        let error = open(&module, path).unwrap_err();
        assert_eq!(error.code(), ErrorCode::TokenUnavailable, "{error}");
        assert!(
            error.details().retry_after.unwrap().as_secs() > 20,
            "{error}"
        );
    }
    assert_eq!(module.calls("C_Login"), 1);
}

#[test]
fn a_login_that_fails_with_the_connection_costs_no_rest() {
    let module = module("lost-login");
    let path = "token=lost-login;object=ec";
    drop(open(&module, path).unwrap());
    let before_login = module.calls("C_GetTokenInfo");
    module.rules(&format!(
        "C_Login rv=0x30; C_GetTokenInfo rv=0x30 after={before_login}"
    ));
    let error = open(&module, path).unwrap_err();
    assert_eq!(
        error.details().ck_function,
        Some("C_GetTokenInfo"),
        "{error}"
    );
    assert!(error.message().contains("C_Login returned"), "{error}");
    let logins = module.calls("C_Login");
    assert_eq!(logins, 2, "the one that worked, and this one");
    module.rules("clear");
    require_good(&open(&module, path).unwrap());
}

#[test]
fn a_token_that_has_no_pin_yet_may_get_one() {
    let module = module("no-pin");
    let path = "token=no-pin;object=ec";
    module.rules("C_Login rv=0x102");
    let error = open(&module, path).unwrap_err();
    assert_eq!(error.code(), ErrorCode::PinExpired, "{error}");
    assert!(!error.retryable(), "{error}");
    module.rules("clear");
    require_good(&open(&module, path).unwrap());
}
