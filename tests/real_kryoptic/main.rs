//! segl with Kryoptic, a software token of another make: PKCS#11 3.2, hashing
//! mechanisms for every algorithm, `CKA_PUBLIC_KEY_INFO`, and `CKR_GENERAL_ERROR`
//! for a key that nobody is logged in to.

#[path = "../support/authority.rs"]
mod authority;
#[path = "../support/battery.rs"]
mod battery;
#[path = "../oidc_provider/certificates.rs"]
mod certificates;
#[path = "../support/kryoptic.rs"]
mod kryoptic;
#[path = "../support/nginx.rs"]
mod nginx;
#[allow(dead_code, reason = "most of it is for other tests")]
#[path = "../support/oidc_provider.rs"]
mod oidc_provider;
#[path = "../support/openssl_server.rs"]
mod openssl_server;
#[path = "../support/other_code.rs"]
mod other_code;
mod servers;
#[allow(dead_code, reason = "most of it is for SoftHSM")]
#[path = "../support/softhsm.rs"]
mod softhsm;
#[path = "../support/verify.rs"]
mod verify;

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use battery::{Key, P256, P384, RSA, Token};
use kryoptic::{Kryoptic, PIN};

/// The token, and the turn to use the module.
fn token() -> MutexGuard<'static, Token> {
    static TOKEN: LazyLock<Mutex<Token>> = LazyLock::new(|| {
        let kryoptic = Kryoptic::new("real-kryoptic", &["main", "pins"]);
        kryoptic.generate("main", "rsa:2048", "01", "rsa", &[]);
        let decrypts = ["--usage-decrypt"];
        kryoptic.generate("main", "rsa:2048", "07", "cipher", &decrypts);
        kryoptic.generate("main", "EC:prime256v1", "02", "p256", &[]);
        kryoptic.generate("main", "EC:secp384r1", "03", "p384", &[]);
        kryoptic.generate("main", "EC:prime256v1", "04", "loose", &["--extractable"]);
        for (kind, id, label) in [
            ("EC:prime256v1", "05", "lonely"),
            ("rsa:2048", "06", "lonely-rsa"),
        ] {
            kryoptic.generate("main", kind, id, label, &[]);
            let delete = ["--delete-object", "--type", "pubkey", "--id", id];
            kryoptic.tool("main", &delete);
        }
        kryoptic.generate("pins", "EC:prime256v1", "02", "p256", &[]);
        Mutex::new(Token {
            module: kryoptic.module().to_owned(),
            label: "main",
            settings: String::new(),
            pin: PIN,
            keys: vec![
                Key::new("rsa", "%01", RSA),
                Key::new("p256", "%02", P256),
                Key::new("p384", "%03", P384),
            ],
        })
    });
    TOKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn every_algorithm_signs() {
    battery::every_algorithm_signs(&token());
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn both_algorithms_decrypt() {
    battery::both_algorithms_decrypt(&token(), "object=cipher");
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn a_wrong_pin_is_tried_once() {
    let main = token();
    let pins = Token {
        label: "pins",
        ..main.with("&pin-count-low=try")
    };
    battery::a_wrong_pin_is_tried_once(&pins);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn a_missing_key_is_answered_with_those_present() {
    battery::a_missing_key_is_answered_with_those_present(&token());
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn many_threads_share_four_sessions() {
    battery::many_threads_share_four_sessions(&token(), 100);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn what_other_code_takes_away_is_made_anew() {
    battery::what_other_code_takes_away_is_made_anew(&token());
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn keys_open_again_after_a_shutdown() {
    battery::keys_open_again_after_a_shutdown(&token());
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn an_extractable_key_is_refused_unless_allowed() {
    battery::an_extractable_key_is_refused_unless_allowed(&token(), "object=loose");
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn a_generated_key_cannot_leave_the_token() {
    battery::a_generated_key_cannot_leave_the_token(&token());
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn the_public_key_may_be_in_the_private_one() {
    let token = token();
    for label in ["lonely", "lonely-rsa"] {
        battery::the_public_key_may_be_in_the_private_one(&token, label);
    }
}
