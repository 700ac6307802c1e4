//! segl with NSS softokn, the token of Firefox and of Java's FIPS mode. It is
//! configured by `pReserved`, answers `CKR_KEY_TYPE_INCONSISTENT` or
//! `CKR_HOST_MEMORY` for a key that nobody is logged in to, and its keys can leave
//! it unless that is forbidden when they are made.

#[path = "support/battery.rs"]
mod battery;
#[path = "support/nss.rs"]
mod nss;
#[path = "support/other_code.rs"]
mod other_code;
#[path = "support/verify.rs"]
mod verify;

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use battery::{Key, P256, P384, RSA, Token};
use nss::Nss;
use segl::keys::pkcs11::{TokenKeySpec, generate_on_token, shutdown};
use segl::{Algorithm, Call, ErrorCode, Secret, Signer};

struct Fixture {
    /// The token, refusing keys that can leave it.
    strict: Token,
    /// The token, allowing them.
    token: Token,
    /// The path of a key that cannot leave it.
    sealed: String,
}

/// The token, and the turn to use the module.
fn fixture() -> MutexGuard<'static, Fixture> {
    static FIXTURE: LazyLock<Mutex<Fixture>> = LazyLock::new(|| {
        let nss = Nss::new("real-nss");
        nss.import(
            "rsa",
            &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        );
        for (label, curve) in [("p256", "P-256"), ("p384", "P-384")] {
            let curve = format!("ec_paramgen_curve:{curve}");
            nss.import(label, &["-algorithm", "EC", "-pkeyopt", &curve]);
        }
        nss.generate_unextractable("sealed");
        let strict = Token {
            module: nss::module().into(),
            label: nss::TOKEN,
            settings: format!("&init-reserved={}", nss.init_reserved()),
            pin: nss::PIN,
            keys: vec![
                Key::new("rsa", &nss.id("rsa"), RSA),
                Key::new("p256", &nss.id("p256"), P256),
                Key::new("p384", &nss.id("p384"), P384),
            ],
        };
        Mutex::new(Fixture {
            token: strict.with("&extractable=allow"),
            strict,
            sealed: format!("id={}", nss.id("sealed")),
        })
    });
    FIXTURE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn every_algorithm_signs() {
    battery::every_algorithm_signs(&fixture().token);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn both_algorithms_decrypt() {
    battery::both_algorithms_decrypt(&fixture().token, "object=rsa");
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn a_wrong_pin_is_tried_once() {
    battery::a_wrong_pin_is_tried_once(&fixture().token);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn a_missing_key_is_answered_with_those_present() {
    battery::a_missing_key_is_answered_with_those_present(&fixture().token);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn many_threads_share_four_sessions() {
    battery::many_threads_share_four_sessions(&fixture().token, 50);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn what_other_code_takes_away_is_made_anew() {
    battery::what_other_code_takes_away_is_made_anew(&fixture().token);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn keys_open_again_after_a_shutdown() {
    battery::keys_open_again_after_a_shutdown(&fixture().token);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn an_extractable_key_is_refused_unless_allowed() {
    let fixture = fixture();
    for key in &fixture.strict.keys {
        let path = format!("object={}", key.label);
        battery::an_extractable_key_is_refused_unless_allowed(&fixture.strict, &path);
    }
    let sealed = fixture.strict.open(&fixture.sealed).unwrap();
    assert_eq!(sealed.origin().extractable, Some(false));
    battery::require_good_signatures(&sealed);
}

/// softokn says `CKA_LOCAL` = false of keys that it made itself.
#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn a_generated_key_of_unsure_origin_is_removed_again() {
    let token = &fixture().strict;
    let spec = TokenKeySpec::new(Algorithm::ES256, "made");
    let pin = Some(Secret::from(token.pin.as_bytes()));
    let error =
        generate_on_token(&token.uri("type=private"), pin, &spec, &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Device, "{error}");
    assert!(error.message().contains("CKA_LOCAL"), "{error}");
    let gone = token.open("object=made").unwrap_err();
    assert_eq!(gone.code(), ErrorCode::KeyNotFound, "{gone}");
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn without_its_configuration_the_module_does_not_start() {
    let fixture = fixture();
    shutdown(&Call::none()).unwrap();
    let bare = Token {
        settings: String::new(),
        ..fixture.token.clone()
    };
    let error = bare.open("object=p256").unwrap_err();
    assert_eq!(error.code(), ErrorCode::ModuleInit, "{error}");
    assert_eq!(error.details().ck_rv, Some(0x7), "{error}");
    fixture.token.open("object=p256").unwrap();
}
