//! What is let through.

use segl::alg::{ContentEncryption, KeyEncryption};
use segl::jwe::{self, Accepted, Compact};
use segl::keys::Decrypter;
use segl::{Call, ErrorCode};
use serde_json::Map;

use super::{decrypt, encrypt, everything, key, usual};

#[test]
fn every_allowed_combination_decrypts() {
    for alg in KeyEncryption::ALL {
        for enc in ContentEncryption::ALL {
            for len in [0, 1, 15, 16, 17, 4096] {
                let plain = vec![7; len];
                let jwe = encrypt(&plain, alg, enc);
                let decrypted = jwe::decrypt(&jwe, &key(), &everything(), &Call::none());
                assert_eq!(decrypted.unwrap().expose(), plain, "{alg} {enc} {len}");
            }
        }
    }
}

#[test]
fn only_the_usual_algorithms_are_allowed_unless_others_are_named() {
    for alg in KeyEncryption::ALL {
        for enc in ContentEncryption::ALL {
            let is_usual = alg == KeyEncryption::RsaOaep256
                && matches!(
                    enc,
                    ContentEncryption::A256Gcm | ContentEncryption::A128CbcHs256
                );
            let decrypted = decrypt(&encrypt(b"{}", alg, enc));
            match decrypted {
                Ok(_) => assert!(is_usual, "{alg} {enc}"),
                Err(error) => {
                    assert!(!is_usual, "{alg} {enc}");
                    assert_eq!(error.code(), ErrorCode::JweAlgorithm);
                    assert!(error.message().contains("decryption."), "{error}");
                }
            }
        }
    }
}

#[test]
fn each_jwe_has_a_key_and_a_vector_of_its_own() {
    let parts = |jwe: String| jwe.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (one, two) = (parts(usual(b"{}")), parts(usual(b"{}")));
    assert_eq!(one[0], two[0]);
    for part in 1..5 {
        assert_ne!(one[part], two[part], "part {part}");
    }
}

#[test]
fn other_members_of_the_header_are_let_be() {
    let mut members = Map::new();
    for (name, value) in [
        ("kid", "enc-1"),
        ("x5t#S256", "thumb"),
        ("cty", "JSON"),
        ("typ", "JWE"),
        ("x5u", "https://other.example/c"),
    ] {
        members.insert(name.to_owned(), value.into());
    }
    let jwe = jwe::encrypt(
        b"{}",
        key().public_key(),
        KeyEncryption::RsaOaep256,
        ContentEncryption::A128CbcHs256,
        members,
    )
    .unwrap();
    assert_eq!(decrypt(&jwe).unwrap().expose(), b"{}");
    let header = Compact::parse(&jwe).unwrap();
    let header = header.header();
    assert_eq!(
        (header.alg(), header.enc(), header.kid()),
        ("RSA-OAEP-256", "A128CBC-HS256", Some("enc-1"))
    );
    assert_eq!(header.x5t_s256(), Some("thumb"));
    assert_eq!(
        Accepted::default().key_encryption,
        [KeyEncryption::RsaOaep256]
    );
}
