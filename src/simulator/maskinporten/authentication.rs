//! Who sent a grant: a registered key, or an enterprise certificate.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::assertion::Jws;
use super::super::trust::is_trusted;
use super::client::Client;
use super::errors::Refusal;
use crate::alg::Algorithm;
use crate::clock::UnixTime;
use crate::keys::Certificate;

pub(super) const ALGORITHMS: [Algorithm; 3] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];

/// A registered key lives one year from its upload.
pub(in super::super) const KEY_LIFETIME: i64 = 365 * 86_400;

/// Checks the signature of a grant from `client` and gives `client_amr`, the
/// way in which the client authenticated.
pub(super) fn authenticate(
    jws: &Jws<'_>,
    client: &Client,
    trusted: &[Certificate],
    now: UnixTime,
) -> Result<&'static str, Refusal> {
    let alg = jws.algorithm(&ALGORITHMS).ok_or_else(Refusal::signature)?;
    match (jws.header.get("kid"), jws.header.get("x5c")) {
        (Some(_), Some(_)) => Err(Refusal::kid_and_x5c()),
        (Some(kid), None) => {
            let kid = kid.as_str().ok_or_else(Refusal::malformed)?;
            by_key(jws, alg, kid, client, now).map(|()| "private_key_jwt")
        }
        (None, _) if client.jwks.is_some() => Err(Refusal::kid_required()),
        (None, Some(x5c)) => {
            by_certificate(jws, alg, x5c, client, trusted, now).map(|()| "virksomhetssertifikat")
        }
        (None, None) => Err(Refusal::x5c()),
    }
}

fn by_key(
    jws: &Jws<'_>,
    alg: Algorithm,
    kid: &str,
    client: &Client,
    now: UnixTime,
) -> Result<(), Refusal> {
    let key = client
        .jwks
        .as_ref()
        .and_then(|keys| keys.find(kid))
        .ok_or_else(Refusal::unknown_kid)?;
    if key
        .registered_at
        .is_some_and(|registered_at| now > registered_at.plus(KEY_LIFETIME))
    {
        return Err(Refusal::expired_key());
    }
    if !jws.is_signed_by(&key.key, alg) {
        return Err(Refusal::signature());
    }
    Ok(())
}

fn by_certificate(
    jws: &Jws<'_>,
    alg: Algorithm,
    x5c: &Value,
    client: &Client,
    trusted: &[Certificate],
    now: UnixTime,
) -> Result<(), Refusal> {
    let chain = read_x5c(x5c).ok_or_else(Refusal::x5c)?;
    let leaf = chain.first().ok_or_else(Refusal::x5c)?;
    if !leaf
        .public_key()
        .is_some_and(|key| jws.is_signed_by(key, alg))
    {
        return Err(Refusal::signature());
    }
    leaf.require_valid(now).map_err(|_| Refusal::signature())?;
    // OpenSSL fails here only for want of memory; nothing is trusted then.
    if !is_trusted(&chain, trusted, now).unwrap_or(false) {
        return Err(Refusal::certificate());
    }
    if leaf.org_number().as_ref() != Some(&client.orgno) {
        return Err(Refusal::organization());
    }
    Ok(())
}

/// An array of certificates in standard base64 of DER, the signer's first, each
/// issued by the next (RFC 7515 section 4.1.6). Blanks, PEM armour, base64url
/// and bytes after a certificate are refused.
pub(super) fn read_x5c(x5c: &Value) -> Option<Vec<Certificate>> {
    let mut chain: Vec<Certificate> = Vec::new();
    for text in x5c.as_array()? {
        let der = STANDARD.decode(text.as_str()?).ok()?;
        let certificate = Certificate::from_der(&der).ok()?;
        let follows = chain
            .last()
            .is_none_or(|last| last.is_issued_by(&certificate));
        if certificate.der() != der || !follows {
            return None;
        }
        chain.push(certificate);
    }
    Some(chain)
}
