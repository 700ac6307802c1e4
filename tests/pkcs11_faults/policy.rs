//! Which keys are used: those that stay inside, and the one that is pinned.

use cryptoki_sys::{CKA_EXTRACTABLE, CKA_SENSITIVE};
use segl::{ErrorCode, Signer};

use crate::{module, open, require_good};

#[test]
fn a_key_that_can_leave_its_token_is_refused_unless_allowed() {
    let module = module("leaving");
    let error = open(&module, "token=leaving;object=leaving").unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyExtractable, "{error}");
    assert!(error.message().contains("CKA_EXTRACTABLE"), "{error}");
    assert!(error.message().contains("extractable=allow"), "{error}");
    let signer = open(&module, "token=leaving;object=leaving?extractable=allow").unwrap();
    assert_eq!(signer.origin().extractable, Some(true));
    require_good(&signer);
}

#[test]
fn a_key_of_which_the_token_does_not_tell_is_refused() {
    let module = module("silent");
    for attribute in [CKA_EXTRACTABLE, CKA_SENSITIVE] {
        module.rules(&format!("no_attribute={attribute}"));
        let error = open(&module, "token=silent;object=ec").unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeyExtractable, "{error}");
        assert!(error.message().contains("does not tell"), "{error}");
        require_good(&open(&module, "token=silent;object=ec?extractable=allow").unwrap());
        module.rules("clear");
    }
}

#[test]
fn only_the_pinned_key_is_opened() {
    let module = module("pinned");
    let thumbprint = |object: &str| {
        let signer = open(&module, &format!("token=pinned;object={object}")).unwrap();
        signer.public_key().thumbprint().to_owned()
    };
    let (own, other) = (thumbprint("ec"), thumbprint("ec2"));
    require_good(&open(&module, &format!("token=pinned;object=ec?thumbprint={own}")).unwrap());
    let error = open(
        &module,
        &format!("token=pinned;object=ec?thumbprint={other}"),
    )
    .unwrap_err();
    assert_eq!(error.code(), ErrorCode::PublicKeyMismatch, "{error}");
    assert!(error.message().contains(&own) && error.message().contains(&other));
}
