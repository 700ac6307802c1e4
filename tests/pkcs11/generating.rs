//! Keys made by segl.

use super::*;

#[test]
fn a_generated_key_cannot_leave_the_token() {
    fixture();
    for (alg, label) in [
        (Algorithm::RS256, "made-rsa"),
        (Algorithm::ES256, "made-p256"),
        (Algorithm::ES384, "made-p384"),
    ] {
        let token = uri("token=made");
        let mut spec = TokenKeySpec::new(alg, label);
        if alg == Algorithm::ES384 {
            spec.id = Some(vec![0, 0xff]);
        }
        let public_key = generate_on_token(&token, pin(), &spec, &Call::none()).unwrap();
        let signer = open(&format!("token=made;object={label}")).unwrap();
        assert_eq!(*signer.public_key(), public_key);
        require_good_signatures(&signer);
        let origin = signer.origin();
        assert_eq!(origin.kind, "pkcs11");
        assert_eq!(origin.extractable, Some(false));
        assert_eq!(origin.sensitive, Some(true));
        assert_eq!(origin.never_extractable, Some(true));
        let token_name = origin.token.unwrap();
        assert!(token_name.contains("label made, serial "), "{token_name}");

        let again = generate_on_token(&token, pin(), &spec, &Call::none()).unwrap_err();
        assert_eq!(again.code(), ErrorCode::KeyExists, "{again}");
    }
    open("token=made;id=%00%ff").unwrap();
    let mut same_id = TokenKeySpec::new(Algorithm::ES256, "another");
    same_id.id = Some(vec![0, 0xff]);
    let error = generate_on_token(&uri("token=made"), pin(), &same_id, &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyExists);
    assert!(error.message().contains("this id"), "{error}");
}

#[test]
fn a_key_is_only_made_as_named() {
    fixture();
    let mut spec = TokenKeySpec::new(Algorithm::RS256, "k");
    let code = |path: &str, spec: &TokenKeySpec| {
        generate_on_token(&uri(path), pin(), spec, &Call::none())
            .unwrap_err()
            .code()
    };
    assert_eq!(
        code("token=made;object=other", &spec),
        ErrorCode::InvalidArgument
    );
    assert_eq!(code("token=made;id=%01", &spec), ErrorCode::InvalidArgument);
    spec.rsa_bits = 1024;
    assert_eq!(code("token=made", &spec), ErrorCode::InvalidArgument);
}
