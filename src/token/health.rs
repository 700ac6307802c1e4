//! How the keys of a client are doing.

use serde::Serialize;

use crate::keys::Health;

/// How one key of a client is doing. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeyHealth {
    /// The setting that names the key, `"key"` or `"keys[1]"`; `"signer"` for one
    /// that the program gave.
    pub name: String,
    /// False until the key could be opened; the problem in its health says why
    /// not.
    pub opened: bool,
    /// The key's health. A key that is not open counts as unavailable.
    #[serde(flatten)]
    pub health: Health,
}
