//! The settings of a client's key that others encrypt to.

use schemars::JsonSchema;
use serde::Deserialize;

use super::client_settings::{ClientSettings, KeySetting};
use super::setting_error;
use crate::alg::{ContentEncryption, KeyEncryption};
use crate::error::Result;

/// The key with which answers are decrypted that come encrypted (JWE, RFC 7516), and the
/// algorithms that they may use.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DecryptionSettings {
    /// The URI of the private key, an RSA key that may decrypt, with its PIN source:
    /// `pkcs11:…`, `awskms:…` or `file:…`. It is opened when it is used for the first
    /// time.
    pub key: KeySetting,
    /// How the key of the content may be encrypted (`alg`). Default `RSA-OAEP-256`.
    #[serde(default = "usual_key_encryption")]
    pub key_encryption: Vec<KeyEncryption>,
    /// How the content may be encrypted (`enc`). Default `A256GCM` and `A128CBC-HS256`.
    #[serde(default = "usual_content_encryption")]
    pub content_encryption: Vec<ContentEncryption>,
}

fn usual_key_encryption() -> Vec<KeyEncryption> {
    vec![KeyEncryption::RsaOaep256]
}

fn usual_content_encryption() -> Vec<ContentEncryption> {
    vec![ContentEncryption::A256Gcm, ContentEncryption::A128CbcHs256]
}

/// The settings, if there are any.
///
/// # Errors
/// `CONFIG` when they accept nothing.
pub(crate) fn decryption(settings: &ClientSettings) -> Result<Option<DecryptionSettings>> {
    let Some(decryption) = &settings.decryption else {
        return Ok(None);
    };
    for (name, is_empty) in [
        ("key_encryption", decryption.key_encryption.is_empty()),
        (
            "content_encryption",
            decryption.content_encryption.is_empty(),
        ),
    ] {
        if is_empty {
            return Err(setting_error(
                &format!("decryption.{name}"),
                format_args!(
                    "is empty, so nothing could be decrypted; name an algorithm, or leave it out"
                ),
            ));
        }
    }
    Ok(Some(decryption.clone()))
}
