//! Tokens with few mechanisms.

use cryptoki_sys::{CKA_ALWAYS_AUTHENTICATE, CKM_ECDSA, CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS};
use segl::{Algorithm, ErrorCode, Signer};

use crate::{module, open, require_good};

#[test]
fn without_the_raw_mechanism_the_token_hashes() {
    let module = module("hashing");
    module.rules(&format!("only_mechanism={CKM_SHA256_RSA_PKCS}"));
    let signer = open(&module, "token=hashing;object=rsa").unwrap();
    assert_eq!(signer.algorithms(), [Algorithm::RS256]);
    assert_eq!(signer.origin().mechanisms, ["CKM_SHA256_RSA_PKCS"]);
    require_good(&signer);
}

#[test]
fn a_mechanism_that_is_offered_and_refused_is_left_out() {
    let module = module("refusing");
    module.rules("C_SignInit rv=0x70 count=1");
    let signer = open(&module, "token=refusing;object=rsa").unwrap();
    assert_eq!(signer.algorithms()[0], Algorithm::RS256);
    assert_eq!(signer.origin().mechanisms[0], "CKM_SHA256_RSA_PKCS");
    require_good(&signer);
}

#[test]
fn without_any_mechanism_the_key_is_refused() {
    let module = module("useless");
    module.rules(&format!("only_mechanism={CKM_RSA_PKCS}"));
    let error = open(&module, "token=useless;object=ec").unwrap_err();
    assert_eq!(error.code(), ErrorCode::Mechanism, "{error}");
    assert!(!error.retryable(), "{error}");
    module.rules(&format!("clear; only_mechanism={CKM_ECDSA}"));
    let error = open(&module, "token=useless;object=rsa").unwrap_err();
    assert_eq!(error.code(), ErrorCode::Mechanism, "{error}");
    assert_eq!(module.calls("C_SignInit"), 0, "nothing to try");
    module.rules("clear; C_SignInit rv=0x70");
    let error = open(&module, "token=useless;object=ec").unwrap_err();
    assert_eq!(error.code(), ErrorCode::Mechanism, "{error}");
    assert_eq!(error.details().ck_rv, Some(0x70));
}

#[test]
fn a_key_that_hides_that_it_wants_a_login_for_each_signature_gets_it() {
    let module = module("hidden-login");
    module.rules(&format!("no_attribute={CKA_ALWAYS_AUTHENTICATE}"));
    let signer = open(&module, "token=hidden-login;object=always").unwrap();
    require_good(&signer);
    module.reset_counters();
    require_good(&signer);
    assert_eq!(module.calls("C_Login"), 1, "for the signature");
    assert_eq!(module.all_calls(), 3);
}
