//! Which private keys are used at all.

use super::find::PrivateKey;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::jwk::PublicJwk;
use crate::keys::uri::TokenSettings;

/// Refuses a key of which the token does not say that it stays inside. That is only
/// what the token says; an attestation would prove it.
///
/// # Errors
/// `KEY_EXTRACTABLE`.
pub(super) fn require_kept(key: &PrivateKey, settings: &TokenSettings) -> Result<()> {
    let problem = match (key.extractable, key.sensitive) {
        _ if settings.allow_extractable => return Ok(()),
        (Some(false), Some(true)) => return Ok(()),
        (Some(true), _) => "can leave its token (CKA_EXTRACTABLE is true)",
        (_, Some(false)) => "can be read out of its token (CKA_SENSITIVE is false)",
        _ => {
            "may leave its token, which does not tell (CKA_EXTRACTABLE or CKA_SENSITIVE is missing)"
        }
    };
    Err(Error::new(
        ErrorCode::KeyExtractable,
        format!(
            "the private key {key} {problem}; make a key that stays inside (segl key generate --token), \
             or set extractable=allow in the key's URI"
        ),
    ))
}

/// Refuses a key that is not the one the settings name.
///
/// # Errors
/// `PUBLIC_KEY_MISMATCH`.
pub(super) fn require_pinned(
    key: &PrivateKey,
    public_key: &PublicJwk,
    settings: &TokenSettings,
) -> Result<()> {
    match &settings.thumbprint {
        Some(pinned) if pinned != public_key.thumbprint() => Err(Error::new(
            ErrorCode::PublicKeyMismatch,
            format!(
                "the key {key} has thumbprint {}, not {pinned} as its URI says; \
                 it is not the key that was registered, or the URI's thumbprint is out of date",
                public_key.thumbprint()
            ),
        )),
        _ => Ok(()),
    }
}
