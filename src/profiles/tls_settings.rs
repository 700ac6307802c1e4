//! The settings of a client's TLS.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::client_settings::KeySetting;

/// How a client speaks TLS, to the token endpoint and to the APIs behind it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TlsSettings {
    /// The URI of the client certificate's private key: `pkcs11:…`, `file:…` or
    /// `awskms:…`. Servers that ask for no certificate are given none.
    #[serde(default)]
    pub key: Option<KeySetting>,
    /// `file:` URI of the client certificate (PEM with its issuers, or DER). Left
    /// out, the certificate beside the key (token object, PKCS#12, PEM) is used.
    #[serde(default)]
    pub certificate: Option<KeySetting>,
    /// The certificates (PEM) that servers' are checked against, instead of the
    /// operating system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The oldest version that is spoken. Default `1.2`.
    #[serde(default)]
    pub min_version: Option<TlsVersion>,
    /// Whether a later connection may resume the session of an earlier one, without
    /// a signature of the key. Default true. False makes every new connection sign.
    #[serde(default)]
    pub resumption: Option<bool>,
}

/// A version of TLS.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    #[serde(rename = "1.3")]
    Tls13,
}
