//! What is not let through, and that nobody learns why.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::pkey::PKey;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::{Padding, Rsa};
use segl::alg::{ContentEncryption, KeyEncryption};
use segl::jwe::{self, Accepted};
use segl::keys::{Decrypter, SoftwareDecrypter};
use segl::{Call, Error, ErrorCode, PublicJwk, Result, Secret};
use serde_json::{Map, Value, json};

use super::{decrypt, decrypter, encrypt, everything, key, support, usual};

/// A compact JWE with this header before the other parts of a good one.
fn with_header(header: &str) -> String {
    let jwe = usual(b"{}");
    let (_, rest) = jwe.split_once('.').unwrap();
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))
}

#[test]
fn other_algorithms_are_refused_with_what_to_do() {
    for (alg, enc) in [
        ("RSA1_5", "A256GCM"),
        ("dir", "A256GCM"),
        ("A256KW", "A256GCM"),
        ("A128GCMKW", "A256GCM"),
        ("PBES2-HS256+A128KW", "A256GCM"),
        ("ECDH-ES", "A256GCM"),
        ("rsa-oaep-256", "A256GCM"),
        ("RSA-OAEP-512", "A256GCM"),
        ("none", "none"),
        ("RSA-OAEP-256", "A192CBC-HS384"),
        ("RSA-OAEP-256", "A256CBC"),
        ("RSA-OAEP-256", ""),
    ] {
        let header = json!({ "alg": alg, "enc": enc }).to_string();
        let error = jwe::decrypt(&with_header(&header), &key(), &everything(), &Call::none());
        let error = error.unwrap_err();
        assert_eq!(
            error.code(),
            ErrorCode::JweAlgorithm,
            "{alg} {enc}: {error}"
        );
        assert!(error.message().contains("have the sender use"), "{error}");
    }
}

#[test]
fn rsa1_5_is_refused_although_the_key_would_do_it() {
    let wrap = |content_key: &Secret| Ok(padded(content_key.expose(), Padding::PKCS1));
    let jwe = jwe::seal(
        b"{}",
        "RSA1_5",
        ContentEncryption::A256Gcm,
        Map::new(),
        wrap,
    )
    .unwrap();
    let error = jwe::decrypt(&jwe, &key(), &everything(), &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::JweAlgorithm);
    // Nor does it pass for another.
    let jwe = jwe::seal(
        b"{}",
        "RSA-OAEP-256",
        ContentEncryption::A256Gcm,
        Map::new(),
        wrap,
    );
    assert_eq!(
        decrypt(&jwe.unwrap()).unwrap_err().code(),
        ErrorCode::JweInvalid
    );
}

#[test]
fn headers_that_change_the_meaning_are_refused() {
    for header in [
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","zip":"DEF"}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","zip":null}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","crit":["exp"],"exp":1}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","crit":null}"#,
        r#"{"alg":"RSA-OAEP-256","alg":"RSA-OAEP-256","enc":"A256GCM"}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A128GCM","enc":"A256GCM"}"#,
        r#"{"alg":"RSA-OAEP-256"}"#,
        r#"{"alg":1,"enc":"A256GCM"}"#,
        r#"["RSA-OAEP-256","A256GCM",null,false,false]"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM"} {}"#,
        "",
        "\u{0}",
    ] {
        let error = decrypt(&with_header(header)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::JweInvalid, "{header}: {error}");
    }
}

/// Each way to break the encryption, by itself.
#[test]
fn whatever_is_wrong_with_the_encryption_the_error_is_the_same() {
    let enc = ContentEncryption::A128CbcHs256;
    let good = encrypt(b"{\"a\":1}", KeyEncryption::RsaOaep256, enc);
    let mut broken = vec![
        ("key of another", {
            let other = decrypter(&PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap());
            let to = other.public_key();
            jwe::encrypt(b"{}", to, KeyEncryption::RsaOaep256, enc, Map::new()).unwrap()
        }),
        (
            "key too short",
            with_content_key(enc, |key| key[..31].to_vec()),
        ),
        ("key empty", with_content_key(enc, |_| Vec::new())),
        (
            "key too long",
            with_content_key(enc, |key| [key, &[1]].concat()),
        ),
        ("another key", with_content_key(enc, |_| vec![1; 32])),
        ("encrypted key empty", with_part(&good, 1, |_| Vec::new())),
        (
            "encrypted key short",
            with_part(&good, 1, |part| part[1..].to_vec()),
        ),
        (
            "encrypted key long",
            with_part(&good, 1, |part| [&[0], part].concat()),
        ),
        (
            "encrypted key all ones",
            with_part(&good, 1, |_| vec![0xff; 256]),
        ),
        ("encrypted key zero", with_part(&good, 1, |_| vec![0; 256])),
        ("ciphertext empty", with_part(&good, 3, |_| Vec::new())),
        (
            "ciphertext cut",
            with_part(&good, 3, |part| part[1..].to_vec()),
        ),
        ("padding by PKCS #1", {
            let wrap = |content_key: &Secret| Ok(padded(content_key.expose(), Padding::PKCS1));
            jwe::seal(b"{}", "RSA-OAEP-256", enc, Map::new(), wrap).unwrap()
        }),
        ("padding by OAEP with SHA-1", {
            let wrap = |content_key: &Secret| Ok(padded(content_key.expose(), Padding::PKCS1_OAEP));
            jwe::seal(b"{}", "RSA-OAEP-256", enc, Map::new(), wrap).unwrap()
        }),
    ];
    for part in 1..5 {
        broken.push((
            "a bit",
            with_part(&good, part, |bytes| {
                let mut bytes = bytes.to_vec();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                bytes
            }),
        ));
    }
    let mut said = Vec::new();
    for (what, jwe) in &broken {
        let error = decrypt(jwe).expect_err(what);
        assert_eq!(error.code(), ErrorCode::JweInvalid, "{what}: {error}");
        assert!(
            !error.retryable() && std::error::Error::source(&error).is_none(),
            "{what}"
        );
        said.push(error.to_string());
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
}

/// The header is covered by the tag.
#[test]
fn a_header_that_was_changed_is_noticed() {
    for enc in ["A256GCM", "A128CBC-HS256"] {
        let alg = KeyEncryption::RsaOaep256;
        let content = ContentEncryption::ALL
            .into_iter()
            .find(|own| own.name() == enc)
            .unwrap();
        let jwe = encrypt(b"{}", alg, content);
        let (_, rest) = jwe.split_once('.').unwrap();
        let header = json!({ "alg": alg.name(), "enc": enc, "kid": "another" }).to_string();
        let error = decrypt(&format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))).unwrap_err();
        assert_eq!(error.code(), ErrorCode::JweInvalid);
    }
}

/// A tag that was cut would be guessed sooner.
#[test]
fn lengths_of_vector_and_tag_are_those_of_the_algorithm() {
    for enc in [ContentEncryption::A256Gcm, ContentEncryption::A128CbcHs256] {
        let good = encrypt(b"{}", KeyEncryption::RsaOaep256, enc);
        for part in [2, 4] {
            for len in [0, 4, 8, 11, 13, 15, 17, 32] {
                let jwe = with_part(&good, part, |bytes| {
                    bytes.iter().copied().cycle().take(len).collect()
                });
                let error = decrypt(&jwe).unwrap_err();
                assert_eq!(error.code(), ErrorCode::JweInvalid, "{enc} {part} {len}");
                assert!(error.message().contains("bytes and a tag of"), "{error}");
            }
        }
    }
}

#[test]
fn what_a_key_is_for_is_known_when_it_is_opened() {
    let error = SoftwareDecrypter::from_bytes(&support::pem(&support::p256_key()), None);
    assert_eq!(error.unwrap_err().code(), ErrorCode::KeyType);
}

/// A key whose home is away.
struct Away(PublicJwk);

impl fmt::Debug for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Away")
    }
}

impl Decrypter for Away {
    fn public_key(&self) -> &PublicJwk {
        &self.0
    }

    fn decrypt(&self, _: KeyEncryption, _: &[u8], _: &Call) -> Result<Secret> {
        Err(Error::new(ErrorCode::TokenUnavailable, "away").with_retryable(true))
    }
}

#[test]
fn what_the_keys_home_says_is_not_taken_for_a_broken_jwe() {
    let away = Away(key().public_key().clone());
    let error = jwe::decrypt(&usual(b"{}"), &away, &Accepted::default(), &Call::none());
    let error = error.unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenUnavailable);
    assert!(error.retryable());
}

#[test]
fn nothing_decrypted_is_shown() {
    let plain = decrypt(&usual(b"secret of a person")).unwrap();
    assert!(!format!("{plain:?}").contains("person"));
    let compact = jwe::Compact::parse(&usual(b"{}")).unwrap();
    let shown: Value = json!(format!("{compact:?}"));
    assert!(shown.as_str().unwrap().len() < 200, "{shown}");
}

fn padded(plain: &[u8], padding: Padding) -> Vec<u8> {
    let mut context = PkeyCtx::new(&support::rsa_key()).unwrap();
    context.encrypt_init().unwrap();
    context.set_rsa_padding(padding).unwrap();
    let mut ciphertext = Vec::new();
    context.encrypt_to_vec(plain, &mut ciphertext).unwrap();
    ciphertext
}

/// A JWE whose encrypted key is what `change` makes of the content's key.
fn with_content_key(enc: ContentEncryption, change: fn(&[u8]) -> Vec<u8>) -> String {
    let to = key();
    jwe::seal(b"{}", "RSA-OAEP-256", enc, Map::new(), |content_key| {
        let changed = change(content_key.expose());
        let mut context = PkeyCtx::new(&support::rsa_key()).unwrap();
        context.encrypt_init().unwrap();
        context.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
        let md = openssl::md::Md::sha256();
        context.set_rsa_oaep_md(md).unwrap();
        context.set_rsa_mgf1_md(md).unwrap();
        let mut ciphertext = Vec::new();
        context.encrypt_to_vec(&changed, &mut ciphertext).unwrap();
        let back = to.decrypt(KeyEncryption::RsaOaep256, &ciphertext, &Call::none());
        assert_eq!(back.unwrap().expose(), changed);
        Ok(ciphertext)
    })
    .unwrap()
}

fn with_part(jwe: &str, index: usize, change: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let mut parts: Vec<_> = jwe.split('.').map(str::to_owned).collect();
    let bytes = URL_SAFE_NO_PAD.decode(&parts[index]).unwrap();
    parts[index] = URL_SAFE_NO_PAD.encode(change(&bytes));
    parts.join(".")
}
