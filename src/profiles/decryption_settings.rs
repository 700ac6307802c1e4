//! The settings of a client's keys that others encrypt to.

use schemars::JsonSchema;
use serde::Deserialize;

use super::client_settings::{ClientSettings, KeySetting};
use super::setting_error;
use crate::alg::{ContentEncryption, KeyEncryption};
use crate::error::Result;

/// The key with which answers are decrypted that come encrypted (JWE, RFC 7516), or
/// several while one replaces another, and the algorithms that they may use.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DecryptionSettings {
    /// The URI of the private key, an RSA key that may decrypt, with its PIN source:
    /// `pkcs11:…`, `awskms:…` or `file:…`. It is opened when it is used for the first
    /// time. Left out when `keys` is set, or when the program gives decrypters of its own.
    #[serde(default)]
    pub key: Option<KeySetting>,
    /// Several keys, while some senders still encrypt to an old one: the key that an
    /// answer names decrypts it, and when it names none of them, the first that can.
    /// Excludes `key`.
    #[serde(default)]
    pub keys: Vec<DecryptionKey>,
    /// How the key of the content may be encrypted (`alg`). Default `RSA-OAEP-256`.
    #[serde(default = "usual_key_encryption")]
    pub key_encryption: Vec<KeyEncryption>,
    /// How the content may be encrypted (`enc`). Default `A256GCM` and `A128CBC-HS256`.
    #[serde(default = "usual_content_encryption")]
    pub content_encryption: Vec<ContentEncryption>,
}

/// One of several keys that others encrypt to. An answer names it by its `kid`, which is
/// the one here or the public key's RFC 7638 thumbprint, or by `x5t#S256`, the thumbprint
/// of the certificate.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DecryptionKey {
    /// The URI of the private key, as in `decryption.key`.
    pub key: KeySetting,
    /// What senders call the key in `kid`. No two keys have the same.
    #[serde(default)]
    pub kid: Option<String>,
    /// `file:` URI of the certificate that senders encrypt to (PEM or DER).
    #[serde(default)]
    pub certificate: Option<KeySetting>,
}

impl Default for DecryptionSettings {
    /// The usual algorithms, and no key.
    fn default() -> Self {
        Self {
            key: None,
            keys: Vec::new(),
            key_encryption: usual_key_encryption(),
            content_encryption: usual_content_encryption(),
        }
    }
}

fn usual_key_encryption() -> Vec<KeyEncryption> {
    vec![KeyEncryption::RsaOaep256]
}

fn usual_content_encryption() -> Vec<ContentEncryption> {
    vec![ContentEncryption::A256Gcm, ContentEncryption::A128CbcHs256]
}

/// The settings, if there are any. `are_given` when the program has decrypters of its own.
///
/// # Errors
/// `CONFIG` when they accept nothing, unless the keys come from one place, and for a `kid`
/// that is empty or another key's too.
pub(crate) fn decryption(
    settings: &ClientSettings,
    are_given: bool,
) -> Result<Option<DecryptionSettings>> {
    let decryption = match &settings.decryption {
        Some(decryption) => decryption.clone(),
        None if are_given => DecryptionSettings::default(),
        None => return Ok(None),
    };
    let keys = match (&decryption.key, &decryption.keys[..]) {
        (None, []) if !are_given => Some((
            "key",
            "is missing; set it, or \"decryption.keys\", to a pkcs11:, awskms: or file: URI",
        )),
        (Some(_), [_, ..]) => Some((
            "key",
            "stands beside \"decryption.keys\"; move it into an entry, as decryption.keys[0].key",
        )),
        (Some(_), _) if are_given => Some((
            "key",
            "is set, and decrypters were given too; use one of them",
        )),
        (_, [_, ..]) if are_given => Some((
            "keys",
            "is set, and decrypters were given too; use one of them",
        )),
        _ => None,
    };
    let nothing = "is empty, so nothing could be decrypted; name an algorithm, or leave it out";
    let empty = [
        ("key_encryption", decryption.key_encryption.is_empty()),
        (
            "content_encryption",
            decryption.content_encryption.is_empty(),
        ),
    ];
    let empty = empty.iter().find(|(_, is_empty)| *is_empty);
    match keys.or(empty.map(|(name, _)| (*name, nothing))) {
        Some((name, problem)) => Err(setting_error(&format!("decryption.{name}"), problem)),
        None => {
            require_kids(&decryption.keys)?;
            Ok(Some(decryption))
        }
    }
}

fn require_kids(keys: &[DecryptionKey]) -> Result<()> {
    for (index, key) in keys.iter().enumerate() {
        let Some(kid) = &key.kid else {
            continue;
        };
        let setting = format!("decryption.keys[{index}].kid");
        if kid.is_empty() {
            let problem = "is empty; leave it out or give the key id that senders use";
            return Err(setting_error(&setting, problem));
        }
        let is_same = |other: &DecryptionKey| other.kid.as_ref() == Some(kid);
        if let Some(other) = keys[..index].iter().position(is_same) {
            let problem = format!(
                "is that of decryption.keys[{other}] too; give each key the kid that senders use for it"
            );
            return Err(setting_error(&setting, problem));
        }
    }
    Ok(())
}
