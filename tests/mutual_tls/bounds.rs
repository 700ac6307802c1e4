//! What the key's home does during a handshake: its errors, its hangs, its sessions.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use cryptoki_sys::{CKR_PIN_INCORRECT, CKR_SESSION_HANDLE_INVALID};
use segl::keys::ForeignSigner;
use segl::keys::foreign::SignCallback;
use segl::{Algorithm, Call, CancelToken, Error, ErrorCode};
use serde_json::json;

use crate::nginx::Nginx;
use crate::openssl_server::OpensslServer;
use crate::support::{p256_key, signer};
use crate::{client, get, open, page, uri, world};

#[test]
fn the_keys_own_error_arrives() {
    let world = world();
    let module = world.module("pin");
    let mut tls = world.tls(&*open(&module, "pin", "ec"), "pin");
    tls["key"] = json!(uri(&module, "pin", "ec"));
    let client = client(&tls, None).unwrap();
    module.reset_counters();
    for version in ["-tls1_2", "-tls1_3"] {
        let server = OpensslServer::insisting(&world.authority, &[version]);
        // A token that has just failed is left alone for a moment.
        let until = Instant::now() + Duration::from_secs(20);
        while get(&client, &server.url(), &Call::none()).is_err() {
            assert!(Instant::now() < until, "the token does not come back");
            thread::sleep(Duration::from_millis(20));
        }
        module.rules(&format!("C_Sign rv={CKR_PIN_INCORRECT}"));
        let other = OpensslServer::insisting(&world.authority, &[version]);
        let error = get(&client, &other.url(), &Call::none()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PinIncorrect, "{error}");
        assert_eq!(error.details().ck_rv, Some(CKR_PIN_INCORRECT), "{error}");
        assert!(
            error.message().contains("signing the TLS handshake"),
            "{error}"
        );
        module.rules("clear");
    }
    assert_eq!(module.calls("C_Login"), 0, "no PIN is tried for it");
}

#[test]
fn the_error_of_a_programs_own_signer_arrives() {
    struct Refusing;
    impl SignCallback for Refusing {
        fn sign(&self, _: Algorithm, _: &[u8], _: &Call) -> segl::Result<Vec<u8>> {
            Err(Error::new(ErrorCode::CallbackFailed, "the vault is closed").with_retryable(true))
        }
    }
    let world = world();
    let public_key = signer(&p256_key()).public_key().clone();
    let own = Arc::new(ForeignSigner::new(public_key, Box::new(Refusing)));
    let client = client(&world.tls(&*own, "vault"), Some(own)).unwrap();
    let server = OpensslServer::insisting(&world.authority, &[]);
    let error = get(&client, &server.url(), &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::CallbackFailed, "{error}");
    assert!(error.message().ends_with("the vault is closed"), "{error}");
    assert!(error.retryable());
}

#[test]
fn a_session_that_is_lost_between_handshakes_is_made_anew() {
    let world = world();
    let module = world.module("killed");
    let mut tls = world.tls(&*open(&module, "killed", "ec"), "killed");
    tls["key"] = json!(uri(&module, "killed", "ec"));
    tls["resumption"] = json!(false);
    let client = client(&tls, None).unwrap();
    let server = OpensslServer::insisting(&world.authority, &[]);
    page(&client, &server.url());
    module.rules("close_all");
    page(&client, &server.url());
    module.rules(&format!(
        "C_SignInit rv={CKR_SESSION_HANDLE_INVALID} count=1"
    ));
    page(&client, &server.url());
    let health = client.tls_health().unwrap();
    assert_eq!(health.name, "tls.key");
    let counters = health.health.token.unwrap().counters;
    assert!(counters.healed >= 1, "{counters:?}");
}

#[test]
fn a_hanging_signature_is_left_when_the_call_is_cancelled() {
    let world = world();
    let module = world.module("hangs");
    let mut tls = world.tls(&*open(&module, "hangs", "ec"), "hangs");
    tls["key"] = json!(uri(&module, "hangs", "ec"));
    let client = client(&tls, None).unwrap();
    let server = OpensslServer::insisting(&world.authority, &[]);
    let hang = module.hang("C_Sign");
    let cancel = CancelToken::new();
    let call = Call::within(Duration::from_secs(600)).with_cancel(cancel.clone());
    thread::scope(|scope| {
        let sent = scope.spawn(|| get(&client, &server.url(), &call));
        hang.wait_for(1);
        cancel.trigger();
        let error = sent.join().unwrap().unwrap_err();
        assert_eq!(error.code(), ErrorCode::Cancelled, "{error}");
    });
    drop(hang);
    page(&client, &server.url());
}

#[test]
fn a_hanging_signature_is_left_when_the_calls_time_is_over() {
    let world = world();
    let module = world.module("late");
    let mut tls = world.tls(&*open(&module, "late", "ec"), "late");
    tls["key"] = json!(uri(&module, "late", "ec"));
    let client = client(&tls, None).unwrap();
    let server = OpensslServer::insisting(&world.authority, &[]);
    let hang = module.hang("C_Sign");
    let short = Call::within(Duration::from_millis(300));
    let error = get(&client, &server.url(), &short).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
    assert!(error.retryable(), "{error}");
    assert!(error.message().contains("late"), "names the token: {error}");
    drop(hang);
    page(&client, &server.url());
}

#[test]
fn threads_share_a_key_of_one_session() {
    let world = world();
    let module = world.module("crowd");
    let mut tls = world.tls(&*open(&module, "crowd", "ec"), "crowd");
    tls["key"] = json!(uri(&module, "crowd", "ec") + "&max-sessions=1");
    tls["resumption"] = json!(false);
    let client = client(&tls, None).unwrap();
    module.reset_counters();
    let server = Nginx::start(
        &world.authority,
        "ssl_verify_client on;\nlocation / { return 200 \"$ssl_client_s_dn\"; }",
    );
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..3 {
                    assert_eq!(page(&client, &server.url()), "CN=crowd,C=NO");
                }
            });
        }
    });
    assert_eq!(module.calls("C_Sign"), 24);
}
