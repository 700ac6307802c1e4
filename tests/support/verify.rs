//! Signatures, verified by OpenSSL.

use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Verifier};
use segl::{Algorithm, PublicJwk};

/// Whether OpenSSL takes `signature`, in JOSE form, for the key's over `message`.
pub fn openssl_verifies(key: &PublicJwk, alg: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let key = PKey::public_key_from_der(&key.to_spki_der().unwrap()).unwrap();
    let digest = match alg {
        Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 => MessageDigest::sha256(),
        Algorithm::RS384 | Algorithm::ES384 => MessageDigest::sha384(),
        Algorithm::RS512 => MessageDigest::sha512(),
        other => panic!("{other}"),
    };
    let mut verifier = Verifier::new(digest, &key).unwrap();
    if alg == Algorithm::PS256 {
        verifier.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        verifier
            .set_rsa_pss_saltlen(RsaPssSaltlen::custom(32))
            .unwrap();
    }
    let signature = if alg.is_rsa() {
        signature.to_vec()
    } else {
        let (r, s) = signature.split_at(signature.len() / 2);
        let number = |bytes| BigNum::from_slice(bytes).unwrap();
        let signature = EcdsaSig::from_private_components(number(r), number(s)).unwrap();
        signature.to_der().unwrap()
    };
    verifier.verify_oneshot(&signature, message).unwrap()
}
