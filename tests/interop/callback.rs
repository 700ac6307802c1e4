//! A signer of the host's own, which signs with libcrypto alone.

use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer};
use segl::keys::ForeignSigner;
use segl::keys::foreign::SignCallback;
use segl::{Algorithm, Call, PublicJwk, Result};

/// A [`ForeignSigner`] over `key`.
pub fn signer(key: PKey<Private>) -> ForeignSigner {
    let public_key = PublicJwk::from_spki_der(&key.public_key_to_der().unwrap()).unwrap();
    ForeignSigner::new(public_key, Box::new(Libcrypto(key)))
}

struct Libcrypto(PKey<Private>);

impl SignCallback for Libcrypto {
    fn sign(&self, alg: Algorithm, message: &[u8], _call: &Call) -> Result<Vec<u8>> {
        let digest = match &alg.name()[2..] {
            "256" => MessageDigest::sha256(),
            "384" => MessageDigest::sha384(),
            _ => MessageDigest::sha512(),
        };
        let mut signer = Signer::new(digest, &self.0).unwrap();
        if alg == Algorithm::PS256 {
            signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
            signer
                .set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)
                .unwrap();
        }
        let signature = signer.sign_oneshot_to_vec(message).unwrap();
        if alg.is_rsa() {
            return Ok(signature);
        }
        let number_len = if alg == Algorithm::ES256 { 32 } else { 48 };
        let signature = EcdsaSig::from_der(&signature).unwrap();
        let mut jose = signature.r().to_vec_padded(number_len).unwrap();
        jose.extend(signature.s().to_vec_padded(number_len).unwrap());
        Ok(jose)
    }
}
