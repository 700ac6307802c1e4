//! The registration JWT ("JWT for OIDC client creation"): a proof that its
//! sender has the private half of the key within.
//!
//! The real bank takes it by its contact form; there is no endpoint for it.

use serde_json::Value;

use super::super::assertion::Jws;
use super::super::key_set::RegisteredKey;
use super::super::oauth_error::Refusal;
use crate::alg::Algorithm;
use crate::clock::UnixTime;

/// Thirty days: the documented limit.
const MAX_LIFETIME: i64 = 30 * 86_400;

/// The key that `jwt` proves.
pub(super) fn verify(jwt: &str, audience: &str, now: UnixTime) -> Result<RegisteredKey, Refusal> {
    let jws = Jws::parse(jwt.trim()).map_err(|problem| {
        Refusal::registration(format!("the registration JWT is malformed: {problem}"))
    })?;
    let alg = jws
        .algorithm(&[Algorithm::ES256])
        .ok_or_else(|| Refusal::registration("alg is not ES256"))?;
    let jwk = jws
        .claims
        .get("cnf")
        .and_then(|cnf| cnf.get("jwk"))
        .ok_or_else(|| Refusal::registration("cnf.jwk is missing"))?;
    let mut key = RegisteredKey::from_value(jwk)
        .map_err(|problem| Refusal::registration(format!("cnf.jwk cannot be used: {problem}")))?;
    key.registered_at = Some(now);
    if key.kid.is_empty() {
        return Err(Refusal::registration("kid of cnf.jwk is empty"));
    }
    if !jws.is_signed_by(&key.key, alg) {
        return Err(Refusal::registration(
            "the signature was not made by the key in cnf.jwk",
        ));
    }
    if jws.header.get("kid").is_some_and(|kid| *kid != *key.kid) {
        return Err(Refusal::registration(
            "kid of the header is not kid of cnf.jwk",
        ));
    }
    if jws.claims.get("aud").and_then(Value::as_str) != Some(audience) {
        return Err(Refusal::registration(format!("aud is not {audience}")));
    }
    require_time(&jws, now.seconds())?;
    Ok(key)
}

fn require_time(jws: &Jws<'_>, now: i64) -> Result<(), Refusal> {
    let seconds = |name: &str| {
        let value = jws.claims.get(name).and_then(Value::as_i64);
        value.ok_or_else(|| {
            Refusal::registration(format!("{name} is missing or not in whole seconds"))
        })
    };
    let (iat, exp) = (seconds("iat")?, seconds("exp")?);
    if iat > now {
        return Err(Refusal::registration("iat lies in the future"));
    }
    if exp.saturating_sub(iat) > MAX_LIFETIME {
        return Err(Refusal::registration("exp is more than 30 days after iat"));
    }
    if exp <= now {
        return Err(Refusal::registration("the registration JWT is expired"));
    }
    Ok(())
}
