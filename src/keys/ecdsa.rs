//! ECDSA signatures: DER (RFC 3279 section 2.2.3) and JOSE form, R‖S (RFC 7518
//! section 3.4).

use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;

use super::jwk::Curve;

/// Turns an ECDSA signature in DER (`ECDSA-Sig-Value` of RFC 3279 section
/// 2.2.3), as cloud vaults, OpenSSL and Java's `SHA256withECDSA` return it, into
/// the JOSE form that [`SignCallback`](super::foreign::SignCallback) must return:
/// R and S, big-endian, each padded to 32 bytes on P-256 and 48 on P-384 (RFC
/// 7518 section 3.4). The signature is not verified.
///
/// `None` when `der` is not strict DER of two numbers that are not negative and
/// fit the curve, for example because it is in JOSE form already.
pub fn der_to_jose(curve: Curve, der: &[u8]) -> Option<Vec<u8>> {
    let signature = EcdsaSig::from_der(der).ok()?;
    // OpenSSL's parser forgives trailing bytes; the encoder does not make them.
    if signature.to_der().ok()? != der {
        return None;
    }
    let len = curve.coordinate_len();
    let padded = |number: &openssl::bn::BigNumRef| {
        if number.is_negative() {
            return None;
        }
        number.to_vec_padded(i32::try_from(len).ok()?).ok()
    };
    let mut jose = padded(signature.r())?;
    jose.extend(padded(signature.s())?);
    Some(jose)
}

/// DER from R‖S. `None` when the length is not that of the curve.
pub(crate) fn jose_to_der(curve: Curve, jose: &[u8]) -> Option<Vec<u8>> {
    let len = curve.coordinate_len();
    if jose.len() != 2 * len {
        return None;
    }
    let (r, s) = jose.split_at(len);
    let signature =
        EcdsaSig::from_private_components(BigNum::from_slice(r).ok()?, BigNum::from_slice(s).ok()?)
            .ok()?;
    signature.to_der().ok()
}
