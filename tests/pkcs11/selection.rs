//! Which key and which token a URI means.

use super::*;

#[test]
fn a_key_is_found_by_label_or_id_or_both() {
    let by_label = open("token=main;object=p256").unwrap();
    for path in [
        "token=main;id=%02",
        "token=main;object=p256;id=%02;type=private",
    ] {
        assert_eq!(
            open(path).unwrap().public_key(),
            by_label.public_key(),
            "{path}"
        );
    }
    let error = refusal("token=main;object=p256;id=%01");
    assert_eq!(error.code(), ErrorCode::KeyNotFound);
    assert!(
        error.message().contains("object=p256;id=%02"),
        "lists what there is: {error}"
    );
}

#[test]
fn keys_with_one_label_are_ambiguous() {
    let error = refusal("token=main;object=twin");
    assert_eq!(error.code(), ErrorCode::KeyAmbiguous);
    for key in ["object=twin;id=%21", "object=twin;id=%22"] {
        assert!(error.message().contains(key), "{error}");
    }
    require_good_signatures(&open("token=main;object=twin;id=%22").unwrap());
}

#[test]
fn an_only_key_needs_no_name() {
    require_good_signatures(&open("token=pool").unwrap());
}

#[test]
fn a_wrong_token_is_answered_with_those_present() {
    let error = refusal("token=nowhere;object=rsa");
    assert_eq!(error.code(), ErrorCode::TokenNotFound);
    for text in [
        "no token matches token=\"nowhere\"",
        "token \"main\" (serial ",
    ] {
        assert!(error.message().contains(text), "{error}");
    }
}

#[test]
fn tokens_with_one_label_are_ambiguous() {
    let error = refusal("token=double;object=rsa");
    assert_eq!(error.code(), ErrorCode::TokenAmbiguous);
    assert_eq!(
        error.message().matches("token \"double\" (serial ").count(),
        2,
        "{error}"
    );
}

#[test]
fn every_token_attribute_narrows() {
    let all = "token=main;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;\
               library-manufacturer=SoftHSM;slot-manufacturer=SoftHSM%20project;object=rsa";
    open(all).unwrap();
    for wrong in [
        "token=main;serial=0;object=rsa",
        "token=main;serial=;object=rsa",
        "token=main;model=v3;object=rsa",
        "token=main;library-version=99.1;object=rsa",
        "token=main;slot-description=nothing;object=rsa",
        "token=main;slot-id=4294967295;object=rsa",
    ] {
        assert_eq!(refusal(wrong).code(), ErrorCode::TokenNotFound, "{wrong}");
    }
}

#[test]
fn keys_of_other_kinds_are_refused() {
    let p521 = refusal("token=main;object=p521");
    assert_eq!(p521.code(), ErrorCode::KeyType, "{p521}");
    let ed25519 = refusal("token=main;object=ed25519");
    assert_eq!(ed25519.code(), ErrorCode::KeyType, "{ed25519}");
}
