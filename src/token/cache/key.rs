//! What a token is for, in full: two requests with the same key may share one.

use openssl::sha::Sha256;
use serde_json::{Map, Value};

use crate::clock::UnixTime;
use crate::error::Result;
use crate::keys::PublicJwk;
use crate::profiles::{Profile, TokenRequest};

/// A digest of everything that decides what a token says and who may have it:
/// profile, token endpoint, key, the certificate of TLS and the key of DPoP, to which a
/// service may bind its tokens (RFC 8705 section 3, RFC 9449), and the claims and form
/// parameters that the request and the settings lead to, in an order of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in super::super) struct CacheKey([u8; 32]);

/// Claims that are new in each assertion.
const MADE_ANEW: [&str; 4] = ["exp", "iat", "jti", "nbf"];

/// Claims and parameters whose parts have no order.
const UNORDERED: [&str; 2] = ["scope", "resource"];

impl CacheKey {
    /// The key of `request`. The thumbprints are those of what its token may be bound to.
    ///
    /// # Errors
    /// As [`Profile::claims`]: a request that the service would refuse has none.
    pub(in super::super) fn new(
        profile: &dyn Profile,
        public_key: &PublicJwk,
        tls_thumbprint: Option<&str>,
        dpop_thumbprint: Option<&str>,
        request: &TokenRequest,
        now: UnixTime,
    ) -> Result<Self> {
        let mut claims = profile.claims(request, now)?;
        for name in MADE_ANEW {
            claims.remove(name);
        }
        // A parameter may come several times.
        let mut form: Map<String, Value> = Map::new();
        for (name, value) in profile.form("", request) {
            let values = form.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(values) = values {
                values.push(value.into());
            }
        }
        if let Some(scopes) = form.get_mut("scope").and_then(Value::as_array_mut) {
            scopes.iter_mut().for_each(sort);
        }
        let mut parts = Map::new();
        parts.insert("claims".into(), Value::Object(claims));
        parts.insert("form".into(), form.into());
        parts.insert("profile".into(), profile.name().into());
        parts.insert(
            "endpoint".into(),
            profile.token_endpoint().to_string().into(),
        );
        parts.insert("key".into(), public_key.thumbprint().into());
        for (name, thumbprint) in [("tls", tls_thumbprint), ("dpop", dpop_thumbprint)] {
            if let Some(thumbprint) = thumbprint {
                parts.insert(name.into(), thumbprint.into());
            }
        }
        for part in ["claims", "form"] {
            for name in UNORDERED {
                if let Some(value) = parts.get_mut(part).and_then(|part| part.get_mut(name)) {
                    sort(value);
                }
            }
        }
        let mut whole = Value::Object(parts);
        whole.sort_all_objects();
        let mut hasher = Sha256::new();
        hasher.update(whole.to_string().as_bytes());
        Ok(Self(hasher.finish()))
    }

    /// The digest.
    pub(in super::super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The words of a text or the elements of an array in order, each once.
fn sort(value: &mut Value) {
    match value {
        Value::String(words) => {
            let mut sorted: Vec<_> = words.split(' ').collect();
            sorted.sort_unstable();
            sorted.dedup();
            *words = sorted.join(" ");
        }
        Value::Array(elements) => {
            elements.sort_by_key(Value::to_string);
            elements.dedup();
        }
        _ => {}
    }
}
