//! `private_key_jwt` (RFC 7523 section 3) with ES256.

use serde_json::{Map, Value};

use super::super::assertion::Jws;
use super::client::Client;
use super::errors::Refusal;
use crate::alg::Algorithm;
use crate::clock::UnixTime;

/// Most seconds from issue to expiry: the lifetime of DNB's sample token.
const MAX_LIFETIME: i64 = 1200;

/// The client that an assertion names, unproven.
pub(super) fn claimed_client<'a>(jws: &'a Jws<'_>) -> Result<&'a str, Refusal> {
    let iss = text(&jws.claims, "iss").ok_or_else(|| {
        Refusal::client(if jws.claims.contains_key("cnf") {
            "client_assertion is a registration JWT; it authenticates nobody"
        } else {
            "client_assertion has no iss"
        })
    })?;
    if text(&jws.claims, "sub") != Some(iss) {
        return Err(Refusal::client("sub of client_assertion is not iss"));
    }
    Ok(iss)
}

/// An assertion whose every rule but its single use was checked.
pub(super) struct Verified<'a> {
    pub(super) jti: &'a str,
    /// The last second at which it passes.
    pub(super) usable_until: UnixTime,
}

/// Checks header, signature and claims of an assertion from `client`.
pub(super) fn verify<'a>(
    jws: &'a Jws<'_>,
    client: &Client,
    audiences: &[String],
    now: UnixTime,
) -> Result<Verified<'a>, Refusal> {
    require_signature(jws, client)?;
    let claims = &jws.claims;
    if !is_addressed_to(claims, audiences) {
        return Err(Refusal::client(
            "aud of client_assertion is not this token endpoint",
        ));
    }
    let (now, exp) = (now.seconds(), required_seconds(claims, "exp")?);
    let iat = seconds(claims, "iat")?;
    if iat.is_some_and(|iat| iat > now) {
        return Err(Refusal::client(
            "iat of client_assertion lies in the future",
        ));
    }
    if seconds(claims, "nbf")?.is_some_and(|nbf| nbf > now) {
        return Err(Refusal::client(
            "nbf of client_assertion lies in the future",
        ));
    }
    if exp <= now {
        return Err(Refusal::client("client_assertion is expired"));
    }
    if exp.saturating_sub(iat.unwrap_or(now)) > MAX_LIFETIME {
        return Err(Refusal::client(
            "client_assertion lives longer than 1200 seconds",
        ));
    }
    let jti = text(claims, "jti")
        .filter(|jti| !jti.is_empty())
        .ok_or_else(|| Refusal::client("client_assertion has no jti"))?;
    Ok(Verified {
        jti,
        usable_until: UnixTime::from_seconds(exp),
    })
}

fn require_signature(jws: &Jws<'_>, client: &Client) -> Result<(), Refusal> {
    let alg = jws
        .algorithm(&[Algorithm::ES256])
        .ok_or_else(|| Refusal::client("alg of client_assertion is not ES256"))?;
    match jws.header.get("typ").map(Value::as_str) {
        None | Some(Some("JWT" | "client-authentication+jwt")) => {}
        Some(_) => return Err(Refusal::client("typ of client_assertion is not JWT")),
    }
    let signed = match jws.header.get("kid") {
        Some(kid) => {
            let key = kid.as_str().and_then(|kid| client.jwks.find(kid));
            let key = key.ok_or_else(|| Refusal::client("kid of client_assertion is unknown"))?;
            jws.is_signed_by(&key.key, alg)
        }
        None => client
            .jwks
            .iter()
            .any(|key| jws.is_signed_by(&key.key, alg)),
    };
    if signed {
        Ok(())
    } else {
        Err(Refusal::client(
            "the signature of client_assertion is wrong",
        ))
    }
}

/// `aud` is a string or an array (RFC 7519 section 4.1.3); DNB shows both.
fn is_addressed_to(claims: &Map<String, Value>, audiences: &[String]) -> bool {
    let accepted = |aud: &Value| {
        aud.as_str()
            .is_some_and(|aud| audiences.iter().any(|accepted| accepted == aud))
    };
    match claims.get("aud") {
        Some(Value::Array(values)) => values.iter().any(accepted),
        Some(value) => accepted(value),
        None => false,
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name)?.as_str()
}

fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refusal> {
    claims
        .get(name)
        .map(|value| {
            value.as_i64().ok_or_else(|| {
                Refusal::client(format!(
                    "{name} of client_assertion is not in whole seconds"
                ))
            })
        })
        .transpose()
}

fn required_seconds(claims: &Map<String, Value>, name: &str) -> Result<i64, Refusal> {
    seconds(claims, name)?.ok_or_else(|| Refusal::client(format!("client_assertion has no {name}")))
}
