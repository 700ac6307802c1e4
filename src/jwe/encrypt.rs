//! Encrypting, as the services do whose answers segl decrypts. Only for the simulator
//! and tests: segl itself has nothing to encrypt.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::content;
use crate::alg::{ContentEncryption, KeyEncryption};
use crate::error::Result;
use crate::keys::{PublicJwk, oaep};
use crate::secret::Secret;

/// A compact JWE of `plain` for who has the private half of `to`. `members` are those of
/// its header beside `alg` and `enc`.
///
/// # Errors
/// `KEY_TYPE` for a key that is not RSA.
pub fn encrypt(
    plain: &[u8],
    to: &PublicJwk,
    alg: KeyEncryption,
    enc: ContentEncryption,
    members: Map<String, Value>,
) -> Result<String> {
    let wrap = |content_key: &Secret| oaep::encrypt(to, alg, content_key.expose());
    seal(plain, alg.name(), enc, members, wrap)
}

/// As [`encrypt`], with a key that `wrap` encrypts by an `alg` of its own.
///
/// # Errors
/// Those of `wrap`.
pub fn seal(
    plain: &[u8],
    alg: &str,
    enc: ContentEncryption,
    mut members: Map<String, Value>,
    wrap: impl FnOnce(&Secret) -> Result<Vec<u8>>,
) -> Result<String> {
    members.insert("alg".to_owned(), alg.into());
    members.insert("enc".to_owned(), enc.name().into());
    let header = URL_SAFE_NO_PAD.encode(Value::Object(members).to_string());
    let content_key = content::random(content::key_len(enc))?;
    let encrypted_key = wrap(&content_key)?;
    let [iv, ciphertext, tag] = content::encrypt(enc, &content_key, header.as_bytes(), plain)?;
    let parts = [encrypted_key, iv, ciphertext, tag].map(|part| URL_SAFE_NO_PAD.encode(part));
    Ok(format!("{header}.{}", parts.join(".")))
}
