//! Settings of DPoP.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::super::config::contradiction;
use crate::alg::Algorithm;
use crate::error::Result;

/// Whether tokens are bound to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in super::super) enum DpopMode {
    /// A proof is ignored, as by a server that knows nothing of DPoP.
    Off,
    /// Who sends a proof gets a token that is bound to its key.
    Accepted,
    /// Nobody gets a token without.
    Required,
}

/// A `dpop` table. What is left out depends on the service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in super::super) struct DpopConfig {
    mode: Option<DpopMode>,
    /// Seconds by which `iat` of a proof may differ from the time.
    window_seconds: Option<u32>,
    /// Whether a nonce of the server must be in a proof.
    nonces: Option<bool>,
    /// Seconds until a nonce is replaced.
    nonce_seconds: Option<u32>,
    /// Proofs until a nonce is replaced. `None`: no matter how many.
    pub(super) nonce_uses: Option<u32>,
    #[serde(deserialize_with = "algorithms")]
    algorithms: Option<Vec<Algorithm>>,
}

/// How a service does it when its table does not say.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct DpopDefaults {
    pub(in super::super) mode: DpopMode,
    pub(in super::super) nonces: bool,
}

impl DpopConfig {
    /// The member of a server's metadata that names the algorithms (RFC 9449 section
    /// 5.1).
    pub(in super::super) const METADATA_MEMBER: &str = "dpop_signing_alg_values_supported";

    pub(super) fn mode(&self, defaults: DpopDefaults) -> DpopMode {
        self.mode.unwrap_or(defaults.mode)
    }

    pub(super) fn nonces(&self, defaults: DpopDefaults) -> bool {
        self.nonces.unwrap_or(defaults.nonces)
    }

    pub(super) fn window_seconds(&self) -> i64 {
        self.window_seconds.map_or(10, i64::from)
    }

    pub(super) fn nonce_seconds(&self) -> i64 {
        self.nonce_seconds.map_or(300, i64::from)
    }

    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        let all = || Algorithm::ALL.to_vec();
        self.algorithms.clone().unwrap_or_else(all)
    }

    /// Refuses settings that contradict each other; `path` is where they stand.
    pub(in super::super) fn check(&self, path: &str, defaults: DpopDefaults) -> Result<()> {
        let set = |name: &str| format!("{path}.{name}");
        if self.algorithms.as_ref().is_some_and(Vec::is_empty) {
            return Err(contradiction(&set("algorithms"), "is empty"));
        }
        if self.mode(defaults) == DpopMode::Off && self.nonces == Some(true) {
            let problem = "is of no use with mode = \"off\"";
            return Err(contradiction(&set("nonces"), problem));
        }
        for (name, value) in [
            ("nonce_seconds", self.nonce_seconds),
            ("nonce_uses", self.nonce_uses),
        ] {
            if value == Some(0) {
                return Err(contradiction(&set(name), "is 0; no proof could be right"));
            }
            if value.is_some() && !self.nonces(defaults) {
                return Err(contradiction(&set(name), "needs nonces = true"));
            }
        }
        Ok(())
    }
}

fn algorithms<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Vec<Algorithm>>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|name| name.parse().map_err(D::Error::custom))
        .collect::<std::result::Result<_, _>>()
        .map(Some)
}
