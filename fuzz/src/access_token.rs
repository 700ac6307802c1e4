//! Access tokens that an API receives: what is taken is the issuer's and valid, and no
//! error and no `Debug` shows the person.

use segl::validate::Requirements;
use segl::{Algorithm, Call};
use serde_json::{Value, json};

use super::client::signer;
use super::jwks::{ISSUER, NOW, token, validator};
use super::private::digits;

/// The first line is what is required, the second the header, the rest the payload; all of
/// it is a token too.
pub(crate) fn check(data: &[u8]) {
    let keys = json!({"keys": [signer().public_key().to_registration("k", Algorithm::ES256)]});
    let validator = validator(keys.to_string().as_bytes());
    if let Ok(text) = std::str::from_utf8(data) {
        let outcome = validator.check(text, &Requirements::default(), &Call::none());
        assert!(outcome.is_err(), "nobody signed it: {text}");
    }
    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let mut line = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let (requirements, header) = (line(), line());
    let payload = parts.next().unwrap_or_default();
    let requirements = Requirements::from_json(&requirements).unwrap_or_default();
    let header = serde_json::from_str(&header).unwrap_or(Value::Null);
    let header = match header {
        Value::Object(_) => header,
        _ => json!({"alg": "ES256", "kid": "k"}),
    };
    let Some(token) = token(&header, payload) else {
        return;
    };
    match validator.check(&token, &requirements, &Call::none()) {
        Ok(verified) => {
            assert_eq!(verified.issuer(), ISSUER);
            assert!(verified.expires_at().seconds() > NOW - 61);
            assert_eq!(verified.payload().as_bytes(), payload);
            let wanted = requirements.scopes.iter().flatten();
            assert!(
                wanted
                    .clone()
                    .all(|scope| verified.has_scope(scope.as_str()))
            );
            if let Some(person) = &requirements.pid {
                assert_eq!(verified.person(), Some(person));
            }
            if let Some(wanted) = &requirements.audience {
                assert!(verified.audiences().any(|audience| audience == wanted));
            }
            if let Some(wanted) = &requirements.consumer {
                let consumer = verified.consumer().and_then(|found| found.org_number());
                assert_eq!(consumer, Some(wanted));
            }
            verified.to_json().unwrap();
            if let Some(person) = verified.person() {
                assert!(!format!("{verified:?}").contains(person.expose()));
            }
        }
        Err(error) => {
            assert!((700..800).contains(&(error.code() as u32)), "{error}");
            let text = error.message();
            assert!(!text.chars().any(char::is_control), "{text:?}");
            let is_person =
                |run: &&str| run.len() == 11 && payload.windows(11).any(|w| w == run.as_bytes());
            assert!(!digits(text, 11).any(|run| is_person(&run)), "{text}");
        }
    }
}
