//! Key files: a key that is read signs what its public half verifies, and no error shows
//! the passphrase or the key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use segl::keys::software::SoftwareSigner;
use segl::{Call, PublicJwk, Secret, Signer};

use super::private::{MARK, assert_hidden};

pub(crate) fn check(data: &[u8]) {
    if !derives_a_key_for_long(data) {
        read(data, None);
        read(data, Some(&Secret::from(MARK.as_bytes())));
    }
    if data.first() == Some(&0x30) {
        for kind in ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"] {
            read(pem(kind, data).as_bytes(), None);
        }
    }
}

fn read(data: &[u8], passphrase: Option<&Secret>) {
    match SoftwareSigner::from_bytes(data, passphrase) {
        Ok(signer) => signs(&signer),
        Err(error) => assert_hidden(&error, "a key file"),
    }
}

fn signs(signer: &SoftwareSigner) {
    let key = signer.public_key();
    let json = serde_json::Value::Object(key.members()).to_string();
    assert_eq!(&PublicJwk::from_json(&json).unwrap(), key);
    let alg = signer.algorithms()[0];
    let signature = signer.sign(alg, b"message", &Call::none()).unwrap();
    assert!(key.verify(alg, b"message", &signature), "a wrong signature");
    if let Some(first) = signer.certificates().first() {
        assert_eq!(first.public_key(), Some(key));
    }
    let shown = format!("{signer:?}");
    assert!(!shown.contains("PRIVATE"), "{shown}");
}

/// A file says how much work its passphrase is. That is its owner's affair, and takes the
/// fuzzer's time: files with a count of 65,536 or more are left out.
fn derives_a_key_for_long(data: &[u8]) -> bool {
    let has = |part: &[u8]| data.windows(part.len()).any(|window| window == part);
    // 1.2.840.113549.1: PKCS#5 is 5 in it, PKCS#12 is 12, PKCS#7 is 7.
    let is_pkcs = [5, 7, 12]
        .iter()
        .any(|arc| has(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, *arc]));
    let has_long_integer = (3..=8).any(|len| has(&[0x02, len]));
    (is_pkcs && has_long_integer) || has(b"ENCRYPTED")
}

fn pem(kind: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<_> = body
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
        lines.join("\n")
    )
}
