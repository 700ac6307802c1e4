//! An issuer's keys: whatever stands beside them, a token is taken when its own key is among
//! them, and no other token is.

use std::sync::Arc;

use segl::jws::sign_json;
use segl::validate::{Requirements, Validator, ValidatorSettings};
use segl::{Algorithm, Call, ErrorCode, clock::UnixTime};
use serde_json::{Value, json};

use super::client::{Always, json as answer, signer};

pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const NOW: i64 = 1_800_000_000;

/// A validator whose issuer answers with `keys`.
pub(crate) fn validator(keys: &[u8]) -> Validator {
    let settings = json!({
        "issuer": ISSUER, "jwks_uri": "https://as.example/jwks", "algorithms": ["ES256", "RS256"],
    });
    let settings: ValidatorSettings = serde_json::from_value(settings).unwrap();
    Validator::builder(settings)
        .transport(Arc::new(Always(answer(200, keys.to_vec()))))
        .clock(Arc::new(segl::clock::FixedClock::new(
            UnixTime::from_seconds(NOW),
        )))
        .build()
        .unwrap()
}

/// A token of the issuer, by the key of RFC 7515 appendix A.3.
pub(crate) fn token(header: &Value, payload: &[u8]) -> Option<String> {
    sign_json(&*signer(), &header.to_string(), payload, &Call::none()).ok()
}

pub(crate) fn check(data: &[u8]) {
    let claims = json!({"iss": ISSUER, "iat": NOW - 1, "exp": NOW + 100}).to_string();
    let own = json!({"alg": "ES256", "kid": "k"});
    let good = token(&own, claims.as_bytes()).unwrap();
    let validator = validator(data);
    let first = validator.check(&good, &Requirements::default(), &Call::none());
    let second = validator.check(&good, &Requirements::default(), &Call::none());
    assert_eq!(first.is_ok(), second.is_ok());
    match first {
        Ok(_) => assert!(has_own_key(data), "{}", String::from_utf8_lossy(data)),
        Err(error) => {
            assert!((700..800).contains(&(error.code() as u32)), "{error}");
            assert!(!error.message().chars().any(char::is_control), "{error}");
        }
    }
    // The same with the right key at the end, where the bytes are a set at all.
    let Ok(Value::Object(mut set)) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let Some(Value::Array(keys)) = set.get_mut("keys") else {
        return;
    };
    if keys.len() > 60 {
        return;
    }
    keys.push(
        signer()
            .public_key()
            .to_registration("k", Algorithm::ES256)
            .into(),
    );
    let validator = self::validator(Value::Object(set).to_string().as_bytes());
    validator
        .check(&good, &Requirements::default(), &Call::none())
        .unwrap();
    let forged = format!("{}A", &good[..good.len() - 1]);
    let outcome = validator.check(&forged, &Requirements::default(), &Call::none());
    assert!(outcome.is_err() || forged == good);
    let none = format!("{}.", good.rsplit_once('.').unwrap().0);
    let error = validator.check(&none, &Requirements::default(), &Call::none());
    assert_ne!(error.unwrap_err().code(), ErrorCode::Panic);
}

/// Whether the set has the key's `x`, however it is written.
fn has_own_key(data: &[u8]) -> bool {
    let x = signer().public_key().members()["x"].clone();
    let set: Value = serde_json::from_slice(data).unwrap();
    let keys = set["keys"].as_array().unwrap();
    keys.iter().any(|key| key["x"] == x)
}
