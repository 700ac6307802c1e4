//! Tokens that are taken out, come back elsewhere, or are others than they were.

use segl::keys::HealthState;
use segl::{ErrorCode, Signer};

use crate::fault::eventually;
use crate::{module, open, require_good, sign};

#[test]
fn a_token_that_comes_back_in_another_slot_is_found() {
    let module = module("moving");
    let signer = open(&module, "token=moving;object=ec").unwrap();
    for back in ["token_back slot=4242", "token_back"] {
        module.rules("no_token");
        let error = sign(&signer).unwrap_err();
        assert!(
            matches!(
                error.code(),
                ErrorCode::TokenNotFound | ErrorCode::TokenUnavailable
            ),
            "{error}"
        );
        for _ in 0..3 {
            let error = sign(&signer).unwrap_err();
            assert!(
                matches!(
                    error.code(),
                    ErrorCode::TokenNotFound | ErrorCode::TokenUnavailable
                ),
                "{error}"
            );
            assert_ne!(signer.health().state, HealthState::Ready);
        }
        module.rules(back);
        eventually("the token is found", || {
            signer.health().state == HealthState::Ready
        });
        require_good(&signer);
    }
}

#[test]
fn a_token_without_serial_in_its_uri_may_come_back_with_another() {
    let module = module("renamed");
    let any = open(&module, "token=renamed;object=ec").unwrap();
    module.rules("no_token");
    assert!(sign(&any).is_err());
    module.rules("serial=0000000000000042; token_back");
    eventually("the token is found", || {
        any.health().state == HealthState::Ready
    });
    require_good(&any);
}

#[test]
fn a_token_with_a_serial_in_its_uri_may_not() {
    let module = module("named");
    let uri = open(&module, "token=named;object=ec").unwrap().origin();
    let token = uri.token.unwrap();
    let serial = token.split("serial ").nth(1).unwrap();
    let serial = serial.split(',').next().unwrap();
    let path = format!("token=named;serial={serial};object=ec");
    let signer = open(&module, &path).unwrap();
    module.rules("no_token");
    assert!(sign(&signer).is_err());
    module.rules("serial=0000000000000042; token_back");
    for _ in 0..20 {
        assert!(sign(&signer).is_err());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let health = signer.health();
    assert!(health.problem.unwrap().contains("0000000000000042"));
}
