//! `private_key_jwt`: client assertions (RFC 7523 section 3).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::assertion::Jws;
use super::form::Form;
use super::key_set::KeySet;
use super::oauth_error::Refusal;
use super::replay::{ReplayTable, Reuse};
use crate::alg::Algorithm;
use crate::clock::UnixTime;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// `typ` of an assertion that can be nothing else (draft-ietf-oauth-rfc7523bis).
const TYP: &str = "client-authentication+jwt";

/// Which `typ` an assertion's header may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) enum AssertionTyp {
    /// `JWT`, `client-authentication+jwt`, or none.
    #[default]
    #[serde(rename = "any")]
    Any,
    /// Only `client-authentication+jwt`.
    #[serde(rename = "client-authentication+jwt")]
    ClientAuthentication,
}

/// What a service demands of assertions.
pub(super) struct Rules<'a> {
    pub(super) algorithms: &'a [Algorithm],
    pub(super) typ: AssertionTyp,
    pub(super) audience: Audience<'a>,
    /// Most seconds from issue to expiry.
    pub(super) max_lifetime: i64,
}

/// Which `aud` is right.
pub(super) enum Audience<'a> {
    /// One of these, as a string or in an array.
    AnyOf(&'a [String]),
    /// The issuer alone, as a string.
    Issuer(&'a str),
}

/// The assertion of a token request, whose sender is not known yet.
pub(super) fn of(form: &Form) -> Result<Jws<'_>, Refusal> {
    if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
        return Err(Refusal::client(format!(
            "client_assertion_type must be {ASSERTION_TYPE}"
        )));
    }
    let assertion = form
        .get("client_assertion")
        .ok_or_else(|| Refusal::client("client_assertion is missing"))?;
    Jws::parse(assertion)
        .map_err(|problem| Refusal::client(format!("client_assertion is malformed: {problem}")))
}

/// The client that an assertion names, unproven.
pub(super) fn claimed_client<'a>(jws: &'a Jws<'_>, form: &Form) -> Result<&'a str, Refusal> {
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
    if form.get("client_id").is_some_and(|given| given != iss) {
        return Err(Refusal::client("client_id is not iss of client_assertion"));
    }
    Ok(iss)
}

/// Checks header, signature and claims of an assertion that claims to be from
/// `client_id`, whose keys are `keys`, and marks it as used.
pub(super) fn authenticate(
    jws: &Jws<'_>,
    client_id: &str,
    keys: &KeySet,
    rules: &Rules<'_>,
    used: &ReplayTable,
    now: UnixTime,
) -> Result<(), Refusal> {
    require_signature(jws, keys, rules)?;
    let claims = &jws.claims;
    rules.audience.require(claims)?;
    let exp = require_time(claims, rules.max_lifetime, now)?;
    let jti = text(claims, "jti")
        .filter(|jti| !jti.is_empty())
        .ok_or_else(|| Refusal::client("client_assertion has no jti"))?;
    used.use_once(client_id, Some(jti), jws, exp, now)
        .map_err(|reuse| match reuse {
            Reuse::Used => Refusal::client("jti of client_assertion was used before"),
            Reuse::Full => Refusal::overloaded(),
        })
}

fn require_signature(jws: &Jws<'_>, keys: &KeySet, rules: &Rules<'_>) -> Result<(), Refusal> {
    let alg = jws.algorithm(rules.algorithms).ok_or_else(|| {
        let names: Vec<_> = rules.algorithms.iter().map(|alg| alg.name()).collect();
        Refusal::client(format!(
            "alg of client_assertion is not {}",
            names.join(" or ")
        ))
    })?;
    let typ = jws.header.get("typ").map(Value::as_str);
    match (rules.typ, typ) {
        (_, Some(Some(TYP))) | (AssertionTyp::Any, None | Some(Some("JWT"))) => {}
        (AssertionTyp::Any, _) => {
            return Err(Refusal::client("typ of client_assertion is not JWT"));
        }
        (AssertionTyp::ClientAuthentication, _) => {
            return Err(Refusal::client(format!(
                "typ of client_assertion is not {TYP}"
            )));
        }
    }
    let signed = match jws.header.get("kid") {
        Some(kid) => {
            let key = kid.as_str().and_then(|kid| keys.find(kid));
            let key = key.ok_or_else(|| Refusal::client("kid of client_assertion is unknown"))?;
            jws.is_signed_by(&key.key, alg)
        }
        None => keys.iter().any(|key| jws.is_signed_by(&key.key, alg)),
    };
    if signed {
        Ok(())
    } else {
        Err(Refusal::client(
            "the signature of client_assertion is wrong",
        ))
    }
}

impl Audience<'_> {
    fn require(&self, claims: &Map<String, Value>) -> Result<(), Refusal> {
        let aud = claims.get("aud");
        match self {
            Self::Issuer(issuer) if aud.and_then(Value::as_str) == Some(issuer) => Ok(()),
            Self::Issuer(_) => Err(Refusal::client(
                "aud of client_assertion is not the issuer, as a string",
            )),
            Self::AnyOf(accepted) if is_addressed_to(aud, accepted) => Ok(()),
            Self::AnyOf(_) => Err(Refusal::client(
                "aud of client_assertion is not this token endpoint",
            )),
        }
    }
}

/// `aud` is a string or an array (RFC 7519 section 4.1.3); DNB shows both.
fn is_addressed_to(aud: Option<&Value>, audiences: &[String]) -> bool {
    let accepted = |aud: &Value| {
        aud.as_str()
            .is_some_and(|aud| audiences.iter().any(|accepted| accepted == aud))
    };
    match aud {
        Some(Value::Array(values)) => values.iter().any(accepted),
        Some(value) => accepted(value),
        None => false,
    }
}

/// The expiry of an assertion that can be used at `now`.
fn require_time(
    claims: &Map<String, Value>,
    max_lifetime: i64,
    now: UnixTime,
) -> Result<UnixTime, Refusal> {
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
    if exp.saturating_sub(iat.unwrap_or(now)) > max_lifetime {
        return Err(Refusal::client(format!(
            "client_assertion lives longer than {max_lifetime} seconds"
        )));
    }
    Ok(UnixTime::from_seconds(exp))
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
