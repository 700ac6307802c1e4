//! DPoP proofs as those who receive them check them (RFC 9449 section 4.3).

use openssl::sha::sha256;
use serde_json::{Map, Value};
use url::Url;

use super::replay::{ReplayTable, Reuse};
use crate::alg::Algorithm;
use crate::clock::UnixTime;
use crate::jws::received::Jws;
use crate::keys::PublicJwk;
use crate::keys::jwk::base64url;

const TYP: &str = "dpop+jwt";

/// More than any key and any URL need.
const LONGEST: usize = 16 * 1024;

/// What proofs are taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProofRules<'a> {
    /// `alg` that are taken.
    pub(crate) algorithms: &'a [Algorithm],
    /// Seconds by which `iat` may lie in the past.
    pub(crate) past: i64,
    /// Seconds by which `iat` may lie in the future.
    pub(crate) future: i64,
    /// Refuses an `iat` with parts of a second, which RFC 7519 section 2 allows.
    pub(crate) whole_seconds: bool,
}

/// The request that a proof came with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProvenRequest<'a> {
    /// The method, as sent.
    pub(crate) method: &'a str,
    /// The URL; its query and fragment do not count.
    pub(crate) url: &'a Url,
    /// The access token beside the proof.
    pub(crate) access_token: Option<&'a str>,
}

/// A proof that is right, but for its nonce and for whether it was used before.
pub(crate) struct Proof<'a> {
    jws: Jws<'a>,
    jkt: String,
    keep_until: UnixTime,
}

/// What is wrong with a proof. It repeats nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem(pub(crate) String);

impl<'a> Proof<'a> {
    /// Checks the value of the header `DPoP` that came with `request`.
    pub(crate) fn check(
        text: &'a str,
        request: &ProvenRequest<'_>,
        rules: &ProofRules<'_>,
        now: UnixTime,
    ) -> Result<Self, Problem> {
        if text.len() > LONGEST {
            return Err(problem("the proof is malformed: it is too long"));
        }
        let jws =
            Jws::parse(text).map_err(|what| Problem(format!("the proof is malformed: {what}")))?;
        let jkt = signing_key(&jws, rules.algorithms)?;
        require_request(&jws.claims, request)?;
        let iat = require_time(&jws.claims, rules, now)?;
        let ath = text_claim(&jws.claims, "ath")?;
        if let Some(token) = request.access_token
            && ath != Some(&base64url(&sha256(token.as_bytes())))
        {
            return Err(problem("ath is not the hash of the access token"));
        }
        let proof = Self {
            jws,
            jkt,
            keep_until: iat.plus(rules.past),
        };
        proof.jti()?;
        proof.nonce()?;
        Ok(proof)
    }

    /// The thumbprint of the key that made it (RFC 7638).
    pub(crate) fn jkt(&self) -> &str {
        &self.jkt
    }

    /// The nonce in it.
    pub(crate) fn nonce(&self) -> Result<Option<&str>, Problem> {
        text_claim(&self.jws.claims, "nonce")
    }

    /// Marks it as used.
    pub(crate) fn use_once(&self, used: &ReplayTable, now: UnixTime) -> Result<(), Reuse> {
        let jti = self.jti().ok();
        used.use_once(&self.jkt, jti, &self.jws, self.keep_until, now)
    }

    fn jti(&self) -> Result<&str, Problem> {
        text_claim(&self.jws.claims, "jti")?
            .filter(|jti| !jti.is_empty())
            .ok_or_else(|| problem("jti is missing"))
    }
}

/// The thumbprint of the key in the header, which made the signature.
fn signing_key(jws: &Jws<'_>, algorithms: &[Algorithm]) -> Result<String, Problem> {
    if jws.header.get("typ").and_then(Value::as_str) != Some(TYP) {
        return Err(Problem(format!("typ is not {TYP}")));
    }
    let alg = jws
        .algorithm(algorithms)
        .ok_or_else(|| problem("alg is not one that is supported"))?;
    let jwk = jws
        .header
        .get("jwk")
        .and_then(Value::as_object)
        .ok_or_else(|| problem("jwk is missing in the header"))?;
    let key = PublicJwk::from_members(jwk).map_err(|error| {
        let why: String = error.message().chars().take(200).collect();
        Problem(format!("jwk cannot be used: {why}"))
    })?;
    if !jws.is_signed_by(&key, alg) {
        return Err(problem("the signature was not made by the key in jwk"));
    }
    Ok(key.thumbprint().to_owned())
}

/// Requires `htm` and `htu` to be those of the request.
fn require_request(
    claims: &Map<String, Value>,
    request: &ProvenRequest<'_>,
) -> Result<(), Problem> {
    let htm = text_claim(claims, "htm")?.ok_or_else(|| problem("htm is missing"))?;
    if htm != request.method {
        return Err(problem("htm is not the request's method"));
    }
    let htu = text_claim(claims, "htu")?.ok_or_else(|| problem("htu is missing"))?;
    let htu = Url::parse(htu).map_err(|_| problem("htu is not an absolute URL"))?;
    if htu.query().is_some() || htu.fragment().is_some() {
        return Err(problem("htu has a query or a fragment"));
    }
    if normalised(&htu) != normalised(request.url) {
        return Err(problem("htu is not the request's URL"));
    }
    Ok(())
}

/// The URL without query and fragment. What `Url` leaves of RFC 3986 section 6.2.2 is done
/// here: escapes in upper case, and none where none is needed.
fn normalised(url: &Url) -> String {
    let mut bytes = url[..url::Position::AfterPath].bytes();
    let mut text = String::new();
    while let Some(byte) = bytes.next() {
        let escaped = (byte == b'%')
            .then(|| {
                let mut rest = bytes.clone();
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let number = digit(rest.next())? * 16 + digit(rest.next())?;
                bytes = rest;
                u8::try_from(number).ok()
            })
            .flatten();
        match escaped {
            None => text.push(char::from(byte)),
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                text.push(char::from(byte));
            }
            Some(byte) => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// Requires `iat` to be about `now`, and gives it.
fn require_time(
    claims: &Map<String, Value>,
    rules: &ProofRules<'_>,
    now: UnixTime,
) -> Result<UnixTime, Problem> {
    let iat = claims.get("iat").ok_or_else(|| problem("iat is missing"))?;
    let iat = match (iat.as_i64(), rules.whole_seconds) {
        (Some(iat), _) => iat,
        (None, true) => return Err(problem("iat is not in whole seconds")),
        (None, false) => floor(iat).ok_or_else(|| problem("iat is not a number of seconds"))?,
    };
    if iat < now.plus(-rules.past).seconds() {
        return Err(problem("iat is too old"));
    }
    if iat > now.plus(rules.future).seconds() {
        return Err(problem("iat lies in the future"));
    }
    Ok(UnixTime::from_seconds(iat))
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a cast of a float saturates"
)]
fn floor(number: &Value) -> Option<i64> {
    number.as_f64().map(|seconds| seconds.floor() as i64)
}

/// A claim that is a text, if it is there.
fn text_claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Problem> {
    claims
        .get(name)
        .map(|value| {
            value
                .as_str()
                .ok_or_else(|| Problem(format!("{name} is not a string")))
        })
        .transpose()
}

fn problem(what: &str) -> Problem {
    Problem(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_compared_as_rfc_3986_has_them() {
        let same = [
            ("https://api.example/a", "HTTPS://API.Example:443/a?x=1#y"),
            ("https://api.example", "https://api.example/"),
            (
                "https://api.example/%7Ea/%c3%a6",
                "https://api.example/~a/%C3%A6",
            ),
            ("https://api.example/a/../b", "https://api.example/b"),
        ];
        let other = [
            ("https://api.example/a", "https://api.example/a/"),
            ("https://api.example/a", "https://api.example/A"),
            ("https://api.example/a%2Fb", "https://api.example/a/b"),
            ("https://api.example/a", "http://api.example/a"),
            ("https://api.example/a", "https://api.example:444/a"),
            ("https://api.example/%", "https://api.example/%25"),
        ];
        let normal = |text: &str| normalised(&Url::parse(text).unwrap());
        for (one, two) in same {
            assert_eq!(normal(one), normal(two));
        }
        for (one, two) in other {
            assert_ne!(normal(one), normal(two));
        }
    }
}
