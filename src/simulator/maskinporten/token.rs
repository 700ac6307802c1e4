//! Access tokens (docs.digdir.no, `maskinporten_protocol_token`).

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::grant::Grant;
use crate::clock::UnixTime;

/// `delegation_source` of the test environment.
const DELEGATION_SOURCE: &str = "https://tt02.altinn.no/";

/// The answer to a grant (RFC 6749 section 5.1).
#[derive(Serialize)]
pub(super) struct TokenResponse {
    pub(super) access_token: String,
    pub(super) token_type: &'static str,
    pub(super) expires_in: i64,
    pub(super) scope: String,
}

/// Whose token it is, and for how long.
pub(super) struct Holder<'a> {
    pub(super) client_id: &'a str,
    pub(super) client_amr: &'static str,
    pub(super) consumer: Value,
    pub(super) supplier: Option<Value>,
    /// Seconds.
    pub(super) lifetime: i64,
}

/// `token_type` of a token (RFC 6750, RFC 9449 section 5).
pub(super) fn token_type(key: Option<&str>) -> &'static str {
    match key {
        Some(_) => "DPoP",
        None => "Bearer",
    }
}

/// The claims of the access token for an authorised grant.
///
/// `key` is the thumbprint of the key that it is bound to.
///
/// `aud` is there only when the grant has `resource`: one string, or an array
/// of several.
pub(super) fn claims(
    issuer: &str,
    holder: Holder<'_>,
    grant: &Grant<'_>,
    authorization_details: Option<Value>,
    key: Option<&str>,
    now: UnixTime,
) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("iss", issuer.into());
    put("client_id", holder.client_id.into());
    put("client_amr", holder.client_amr.into());
    put("consumer", holder.consumer);
    put("scope", grant.scopes.join(" ").into());
    put("token_type", token_type(key).into());
    put("iat", now.seconds().into());
    put("exp", now.plus(holder.lifetime).seconds().into());
    put("jti", Uuid::new_v4().to_string().into());
    if let Some(supplier) = holder.supplier {
        put("supplier", supplier);
        put("delegation_source", DELEGATION_SOURCE.into());
    }
    match grant.resource.as_slice() {
        [] => {}
        [one] => {
            put("aud", (*one).into());
        }
        several => {
            put("aud", several.into());
        }
    }
    if let Some(pid) = grant.pid {
        put("pid", pid.into());
    }
    if let Some(details) = authorization_details {
        put("authorization_details", details);
    }
    if let Some(jkt) = key {
        put("cnf", json!({ "jkt": jkt }));
    }
    claims
}
