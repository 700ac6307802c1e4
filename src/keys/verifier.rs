//! Verifying many signatures with one key.

use std::fmt;
use std::sync::Mutex;

use openssl::error::ErrorStack;
use openssl::pkey::Public;
use openssl::pkey_ctx::PkeyCtx;

use super::jwk::PublicJwk;
use crate::alg::Algorithm;

/// A public key with contexts of OpenSSL that are initialised already.
pub(crate) struct Verifier {
    key: PublicJwk,
    contexts: [Contexts; Algorithm::ALL.len()],
}

/// Initialised contexts of one algorithm that are not in use.
type Contexts = Mutex<Vec<PkeyCtx<Public>>>;

const MAX_IDLE_CONTEXTS: usize = 8;

impl Verifier {
    pub(crate) fn new(key: PublicJwk) -> Self {
        Self {
            key,
            contexts: Default::default(),
        }
    }

    pub(crate) fn key(&self) -> &PublicJwk {
        &self.key
    }

    /// As [`PublicJwk::verify`].
    pub(crate) fn verify(&self, alg: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let Some(signature) = self.key.native_signature(alg, signature) else {
            return false;
        };
        let Ok(mut context) = self.context(alg) else {
            return false;
        };
        match context.verify(&alg.hash(message), &signature) {
            Ok(is_right) => {
                self.put_back(alg, context);
                is_right
            }
            Err(_) => false,
        }
    }

    /// An idle context, else a new one. Nobody waits here, so that a forked child never
    /// meets a held lock.
    fn context(&self, alg: Algorithm) -> Result<PkeyCtx<Public>, ErrorStack> {
        let idle = self.contexts[alg as usize]
            .try_lock()
            .ok()
            .and_then(|mut idle| idle.pop());
        idle.map_or_else(|| self.key.verifying_context(alg), Ok)
    }

    fn put_back(&self, alg: Algorithm, context: PkeyCtx<Public>) {
        if let Ok(mut idle) = self.contexts[alg as usize].try_lock()
            && idle.len() < MAX_IDLE_CONTEXTS
        {
            idle.push(context);
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verifier").field(&self.key).finish()
    }
}
