//! The settings of a token cache that several instances share.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

/// A token cache that several instances share. `docs/shared-cache.md` says what
/// is in it, and what happens when it is away.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SharedCacheSettings {
    /// Where Redis or Valkey is: `redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]`,
    /// `rediss://…` for TLS, or `redis+unix:///PATH[?db=DATABASE]`. Left out when the
    /// program gives a store of its own.
    #[serde(default)]
    pub url: Option<SecretSetting>,
    /// Where the password for Redis is read from, once: `file:/ABSOLUTE/PATH` or
    /// `env:NAME`. Excludes a password in `url`.
    #[serde(default)]
    pub password: Option<SecretSetting>,
    /// The certificates (PEM) that a `rediss://` server's is checked against,
    /// instead of the operating system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Where the key is read from that seals the tokens: `file:/ABSOLUTE/PATH` or
    /// `env:NAME`. It is 32 random bytes in base64 or base64url, the same for every
    /// instance.
    #[serde(default)]
    pub key: Option<SecretSetting>,
    /// Several keys, while one replaces another: the first seals, each of them opens.
    /// Excludes `key`.
    #[serde(default)]
    pub keys: Vec<SecretSetting>,
    /// What the names of segl's entries begin with. Default `segl`.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Time for one question to the store in milliseconds, connecting included,
    /// 1 to 5,000. Default 250.
    #[serde(default)]
    pub timeout_ms: Option<u32>,
    /// For how long one instance may keep the others waiting while it fetches a token,
    /// in milliseconds, 100 to 60,000. Longer than a fetch usually lasts. Default
    /// 10,000.
    #[serde(default)]
    pub lease_ms: Option<u32>,
}

/// A setting that may hold a secret. Its memory is wiped and `Debug` shows nothing
/// of it.
#[derive(Clone, Deserialize, JsonSchema)]
#[schemars(with = "String")]
pub struct SecretSetting(Zeroizing<String>);

impl SecretSetting {
    /// The setting's text. It must not be logged.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretSetting {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for SecretSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
