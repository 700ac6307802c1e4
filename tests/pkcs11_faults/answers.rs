//! Tokens that answer in another form than the standard's, or tell less.

use segl::keys::pkcs11::Pkcs11Signer;
use segl::{Call, ErrorCode, Signer};

use crate::softhsm::pin;
use crate::{module, open, require_good, sign};

#[test]
fn ecdsa_signatures_in_der_are_converted() {
    let module = module("der");
    module.rules("C_Sign der");
    let signer = open(&module, "token=der;object=ec").unwrap();
    // R and S are shorter in DER now and then.
    for _ in 0..300 {
        require_good(&signer);
    }
    assert_eq!(sign(&signer).unwrap().len(), 64);
}

#[test]
fn a_point_without_its_octet_string_is_read() {
    let plain = module("plain-point");
    let expected = open(&plain, "token=point;object=ec").unwrap();
    let module = module("raw-point");
    module.rules("raw_ec_point");
    let signer = open(&module, "token=point;object=ec").unwrap();
    assert_eq!(signer.public_key(), expected.public_key());
    require_good(&signer);
}

#[test]
fn a_hidden_public_key_is_taken_from_the_certificate() {
    let plain = module("shown");
    let expected = open(&plain, "token=certified;object=from-file").unwrap();
    let module = module("hidden-certified");
    module.rules("no_public_key");
    let signer = open(&module, "token=certified;object=from-file").unwrap();
    assert_eq!(signer.public_key(), expected.public_key());
    require_good(&signer);
    module.rules("close_all");
    require_good(&signer);
}

#[test]
fn a_hidden_public_key_may_be_given() {
    let plain = module("given");
    let known = open(&plain, "token=given;object=ec").unwrap();
    let other = open(&plain, "token=given;object=ec2").unwrap();
    let module = module("hidden");
    module.rules("no_public_key");
    let uri = module.uri("token=given;object=ec");
    let open_with = |key: Option<&Pkcs11Signer>| {
        let key = key.map(Signer::public_key);
        Pkcs11Signer::open_expecting(&uri, pin(), key, &Call::none())
    };
    let error = open_with(None).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyNotFound, "{error}");
    let error = open_with(Some(&other)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::SignatureFault, "{error}");
    let signer = open_with(Some(&known)).unwrap();
    require_good(&signer);
}

#[test]
fn a_search_ends_only_with_an_empty_batch() {
    let module = module("short-find");
    module.rules("short_find");
    for key in ["ec", "ec2"] {
        require_good(&open(&module, &format!("token=short-find;object={key}")).unwrap());
    }
    let error = open(&module, "token=short-find").unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyAmbiguous, "{error}");
    for key in ["object=ec;", "object=ec2;"] {
        assert!(error.message().contains(key), "{key}: {error}");
    }
}
