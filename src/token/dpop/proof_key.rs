//! The key that tokens are bound to.

use std::sync::Arc;

use super::super::health::KeyHealth;
use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::jws::{self, Header, PreparedHeader};
use crate::keys::Signer;

/// An open key, and the header of its proofs.
#[derive(Debug)]
pub(in super::super) struct ProofKey {
    name: String,
    signer: Arc<dyn Signer>,
    header: PreparedHeader,
}

impl ProofKey {
    /// `signer`, whose proofs are signed with the algorithm that the settings name, or
    /// else `usual`. `name` is the setting that names it.
    ///
    /// # Errors
    /// `CONFIG` when the key cannot make the algorithm.
    pub(in super::super) fn new(
        name: &str,
        signer: Arc<dyn Signer>,
        wanted: Option<&str>,
        usual: Algorithm,
    ) -> Result<Self> {
        let alg = match wanted {
            None => usual,
            Some(name) => algorithm(&*signer, name)?,
        };
        let mut header = Header::new(alg);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(signer.public_key().members());
        Ok(Self {
            name: name.to_owned(),
            header: PreparedHeader::new(&header)?,
            signer,
        })
    }

    /// RFC 7638, SHA-256: the `jkt` of tokens that are bound to it.
    pub(super) fn thumbprint(&self) -> &str {
        self.signer.public_key().thumbprint()
    }

    pub(super) fn alg(&self) -> &'static str {
        self.header.alg().name()
    }

    pub(super) fn health(&self) -> KeyHealth {
        KeyHealth {
            name: self.name.clone(),
            opened: true,
            certificate_not_after: None,
            registered_until: None,
            warnings: Vec::new(),
            refusal: None,
            health: self.signer.health(),
        }
    }

    /// A proof with the claims that `make` makes once the key only has to sign.
    pub(super) fn sign(
        &self,
        make: impl Fn() -> Result<Vec<u8>> + Send + Sync + 'static,
        call: &Call,
    ) -> Result<String> {
        jws::sign_compact_when_ready(&*self.signer, &self.header, make, call)
            .map_err(|error| error.in_context("the DPoP proof"))
    }
}

fn algorithm(signer: &dyn Signer, name: &str) -> Result<Algorithm> {
    let possible = signer.algorithms();
    let wanted = name.parse().ok().filter(|alg| possible.contains(alg));
    wanted.ok_or_else(|| {
        let names: Vec<_> = possible.iter().map(|alg| alg.name()).collect();
        Error::new(
            ErrorCode::Config,
            format!(
                "setting \"dpop.alg\" is {}; this key can make {}",
                name.escape_debug(),
                names.join(", ")
            ),
        )
        .with_details(|details| details.config_path = Some("dpop.alg".to_owned()))
    })
}
