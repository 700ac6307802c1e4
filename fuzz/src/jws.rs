//! A compact JWS is read into what it is made of, and nothing of a wrong one is shown.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use segl::ErrorCode;
use segl::jws::decode;

use super::private::{MARK, assert_hidden};

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match decode(text) {
        Ok(parts) => {
            let signature = URL_SAFE_NO_PAD.encode(&parts.signature);
            assert_eq!(format!("{}.{signature}", parts.signing_input), text);
            let object =
                |members| URL_SAFE_NO_PAD.encode(serde_json::Value::Object(members).to_string());
            let again = decode(&format!(
                "{}.{}.",
                object(parts.header.clone()),
                object(parts.claims.clone())
            ))
            .unwrap();
            assert_eq!((again.header, again.claims), (parts.header, parts.claims));
        }
        Err(error) => assert_eq!(error.code(), ErrorCode::InvalidArgument),
    }
    // The same bytes as the JSON of each part.
    let (good, claims) = (URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(data));
    for (header, claims) in [(&good, &claims), (&claims, &good)] {
        if let Ok(parts) = decode(&format!("{header}.{claims}.")) {
            assert!(!format!("{parts:?}").contains(MARK) || header != &good);
        }
    }
    if !text.contains(MARK) {
        for wrong in [format!("{text}.{MARK}"), format!("{text}{MARK}={text}")] {
            if let Err(error) = decode(&wrong) {
                assert_hidden(&error, "a JWS");
            }
        }
    }
}
