//! What a proof says (RFC 9449 sections 4.2 and 4.3).

use axum::http::header;
use serde_json::{Map, Value};
use url::Url;

use super::super::assertion::Jws;
use super::{Refusal, Target};
use crate::alg::Algorithm;
use crate::clock::UnixTime;
use crate::keys::PublicJwk;

const TYP: &str = "dpop+jwt";

/// The thumbprint of the key in the header, which made the signature.
pub(super) fn signing_key(jws: &Jws<'_>, algorithms: &[Algorithm]) -> Result<String, Refusal> {
    if jws.header.get("typ").and_then(Value::as_str) != Some(TYP) {
        return Err(Refusal::Invalid(format!("typ is not {TYP}")));
    }
    let alg = jws
        .algorithm(algorithms)
        .ok_or_else(|| Refusal::invalid("alg is not one that is supported"))?;
    let jwk = jws
        .header
        .get("jwk")
        .filter(|jwk| jwk.is_object())
        .ok_or_else(|| Refusal::invalid("jwk is missing in the header"))?;
    let key = PublicJwk::from_json(&jwk.to_string())
        .map_err(|error| Refusal::Invalid(format!("jwk cannot be used: {}", error.message())))?;
    if !jws.is_signed_by(&key, alg) {
        return Err(Refusal::invalid(
            "the signature was not made by the key in jwk",
        ));
    }
    Ok(key.thumbprint().to_owned())
}

/// Requires `htm` and `htu` to be those of the request.
pub(super) fn require_target(claims: &Map<String, Value>, target: &Target) -> Result<(), Refusal> {
    let htm = text(claims, "htm")?.ok_or_else(|| Refusal::invalid("htm is missing"))?;
    if htm != target.method.as_str() {
        return Err(Refusal::invalid("htm is not the request's method"));
    }
    let htu = text(claims, "htu")?.ok_or_else(|| Refusal::invalid("htu is missing"))?;
    let htu = Url::parse(htu).map_err(|_| Refusal::invalid("htu is not an absolute URL"))?;
    if htu.query().is_some() || htu.fragment().is_some() {
        return Err(Refusal::invalid("htu has a query or a fragment"));
    }
    if Some(htu) != target.url() {
        return Err(Refusal::invalid("htu is not the request's URL"));
    }
    Ok(())
}

/// Requires `iat` to be about `now`, and gives it.
pub(super) fn require_time(
    claims: &Map<String, Value>,
    window: i64,
    now: UnixTime,
) -> Result<UnixTime, Refusal> {
    let iat = claims
        .get("iat")
        .ok_or_else(|| Refusal::invalid("iat is missing"))?
        .as_i64()
        .ok_or_else(|| Refusal::invalid("iat is not in whole seconds"))?;
    if iat < now.plus(-window).seconds() {
        return Err(Refusal::invalid("iat is too old"));
    }
    if iat > now.plus(window).seconds() {
        return Err(Refusal::invalid("iat lies in the future"));
    }
    Ok(UnixTime::from_seconds(iat))
}

/// A claim that is a text, if it is there.
pub(super) fn text<'a>(
    claims: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, Refusal> {
    claims
        .get(name)
        .map(|value| {
            value
                .as_str()
                .ok_or_else(|| Refusal::Invalid(format!("{name} is not a string")))
        })
        .transpose()
}

impl Target {
    /// Where the request was sent (RFC 9110 section 7.1), normalised, without query.
    fn url(&self) -> Option<Url> {
        let scheme = if self.connection.is_tls() {
            "https"
        } else {
            "http"
        };
        let host = self.headers.get(header::HOST)?.to_str().ok()?;
        Url::parse(&format!("{scheme}://{host}{}", self.uri.path())).ok()
    }
}
