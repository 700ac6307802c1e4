//! What is encrypted to a key of segl's user, and what is not let through.
#![cfg(feature = "simulator")]

mod allowed;
mod parsing;
mod refused;
#[path = "../support/mod.rs"]
mod support;
mod vectors;

use openssl::pkey::{PKey, Private};
use segl::alg::{ContentEncryption, KeyEncryption};
use segl::jwe::{self, Accepted};
use segl::keys::{Decrypter, SoftwareDecrypter};
use segl::{Call, Result, Secret};
use serde_json::Map;

fn decrypter(key: &PKey<Private>) -> SoftwareDecrypter {
    SoftwareDecrypter::from_bytes(&support::pem(key), None).unwrap()
}

/// The key of most tests.
fn key() -> SoftwareDecrypter {
    decrypter(&support::rsa_key())
}

fn encrypt(plain: &[u8], alg: KeyEncryption, enc: ContentEncryption) -> String {
    jwe::encrypt(plain, key().public_key(), alg, enc, Map::new()).unwrap()
}

/// As the banks would with the defaults.
fn usual(plain: &[u8]) -> String {
    encrypt(plain, KeyEncryption::RsaOaep256, ContentEncryption::A256Gcm)
}

fn decrypt(jwe: &str) -> Result<Secret> {
    jwe::decrypt(jwe, &key(), &Accepted::default(), &Call::none())
}

fn everything() -> Accepted {
    Accepted {
        key_encryption: KeyEncryption::ALL.to_vec(),
        content_encryption: ContentEncryption::ALL.to_vec(),
    }
}
