//! The registration JWT and the keys that it may be made of.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::{BigNum, BigNumContext};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use segl::keys::software::SoftwareSigner;
use segl::{Call, ErrorCode};

use crate::support::{builder, claims, ec_key, header, now, p256_key, pem, signer};

/// The coordinates of a public key as OpenSSL has them, 32 bytes each.
fn coordinates(key: &PKey<Private>) -> [Vec<u8>; 2] {
    let key = key.ec_key().unwrap();
    let mut context = BigNumContext::new().unwrap();
    let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
    key.public_key()
        .affine_coordinates(key.group(), &mut x, &mut y, &mut context)
        .unwrap();
    [x, y].map(|number| number.to_vec_padded(32).unwrap())
}

#[test]
fn coordinates_keep_their_leading_zeros() {
    let mut found = [false; 2];
    // One key in 256 has such an x, and one such a y.
    for _ in 0..20_000 {
        let key = ec_key(Nid::X9_62_PRIME256V1);
        let expected = coordinates(&key);
        let Some(at) = expected.iter().position(|number| number[0] == 0) else {
            continue;
        };
        found[at] = true;
        let client = builder(r#"{"profile":"dnb"}"#, signer(&key), now())
            .build(&Call::none())
            .unwrap();
        let jwk = claims(&client.registration(&Call::none()).unwrap())["cnf"]["jwk"].clone();
        for (name, number) in ["x", "y"].into_iter().zip(expected) {
            let text = jwk[name].as_str().unwrap();
            assert_eq!(text.len(), 43);
            assert_eq!(URL_SAFE_NO_PAD.decode(text).unwrap(), number, "{name}");
        }
        if found == [true; 2] {
            return;
        }
    }
    panic!("no key with a leading zero was made");
}

#[test]
fn its_life_is_thirty_days_and_never_more() {
    let jwt = |lifetime: &str| {
        let settings = format!(r#"{{"profile":"dnb"{lifetime}}}"#);
        let client = builder(&settings, signer(&p256_key()), 1_700_000_000).build(&Call::none())?;
        client.registration(&Call::none())
    };
    let usual = jwt("").unwrap();
    assert_eq!(header(&usual), serde_json::json!({"alg": "ES256"}));
    assert_eq!(claims(&usual)["exp"], 1_700_000_000 + 30 * 86_400);
    let hour = jwt(r#","registration_lifetime_seconds":3600"#).unwrap();
    assert_eq!(claims(&hour)["exp"], 1_700_003_600);
    for lifetime in [0, 2_592_001] {
        let error = jwt(&format!(r#","registration_lifetime_seconds":{lifetime}"#)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config, "{error}");
        assert!(error.message().contains("30 days"), "{error}");
    }
}

#[test]
fn it_cannot_be_addressed_as_a_client_assertion() {
    let endpoint = "https://api.ciam.dnb.no/as/token.oauth2";
    let settings = format!(r#"{{"profile":"dnb","registration_audience":"{endpoint}"}}"#);
    let error = builder(&settings, signer(&p256_key()), now())
        .build(&Call::none())
        .unwrap_err();
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("registration_audience"),
        "{error}"
    );
}

#[test]
fn a_pem_with_a_dash_too_few_says_where() {
    let good = String::from_utf8(pem(&p256_key())).unwrap();
    assert!(SoftwareSigner::from_bytes(good.as_bytes(), None).is_ok());
    let published = "----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n";
    for (text, line, says) in [
        (
            published.to_owned(),
            1,
            "4 dashes before its words and 5 after",
        ),
        (
            good.replace("-----BEGIN", "----BEGIN"),
            1,
            "4 dashes before its words and 5 after",
        ),
        (
            good.replacen("PRIVATE KEY-----", "PRIVATE KEY----", 1),
            1,
            "5 dashes before its words and 4 after",
        ),
        (
            good.replace("-----END", "------END"),
            good.lines().count(),
            "6 dashes before its words and 5 after",
        ),
    ] {
        let error = SoftwareSigner::from_bytes(text.as_bytes(), None).unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeyFormat, "{error}");
        let message = error.message();
        assert!(
            message.contains(says) && message.contains(&format!("line {line} ")),
            "{message}"
        );
    }
}
