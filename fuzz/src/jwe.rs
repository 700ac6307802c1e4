//! JWE: what nobody encrypted to the key is refused, in one way whatever is wrong with it,
//! and what was encrypted comes back.

use std::sync::OnceLock;

use segl::alg::{ContentEncryption, KeyEncryption};
use segl::jwe::{Accepted, Compact, decrypt, encrypt};
use segl::keys::{Decrypter, SoftwareDecrypter};
use segl::{Call, ErrorCode};
use serde_json::Map;

use super::private::{MARK, assert_hidden};

/// The RSA key of RFC 7515 appendix A.2, whose private half is published there.
const KEY: &[u8] = include_bytes!("../seeds/key_file/rsa-pkcs1.der");

pub(crate) fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        read(text);
    }
    let Some((choice, plain)) = data.split_first() else {
        return;
    };
    let enc = ContentEncryption::ALL[usize::from(*choice) % ContentEncryption::ALL.len()];
    let alg = KeyEncryption::RsaOaep256;
    let plain = &plain[..plain.len().min(64)];
    let sealed = encrypt(plain, key().public_key(), alg, enc, Map::new()).unwrap();
    let accepted = Accepted {
        key_encryption: vec![alg],
        content_encryption: vec![enc],
    };
    let opened = decrypt(&sealed, key(), &accepted, &Call::none()).unwrap();
    assert_eq!(opened.expose(), plain);
    // One character less, somewhere.
    let at = usize::from(*choice) % sealed.len();
    let cut = format!("{}{}", &sealed[..at], &sealed[at + 1..]);
    assert!(decrypt(&cut, key(), &accepted, &Call::none()).is_err());
}

fn read(text: &str) {
    if let Ok(jwe) = Compact::parse(text) {
        assert_eq!(text.split('.').count(), 5);
        let shown = format!("{jwe:?}");
        assert!(shown.starts_with("Compact"), "{shown}");
    }
    let all = Accepted {
        key_encryption: KeyEncryption::ALL.to_vec(),
        content_encryption: ContentEncryption::ALL.to_vec(),
    };
    let refused = |error: &segl::Error| {
        matches!(
            error.code(),
            ErrorCode::JweInvalid | ErrorCode::JweAlgorithm
        )
    };
    if let Err(error) = decrypt(text, key(), &all, &Call::none()) {
        assert!(refused(&error), "{error}");
        assert!(!error.message().chars().any(char::is_control), "{error}");
    }
    if !text.contains(MARK)
        && let Err(error) = decrypt(&format!("{text}.{MARK}"), key(), &all, &Call::none())
    {
        assert_hidden(&error, "a JWE");
    }
}

fn key() -> &'static SoftwareDecrypter {
    static KEPT: OnceLock<SoftwareDecrypter> = OnceLock::new();
    KEPT.get_or_init(|| SoftwareDecrypter::from_bytes(KEY, None).unwrap())
}
