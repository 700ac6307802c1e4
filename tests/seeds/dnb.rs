//! What is wrong in DNB's published script and not in `tests/dnb/` yet: the signature that
//! it prints.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use segl::{Algorithm, ErrorCode, PublicJwk};
use serde_json::Value;

#[test]
fn r_and_s_joined_by_a_dot_are_no_signature() {
    let samples: Value = serde_json::from_str(include_str!("../data/dnb.json")).unwrap();
    let registration = &samples["registration"];
    let token = registration["token"].as_str().unwrap();
    let right = segl::jws::decode(token).unwrap();
    let key = PublicJwk::from_json(&registration["jwk"].to_string()).unwrap();
    let input = right.signing_input.as_bytes();
    assert!(key.verify(Algorithm::ES256, input, &right.signature));

    let (r, s) = right.signature.split_at(32);
    let joined = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(r),
        URL_SAFE_NO_PAD.encode(s)
    );
    assert!(!key.verify(Algorithm::ES256, input, joined.as_bytes()));
    // As the script returns it, and as somebody would mend that.
    for (text, parts) in [
        (joined.clone(), 2),
        (format!("{}.{joined}", right.signing_input), 4),
    ] {
        let error = segl::jws::decode(&text).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(
            error.message().contains(&format!("this text has {parts}")),
            "{error}"
        );
    }
}
