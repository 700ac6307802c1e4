//! Which PKCS#11 mechanism makes an algorithm.

use std::borrow::Cow;

use cryptoki_sys::*;

use super::cryptoki::{Cryptoki, Mechanism};
use super::rv::CkResult;
use crate::alg::Algorithm;

/// How one algorithm is made with one key. Decided when the key is opened, and
/// never changed after.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub alg: Algorithm,
    pub mechanism: Mechanism,
    input: Input,
}

/// What the token gets to sign.
#[derive(Debug, Clone, Copy)]
enum Input {
    /// The hash, as it is.
    Digest,
    /// The hash in a `DigestInfo` (RFC 8017 section 9.2), of which this is the
    /// beginning.
    DigestInfo(&'static [u8]),
    /// The message, which the token hashes.
    Message,
}

const SHA256_INFO: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];
const SHA384_INFO: &[u8] = &[
    0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05,
    0x00, 0x04, 0x30,
];
const SHA512_INFO: &[u8] = &[
    0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05,
    0x00, 0x04, 0x40,
];

impl Plan {
    /// The bytes for `C_Sign`.
    pub fn input<'a>(&self, digest: &'a [u8], message: &'a [u8]) -> Cow<'a, [u8]> {
        match self.input {
            Input::Digest => digest.into(),
            Input::DigestInfo(prefix) => [prefix, digest].concat().into(),
            Input::Message => message.into(),
        }
    }
}

/// The mechanisms of the slot that can sign and that segl has a use for.
pub(super) fn offered(cryptoki: &Cryptoki, slot: CK_SLOT_ID) -> CkResult<Vec<CK_MECHANISM_TYPE>> {
    let mut offered = cryptoki.mechanisms(slot)?;
    offered.retain(|kind| {
        name(*kind).is_some()
            && cryptoki
                .mechanism_info(slot, *kind)
                .is_ok_and(|info| info.flags & CKF_SIGN != 0)
    });
    Ok(offered)
}

/// A plan for each of `algorithms` that the mechanisms in `offered` can make.
pub(super) fn plans(algorithms: &[Algorithm], offered: &[CK_MECHANISM_TYPE]) -> Vec<Plan> {
    let plan = |alg: &Algorithm| {
        let choices = choices(*alg);
        let (kind, input) = choices
            .into_iter()
            .find(|(kind, _)| offered.contains(kind))?;
        Some(Plan {
            alg: *alg,
            mechanism: Mechanism {
                kind,
                pss: (*alg == Algorithm::PS256).then_some(CK_RSA_PKCS_PSS_PARAMS {
                    hashAlg: CKM_SHA256,
                    mgf: CKG_MGF1_SHA256,
                    sLen: 32,
                }),
            },
            input,
        })
    };
    algorithms.iter().filter_map(plan).collect()
}

/// The name of a mechanism that segl has a use for.
pub(super) fn name(kind: CK_MECHANISM_TYPE) -> Option<&'static str> {
    let name = match kind {
        CKM_RSA_PKCS => "CKM_RSA_PKCS",
        CKM_SHA256_RSA_PKCS => "CKM_SHA256_RSA_PKCS",
        CKM_SHA384_RSA_PKCS => "CKM_SHA384_RSA_PKCS",
        CKM_SHA512_RSA_PKCS => "CKM_SHA512_RSA_PKCS",
        CKM_RSA_PKCS_PSS => "CKM_RSA_PKCS_PSS",
        CKM_SHA256_RSA_PKCS_PSS => "CKM_SHA256_RSA_PKCS_PSS",
        CKM_ECDSA => "CKM_ECDSA",
        CKM_ECDSA_SHA256 => "CKM_ECDSA_SHA256",
        CKM_ECDSA_SHA384 => "CKM_ECDSA_SHA384",
        _ => return None,
    };
    Some(name)
}

/// Both ways to make `alg`. The raw mechanism goes first: it sends tens of bytes
/// whatever the message, and needs the hash that checks the signature anyway.
fn choices(alg: Algorithm) -> [(CK_MECHANISM_TYPE, Input); 2] {
    let pkcs1 = |info, hashing| {
        [
            (CKM_RSA_PKCS, Input::DigestInfo(info)),
            (hashing, Input::Message),
        ]
    };
    let digest = |raw, hashing| [(raw, Input::Digest), (hashing, Input::Message)];
    match alg {
        Algorithm::RS256 => pkcs1(SHA256_INFO, CKM_SHA256_RSA_PKCS),
        Algorithm::RS384 => pkcs1(SHA384_INFO, CKM_SHA384_RSA_PKCS),
        Algorithm::RS512 => pkcs1(SHA512_INFO, CKM_SHA512_RSA_PKCS),
        Algorithm::PS256 => digest(CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS),
        Algorithm::ES256 => digest(CKM_ECDSA, CKM_ECDSA_SHA256),
        Algorithm::ES384 => digest(CKM_ECDSA, CKM_ECDSA_SHA384),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_goes_before_hashing_and_what_is_not_offered_is_left_out() {
        let rsa = [Algorithm::RS256, Algorithm::PS256];
        let kinds = |offered: &[CK_MECHANISM_TYPE]| -> Vec<_> {
            let plans = plans(&rsa, offered);
            plans
                .iter()
                .map(|plan| (plan.alg, plan.mechanism.kind))
                .collect()
        };
        assert_eq!(
            kinds(&[CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS]),
            [(Algorithm::RS256, CKM_RSA_PKCS)]
        );
        assert_eq!(
            kinds(&[CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS]),
            [
                (Algorithm::RS256, CKM_SHA256_RSA_PKCS),
                (Algorithm::PS256, CKM_SHA256_RSA_PKCS_PSS)
            ]
        );
        assert_eq!(kinds(&[CKM_ECDSA]), []);
    }
}
