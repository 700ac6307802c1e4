//! How the keys of a client are doing.

use serde::Serialize;

use crate::keys::Health;

/// How one key of a client is doing. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeyHealth {
    /// The setting that names the key, `"key"`, `"keys[1]"`, `"tls.key"` or `"dpop.key"`;
    /// `"signer"`, `"tls_signer"` or `"dpop_signer"` for one that the program gave.
    pub name: String,
    /// False until the key could be opened; the problem in its health says why
    /// not.
    pub opened: bool,
    /// When the certificate in the assertions' header, or of TLS, ends, seconds since 1970;
    /// absent when there is none, or the key is not open.
    pub certificate_not_after: Option<i64>,
    /// When the key's registration at the service ends, seconds since 1970, as
    /// `registered_until` says.
    pub registered_until: Option<i64>,
    /// What ends within `warn_days` or has ended, and what to do: one line each.
    pub warnings: Vec<String>,
    /// What the service said when it refused the key the last time; absent when it
    /// never did, or took the key since.
    pub refusal: Option<String>,
    /// The key's health. A key that is not open counts as unavailable.
    #[serde(flatten)]
    pub health: Health,
}
