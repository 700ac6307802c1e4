//! PINs are never tried until the token locks.

use std::sync::Barrier;

use segl::keys::pkcs11::Pkcs11Signer;
use segl::{Call, Error, ErrorCode, Secret};

use crate::fault::FaultModule;
use crate::{module, open, require_good};

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
    module.rules("clear");
    require_good(&signer);
    assert_eq!(module.calls("C_Login"), 1);
}
