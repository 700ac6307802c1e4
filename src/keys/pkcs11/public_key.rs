//! The public half of a private key, which tokens keep in different places.

use cryptoki_sys::*;

use super::certificates;
use super::cryptoki::Attribute;
use super::find::PrivateKey;
use super::session::Session;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::Certificate;
use crate::keys::jwk::{Curve, PublicJwk};

/// `namedCurve` of P-256 (RFC 5480 section 2.1.1), DER.
const P256_PARAMS: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// `namedCurve` of P-384, DER.
const P384_PARAMS: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];

/// The public key of `key`, from the first place that has it: the private key's
/// `CKA_PUBLIC_KEY_INFO`, a public key object, a certificate, the private key's
/// own modulus or point. `None` when the token does not have it.
///
/// # Errors
/// `KEY_TYPE` when segl cannot use a key of this size or curve.
pub(super) fn recover(session: &Session<'_>, key: &PrivateKey) -> Result<Option<PublicJwk>> {
    // Present but empty on several tokens.
    let info = session.bytes(key.handle, CKA_PUBLIC_KEY_INFO)?;
    if let Some(info) = info.filter(|info| !info.is_empty())
        && let Some(found) = readable(PublicJwk::from_spki_der(&info))?
    {
        return Ok(Some(found));
    }
    for object in beside(session, key, CKO_PUBLIC_KEY)? {
        if let Some(found) = from_object(session, object, key.key_type)? {
            return Ok(Some(found));
        }
    }
    for object in beside(session, key, CKO_CERTIFICATE)? {
        if let Some(found) = certificates::read(session, object)?
            .as_ref()
            .and_then(Certificate::public_key)
        {
            return Ok(Some(found.clone()));
        }
    }
    from_object(session, key.handle, key.key_type)
}

/// `CKA_EC_PARAMS` of a named curve.
pub(super) fn curve_params(curve: Curve) -> &'static [u8] {
    match curve {
        Curve::P256 => P256_PARAMS,
        Curve::P384 => P384_PARAMS,
    }
}

/// The public key that an object's own attributes give, be it public or private.
pub(super) fn from_object(
    session: &Session<'_>,
    object: CK_OBJECT_HANDLE,
    key_type: CK_KEY_TYPE,
) -> Result<Option<PublicJwk>> {
    if key_type == CKK_RSA {
        let modulus = session.bytes(object, CKA_MODULUS)?;
        let exponent = session.bytes(object, CKA_PUBLIC_EXPONENT)?;
        return match (modulus, exponent) {
            (Some(n), Some(e)) if !n.is_empty() && !e.is_empty() => {
                readable(PublicJwk::from_rsa(&n, &e))
            }
            _ => Ok(None),
        };
    }
    let params = session.bytes(object, CKA_EC_PARAMS)?;
    let point = session.bytes(object, CKA_EC_POINT)?;
    match (params, point) {
        (Some(params), Some(point)) => {
            let curve = curve_of(&params)?;
            match coordinates(curve, &point) {
                Some((x, y)) => readable(PublicJwk::from_ec(curve, x, y)),
                None => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

/// Objects of `class` with the private key's id, or its label if it has no id.
fn beside(
    session: &Session<'_>,
    key: &PrivateKey,
    class: CK_OBJECT_CLASS,
) -> Result<Vec<CK_OBJECT_HANDLE>> {
    let name = match (key.id.is_empty(), key.label.is_empty()) {
        (false, _) => Attribute::bytes(CKA_ID, &key.id),
        (true, false) => Attribute::bytes(CKA_LABEL, &key.label),
        (true, true) => return Ok(Vec::new()),
    };
    let class = Attribute::number(CKA_CLASS, class);
    session.find(&[class, Attribute::flag(CKA_TOKEN, true), name], 8)
}

/// Turns "this is not a key" into `None`, so that the next place is tried.
fn readable(found: Result<PublicJwk>) -> Result<Option<PublicJwk>> {
    match found {
        Err(error) if error.code() == ErrorCode::KeyFormat => Ok(None),
        found => found.map(Some),
    }
}

fn curve_of(params: &[u8]) -> Result<Curve> {
    match params {
        P256_PARAMS => Ok(Curve::P256),
        P384_PARAMS => Ok(Curve::P384),
        _ => Err(Error::new(
            ErrorCode::KeyType,
            "the EC key is on another curve than P-256 and P-384, or its CKA_EC_PARAMS do not name the curve; \
             make a key on one of these",
        )),
    }
}

/// X and Y of `CKA_EC_POINT`: an uncompressed point, in an OCTET STRING as the
/// standard says, or bare. Only the exact length tells which.
fn coordinates(curve: Curve, point: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = 2 * curve.coordinate_len() + 1;
    let bare = match point {
        [0x04, inner_len, inner @ ..] if inner.len() == len && usize::from(*inner_len) == len => {
            inner
        }
        _ if point.len() == len => point,
        _ => return None,
    };
    match bare {
        [0x04, xy @ ..] => Some(xy.split_at(curve.coordinate_len())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_bare_or_an_octet_string() {
        let mut bare = vec![0x04];
        bare.extend([1; 32]);
        bare.extend([2; 32]);
        let mut wrapped = vec![0x04, 65];
        wrapped.extend(&bare);
        let expected: Option<(&[u8], &[u8])> = Some((&[1; 32], &[2; 32]));
        assert_eq!(coordinates(Curve::P256, &bare), expected);
        assert_eq!(coordinates(Curve::P256, &wrapped), expected);
        assert_eq!(coordinates(Curve::P384, &bare), None);
    }

    #[test]
    fn a_bare_point_may_look_like_an_octet_string() {
        let mut bare = vec![0x04, 63];
        bare.extend([7; 63]);
        let (x, _) = coordinates(Curve::P256, &bare).unwrap();
        assert_eq!(x[0], 63);
    }

    #[test]
    fn other_points_are_refused() {
        for point in [
            vec![],
            vec![0x04],
            vec![0x02; 33],
            vec![0x03; 65],
            vec![0x04; 66],
            vec![0x04; 67],
        ] {
            assert_eq!(
                coordinates(Curve::P256, &point),
                None,
                "{} bytes",
                point.len()
            );
        }
    }
}
