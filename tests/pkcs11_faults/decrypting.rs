//! Decryption while something fails: the token is put right, and a ciphertext is blamed
//! only when the token is well.

use std::time::Duration;

use openssl::pkey::PKey;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use segl::alg::KeyEncryption;
use segl::keys::{Decrypter, Pkcs11Decrypter};
use segl::{Call, ErrorCode, PublicJwk};

use crate::fault::{FaultModule, eventually};
use crate::{module, pin};

const PLAIN: &[u8] = b"0123456789abcdef0123456789abcdef";

fn open(module: &FaultModule, path: &str) -> Pkcs11Decrypter {
    Pkcs11Decrypter::open(&module.uri(path), pin(), &Call::none()).unwrap()
}

fn encrypt(to: &PublicJwk) -> Vec<u8> {
    let key = PKey::public_key_from_der(&to.to_spki_der().unwrap()).unwrap();
    let mut context = PkeyCtx::new(&key).unwrap();
    context.encrypt_init().unwrap();
    context.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
    let mut ciphertext = Vec::new();
    context.encrypt_to_vec(PLAIN, &mut ciphertext).unwrap();
    ciphertext
}

fn require_good(key: &Pkcs11Decrypter) {
    let ciphertext = encrypt(key.public_key());
    let plain = key.decrypt(KeyEncryption::RsaOaep, &ciphertext, &Call::none());
    assert_eq!(plain.unwrap().expose(), PLAIN);
}

#[test]
fn in_steady_state_a_decryption_is_two_calls() {
    let module = module("decrypt-steady");
    let key = open(&module, "token=decrypt-steady;object=rsa");
    let ciphertext = encrypt(key.public_key());
    module.reset_counters();
    for _ in 0..10 {
        key.decrypt(KeyEncryption::RsaOaep, &ciphertext, &Call::none())
            .unwrap();
    }
    assert_eq!(module.calls("C_DecryptInit"), 10);
    assert_eq!(module.calls("C_Decrypt"), 10);
    assert_eq!(module.all_calls(), 20);
}

#[test]
fn what_passes_is_put_right() {
    let module = module("decrypt-heals");
    let key = open(&module, "token=decrypt-heals;object=rsa");
    for rules in [
        // A session that is gone, in either call.
        "C_Decrypt rv=0xB3 count=1",
        "C_DecryptInit rv=0xB3 count=1",
        "C_DecryptInit executed rv=0xB0 count=1",
        // CKR_DEVICE_ERROR, CKR_GENERAL_ERROR, CKR_HOST_MEMORY, CKR_FUNCTION_FAILED.
        "C_Decrypt rv=0x30 count=1",
        "C_Decrypt rv=0x5 count=1",
        "C_Decrypt rv=0x2 count=1",
        "C_Decrypt executed rv=0x6 count=1",
        "C_Decrypt executed rv=0x5 count=3",
        "C_DecryptInit rv=0x5 count=2",
        // Logged out, and handles that are good no more.
        "C_DecryptInit rv=0x101 count=1",
        "C_DecryptInit rv=0x60 count=1",
        "C_DecryptInit rv=0x82 count=2",
        // CKR_ENCRYPTED_DATA_INVALID, once and wrongly.
        "C_Decrypt executed rv=0x40 count=1",
    ] {
        module.rules(rules);
        require_good(&key);
        module.rules("clear");
        require_good(&key);
    }
}

#[test]
fn sessions_that_are_closed_by_others_are_made_anew() {
    let module = module("decrypt-closed");
    let key = open(&module, "token=decrypt-closed;object=rsa");
    require_good(&key);
    module.rules("close_all");
    require_good(&key);
}

/// SoftHSM says `CKR_GENERAL_ERROR` to a wrong ciphertext, which elsewhere means that
/// somebody has logged out.
#[test]
fn a_wrong_ciphertext_costs_the_token_nothing() {
    let module = module("decrypt-wrong");
    let key = open(&module, "token=decrypt-wrong;object=rsa");
    require_good(&key);
    module.reset_counters();
    for _ in 0..5 {
        let error = key
            .decrypt(KeyEncryption::RsaOaep, &[1; 256], &Call::none())
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::JweInvalid, "{error}");
    }
    assert_eq!(module.calls("C_Login"), 0);
    assert_eq!(module.calls("C_Initialize"), 0);
    // The wrong one, the known one, the wrong one.
    assert_eq!(module.calls("C_Decrypt"), 15);
    require_good(&key);
}

/// A session on which the operation stays pending after a failure.
#[test]
fn a_wrong_ciphertext_that_leaves_its_session_dirty_is_told_too() {
    let module = module("decrypt-dirty");
    let key = open(&module, "token=decrypt-dirty;object=rsa");
    require_good(&key);
    module.reset_counters();
    // The real module does not see the call, so its operation stays active.
    module.rules("C_Decrypt rv=0x5 count=1");
    let error = key
        .decrypt(KeyEncryption::RsaOaep, &[1; 256], &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::JweInvalid, "{error}");
    assert_eq!(module.calls("C_Login"), 0);
    require_good(&key);
}

#[test]
fn a_token_that_decrypts_no_more_is_not_taken_for_a_wrong_ciphertext() {
    let module = module("decrypt-broken");
    let key = open(&module, "token=decrypt-broken;object=rsa");
    module.rules("C_Decrypt executed rv=0x40");
    let ciphertext = encrypt(key.public_key());
    let error = key
        .decrypt(KeyEncryption::RsaOaep, &ciphertext, &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Device, "{error}");
    assert_eq!(error.details().ck_function, Some("C_Decrypt"));
    module.rules("clear");
    require_good(&key);
}

#[test]
fn a_call_that_hangs_does_not_keep_its_caller() {
    let module = module("decrypt-hangs");
    let key = open(&module, "token=decrypt-hangs;object=rsa");
    let ciphertext = encrypt(key.public_key());
    let hang = module.hang("C_Decrypt");
    let call = Call::within(Duration::from_millis(200));
    let error = key
        .decrypt(KeyEncryption::RsaOaep, &ciphertext, &call)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
    drop(hang);
    require_good(&key);
}

/// Others decrypt meanwhile, so it is not the token that does not answer.
#[test]
fn one_call_that_hangs_stops_nobody_else() {
    let module = module("decrypt-hang-one");
    let key = open(&module, "token=decrypt-hang-one;object=rsa");
    let ciphertext = encrypt(key.public_key());
    module.rules("C_Decrypt hang count=1");
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| {
            let call = Call::within(Duration::from_millis(1500));
            key.decrypt(KeyEncryption::RsaOaep, &ciphertext, &call)
        });
        eventually("it hangs", || module.hanging() == 1);
        require_good(&key);
        let error = caller.join().unwrap().unwrap_err();
        assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
        for _ in 0..10 {
            require_good(&key);
        }
    });
    module.rules("release");
    eventually("the call that hung is back", || module.hanging() == 0);
    require_good(&key);
}

/// A job whose caller is gone must not put anything right under those who decrypt.
#[test]
fn a_job_that_was_left_behind_ends_with_its_own_failure() {
    const OTHERS: u64 = 5;
    let module = module("decrypt-late");
    let key = open(&module, "token=decrypt-late;object=rsa");
    let ciphertext = encrypt(key.public_key());
    module.reset_counters();
    module.rules("C_DecryptInit hang rv=0x60 count=1");
    let short = Call::within(Duration::from_millis(50));
    let error = key
        .decrypt(KeyEncryption::RsaOaep, &ciphertext, &short)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
    for _ in 0..OTHERS {
        require_good(&key);
    }
    module.rules("release");
    eventually("it is back", || module.hanging() == 0);
    // Long enough for it to end.
    std::thread::sleep(Duration::from_millis(200));
    for _ in 0..OTHERS {
        require_good(&key);
    }
    assert_eq!(module.calls("C_DecryptInit"), 1 + 2 * OTHERS);
    assert_eq!(module.calls("C_GetSessionInfo"), 0, "nothing is looked at");
}
