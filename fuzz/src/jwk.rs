//! Public keys as JWK and as SubjectPublicKeyInfo say the same, and a private one is
//! refused.

use segl::{ErrorCode, PublicJwk};
use serde_json::Value;

use super::private::{MARK, assert_hidden};

pub(crate) fn check(data: &[u8]) {
    if let Ok(key) = PublicJwk::from_spki_der(data) {
        accepted(&key);
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match PublicJwk::from_json(text) {
        Ok(key) => {
            accepted(&key);
            private_is_refused(text);
        }
        Err(error) => assert!(
            matches!(error.code(), ErrorCode::KeyFormat | ErrorCode::KeyType),
            "{error}"
        ),
    }
}

fn accepted(key: &PublicJwk) {
    let json = Value::Object(key.members()).to_string();
    let again = PublicJwk::from_json(&json).unwrap();
    assert_eq!(&again, key);
    assert_eq!(again.thumbprint(), key.thumbprint());
    assert_eq!(key.thumbprint().len(), 43);
    let of_der = PublicJwk::from_spki_der(&key.to_spki_der().unwrap()).unwrap();
    assert_eq!(&of_der, key);
    for alg in key.algorithms() {
        let json = Value::Object(key.to_registration("k", *alg)).to_string();
        assert_eq!(&PublicJwk::from_json(&json).unwrap(), key);
        assert!(!key.verify(*alg, b"message", b""));
        assert!(!key.verify(*alg, b"message", &[0; 64]));
    }
}

fn private_is_refused(text: &str) {
    let Ok(Value::Object(mut jwk)) = serde_json::from_str(text) else {
        panic!("a JWK that is no object: {text}");
    };
    jwk.insert("d".to_owned(), MARK.into());
    let error = PublicJwk::from_json(&Value::Object(jwk).to_string()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyFormat);
    assert_hidden(&error, "a private JWK");
}
