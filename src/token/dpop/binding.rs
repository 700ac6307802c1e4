//! Which key an access token says it is bound to.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

#[derive(Deserialize)]
struct Payload {
    cnf: Option<Confirmation>,
}

#[derive(Deserialize)]
struct Confirmation {
    jkt: Option<String>,
}

/// The thumbprint in `cnf.jkt` (RFC 9449 section 6.1), if the token is a JWT that has
/// one. Nothing is verified.
pub(in super::super) fn key_of_token(access_token: &str) -> Option<String> {
    let mut parts = access_token.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let payload = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload).ok()?);
    serde_json::from_slice::<Payload>(&payload).ok()?.cnf?.jkt
}
