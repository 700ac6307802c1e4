//! Shutting PKCS#11 down while threads sign. It ends a module for the whole
//! process, so this test has a process of its own.

#[path = "support/softhsm.rs"]
mod softhsm;

use std::sync::Barrier;

use segl::keys::pkcs11::{Pkcs11Signer, shutdown};
use segl::{Algorithm, Call, ErrorCode, Signer};
use softhsm::{SoftHsm, pin, uri};

#[test]
fn shutting_down_is_safe_while_threads_sign() {
    let hsm = SoftHsm::new("pkcs11-shutdown");
    hsm.init_token("main");
    hsm.generate("main", "EC:prime256v1", "01", "key", &[]);
    let open = || Pkcs11Signer::open(&uri("token=main;object=key"), pin(), &Call::none()).unwrap();
    let sign = |signer: &Pkcs11Signer| signer.sign(Algorithm::ES256, b"m", &Call::none());

    for _ in 0..5 {
        let signer = open();
        let all_signed = Barrier::new(5);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    sign(&signer).unwrap();
                    all_signed.wait();
                    let error = loop {
                        if let Err(error) = sign(&signer) {
                            break error;
                        }
                    };
                    assert_eq!(error.code(), ErrorCode::ModuleInit, "{error}");
                    assert!(error.message().contains("open the key again"), "{error}");
                });
            }
            all_signed.wait();
            shutdown(&Call::none()).unwrap();
        });
        assert_eq!(sign(&signer).unwrap_err().code(), ErrorCode::ModuleInit);
        let again = open();
        sign(&again).unwrap();
        drop(signer);
        sign(&again).unwrap();
        drop(again);
        shutdown(&Call::none()).unwrap();
    }
    shutdown(&Call::none()).unwrap();
}
