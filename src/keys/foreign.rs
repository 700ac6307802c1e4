//! Keys that the host signs with: another SDK, a cloud vault, a smart card.

use std::fmt;

use super::{Origin, PublicJwk, Signer};
use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};

/// What the host implements: one signature.
pub trait SignCallback: Send + Sync {
    /// Signs `message`, which is not hashed yet, in JOSE form (R‖S for ECDSA; see
    /// [`crate::keys::ecdsa_der_to_jose`]), within the bounds of `call`.
    ///
    /// # Errors
    /// Whatever the host wants its caller to see.
    fn sign(&self, alg: Algorithm, message: &[u8], call: &Call) -> Result<Vec<u8>>;
}

/// A signer over a [`SignCallback`]. Every signature is checked with the public
/// key before it is released.
pub struct ForeignSigner {
    public_key: PublicJwk,
    callback: Box<dyn SignCallback>,
}

impl ForeignSigner {
    /// A signer whose private half is behind `callback`.
    pub fn new(public_key: PublicJwk, callback: Box<dyn SignCallback>) -> Self {
        Self {
            public_key,
            callback,
        }
    }
}

impl Signer for ForeignSigner {
    fn public_key(&self) -> &PublicJwk {
        &self.public_key
    }

    fn algorithms(&self) -> &[Algorithm] {
        self.public_key.algorithms()
    }

    fn sign(&self, alg: Algorithm, message: &[u8], call: &Call) -> Result<Vec<u8>> {
        super::require_algorithm(self, alg)?;
        call.check("signing with the host's key")?;
        let signature = self.callback.sign(alg, message, call)?;
        if !self.public_key.verify(alg, message, &signature) {
            return Err(Error::new(
                ErrorCode::SignatureFault,
                format!(
                    "the host's signer returned {} bytes that are no {alg} signature by the key with thumbprint {}; \
                     it must hash and sign the message with that key and return JOSE form (R‖S for ECDSA)",
                    signature.len(),
                    self.public_key.thumbprint()
                ),
            ));
        }
        Ok(signature)
    }

    fn origin(&self) -> Origin {
        Origin::new("foreign")
    }
}

impl fmt::Debug for ForeignSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignSigner")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}
