//! What a proof says (RFC 9449 section 4.2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::sha::sha256;
use serde_json::{Map, Value};

use super::super::service::to_json;
use crate::clock::UnixTime;
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::http::Method;

/// The claims of one proof, but for those that are made when it is signed.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    htm: Method,
    htu: String,
    ath: Option<String>,
}

impl Claims {
    /// For one request.
    pub(super) fn new(method: Method, url: &Endpoint) -> Self {
        Self {
            htm: method,
            htu: url.without_query(),
            ath: None,
        }
    }

    /// Adds the hash of the token that the request carries.
    pub(super) fn with_token(mut self, access_token: &str) -> Self {
        self.ath = Some(URL_SAFE_NO_PAD.encode(sha256(access_token.as_bytes())));
        self
    }

    /// The claims at `now`, with a new `jti`.
    pub(super) fn to_json(&self, now: UnixTime, nonce: Option<&str>) -> Result<Vec<u8>> {
        let mut claims = Map::new();
        if let Some(ath) = &self.ath {
            claims.insert("ath".into(), ath.as_str().into());
        }
        claims.insert("htm".into(), self.htm.name().into());
        claims.insert("htu".into(), self.htu.as_str().into());
        claims.insert("iat".into(), now.seconds().into());
        let jti = uuid::Uuid::new_v4().to_string();
        claims.insert("jti".into(), Value::String(jti));
        if let Some(nonce) = nonce {
            claims.insert("nonce".into(), nonce.into());
        }
        to_json(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published in RFC 9449 section 7.1.
    #[test]
    fn the_token_of_the_rfc_has_the_hash_of_the_rfc() {
        let url = "https://resource.example.org/protectedresource?a=b";
        let claims = Claims::new(Method::Get, &url.parse().unwrap())
            .with_token("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
        let json = claims.to_json(UnixTime::from_seconds(1562262618), Some("n"));
        let json: Value = serde_json::from_slice(&json.unwrap()).unwrap();
        assert_eq!(json["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
        assert_eq!(
            json["htu"],
            "https://resource.example.org/protectedresource"
        );
        assert_eq!(json["htm"], "GET");
        assert_eq!(json["iat"], 1562262618);
        assert_eq!(json["nonce"], "n");
    }
}
