//! The claims of a JWT grant (docs.digdir.no, `maskinporten_protocol_jwtgrant`).

use serde_json::{Map, Value};
use url::Url;

use super::super::assertion::Jws;
use super::errors::Refusal;
use crate::clock::UnixTime;
use crate::keys::OrgNumber;

/// Seconds by which clocks may differ.
pub(super) const SKEW: i64 = 10;

const HEADER: [&str; 4] = ["alg", "kid", "typ", "x5c"];

const CLAIMS: [&str; 11] = [
    "aud",
    "authorization_details",
    "consumer_org",
    "exp",
    "iat",
    "iss",
    "iss_onbehalfof",
    "jti",
    "pid",
    "resource",
    "scope",
];

/// Claims of the right type. Whether they may be granted is not known yet.
pub(super) struct Grant<'a> {
    pub(super) scopes: Vec<&'a str>,
    pub(super) jti: Option<&'a str>,
    pub(super) resource: Vec<&'a str>,
    pub(super) consumer_org: Option<OrgNumber>,
    pub(super) pid: Option<&'a str>,
    pub(super) authorization_details: Option<&'a Value>,
    iat: i64,
    exp: i64,
}

/// Refuses header parameters and claims that the documentation does not list.
pub(super) fn require_documented(jws: &Jws<'_>, tolerated: &[String]) -> Result<(), Refusal> {
    let unknown_header = jws
        .header
        .keys()
        .find(|name| !HEADER.contains(&name.as_str()));
    let unknown_claim = jws
        .claims
        .keys()
        .find(|name| !CLAIMS.contains(&name.as_str()) && !tolerated.contains(name));
    match unknown_header.or(unknown_claim) {
        Some(name) => Err(Refusal::undocumented(name)),
        None if jws.header.get("typ").is_some_and(|typ| typ != "JWT") => Err(Refusal::malformed()),
        None => Ok(()),
    }
}

/// The client that the grant is from.
pub(super) fn issuer(claims: &Map<String, Value>) -> Result<&str, Refusal> {
    text(claims, "iss")?.ok_or_else(Refusal::unknown_client)
}

/// Requires `aud` to be exactly `issuer`, as a string.
pub(super) fn require_audience(claims: &Map<String, Value>, issuer: &str) -> Result<(), Refusal> {
    if claims.get("aud").and_then(Value::as_str) == Some(issuer) {
        Ok(())
    } else {
        Err(Refusal::audience())
    }
}

impl<'a> Grant<'a> {
    /// Reads the claims beside `iss` and `aud`.
    pub(super) fn parse(claims: &'a Map<String, Value>) -> Result<Self, Refusal> {
        let scopes: Vec<_> = text(claims, "scope")?
            .unwrap_or("")
            .split_ascii_whitespace()
            .collect();
        if scopes.is_empty() {
            return Err(Refusal::missing("scope"));
        }
        if claims.contains_key("iss_onbehalfof") {
            return Err(Refusal::claim(if claims.contains_key("consumer_org") {
                "consumer_org and iss_onbehalfof are mutually exclusive."
            } else {
                "iss_onbehalfof is not registered on the client."
            }));
        }
        let consumer_org = match text(claims, "consumer_org")? {
            None => None,
            Some(orgno) => Some(
                orgno
                    .parse()
                    .map_err(|_| Refusal::claim("consumer_org is not an organization number."))?,
            ),
        };
        let pid = text(claims, "pid")?;
        if pid.is_some_and(|pid| pid.len() != 11 || !pid.bytes().all(|b| b.is_ascii_digit())) {
            return Err(Refusal::claim("pid is not 11 digits."));
        }
        let jti = text(claims, "jti")?;
        if jti == Some("") {
            return Err(Refusal::malformed());
        }
        Ok(Self {
            scopes,
            jti,
            resource: resource(claims)?,
            consumer_org,
            pid,
            authorization_details: claims.get("authorization_details"),
            iat: seconds(claims, "iat")?,
            exp: seconds(claims, "exp")?,
        })
    }

    /// The server's three checks of time, in its order.
    pub(super) fn require_time(&self, now: UnixTime, max_lifetime: i64) -> Result<(), Refusal> {
        if self.exp.saturating_sub(self.iat) > max_lifetime {
            return Err(Refusal::too_long());
        }
        if now.plus(SKEW).seconds() < self.iat {
            return Err(Refusal::not_yet_issued());
        }
        if now.plus(-SKEW).seconds() > self.exp {
            return Err(Refusal::expired());
        }
        Ok(())
    }

    /// The last second at which [`Grant::require_time`] would pass.
    pub(super) fn usable_until(&self) -> UnixTime {
        UnixTime::from_seconds(self.exp).plus(SKEW)
    }
}

/// `resource` (RFC 8707): an array of absolute URIs without fragment.
fn resource(claims: &Map<String, Value>) -> Result<Vec<&str>, Refusal> {
    let Some(value) = claims.get("resource") else {
        return Ok(Vec::new());
    };
    let uris = value
        .as_array()
        .filter(|uris| !uris.is_empty())
        .ok_or_else(|| Refusal::target("only an array is supported"))?;
    uris.iter()
        .map(|uri| {
            let text = uri
                .as_str()
                .ok_or_else(|| Refusal::target("not a string"))?;
            match Url::parse(text) {
                Ok(url) if url.fragment().is_none() => Ok(text),
                Ok(_) => Err(Refusal::target("a fragment is not allowed")),
                Err(_) => Err(Refusal::target("not an absolute URI")),
            }
        })
        .collect()
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(Refusal::malformed),
    }
}

/// Whole seconds; a fraction or a string is malformed.
fn seconds(claims: &Map<String, Value>, name: &str) -> Result<i64, Refusal> {
    let value = claims.get(name).ok_or_else(|| Refusal::missing(name))?;
    value.as_i64().ok_or_else(Refusal::malformed)
}
