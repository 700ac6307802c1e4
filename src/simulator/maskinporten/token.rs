//! Access tokens (docs.digdir.no, `maskinporten_protocol_token`).

use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::authorization::Access;
use super::client::Client;
use super::details::organization;
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

/// The claims of the access token for an authorised grant.
///
/// `aud` is there only when the grant has `resource`: one string, or an array
/// of several.
pub(super) fn claims(
    issuer: &str,
    client: &Client,
    client_amr: &str,
    grant: &Grant<'_>,
    access: &Access<'_>,
    authorization_details: Option<Value>,
    now: UnixTime,
) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("iss", issuer.into());
    put("client_id", client.client_id.as_str().into());
    put("client_amr", client_amr.into());
    put("consumer", organization(access.consumer));
    put("scope", grant.scopes.join(" ").into());
    put("token_type", "Bearer".into());
    put("iat", now.seconds().into());
    put("exp", now.plus(access.lifetime).seconds().into());
    put("jti", Uuid::new_v4().to_string().into());
    if let Some(supplier) = access.supplier {
        put("supplier", organization(supplier));
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
    claims
}
