//! One signature with a key in a token.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use cryptoki_sys::CK_OBJECT_HANDLE;

use super::find::{self, PrivateKey, Wanted};
use super::mechanism::Plan;
use super::public_key;
use super::session::Session;
use super::token::Token;
use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::{PublicJwk, ecdsa};

/// Room for any signature: RSA of 4096 bits has 512 bytes.
const MAX_SIGNATURE: usize = 1024;

/// A private key and its public half.
pub(super) struct Key {
    token: Arc<Token>,
    attributes: PrivateKey,
    wanted: Wanted,
    public_key: PublicJwk,
    /// Each signature needs a login of its own.
    always_authenticate: bool,
    handle: ArcSwapOption<Handle>,
}

/// The key's handle and the era it was found in.
struct Handle {
    era: (u64, u64),
    handle: CK_OBJECT_HANDLE,
}

impl Key {
    pub fn new(token: Arc<Token>, attributes: PrivateKey, public_key: PublicJwk) -> Self {
        Self {
            token,
            wanted: attributes.wanted(),
            always_authenticate: attributes.always_authenticate,
            attributes,
            public_key,
            handle: ArcSwapOption::empty(),
        }
    }

    pub fn token(&self) -> &Token {
        &self.token
    }

    pub fn attributes(&self) -> &PrivateKey {
        &self.attributes
    }

    pub fn public_key(&self) -> &PublicJwk {
        &self.public_key
    }

    /// Logs in for each signature from now on. False when it does so already.
    pub fn set_always_authenticate(&mut self) -> bool {
        !std::mem::replace(&mut self.always_authenticate, true)
    }

    /// Signs `message`; the signature is in JOSE form and has been verified.
    ///
    /// # Errors
    /// `SIGNATURE_FAULT` when the token returned anything else than the key's
    /// signature; otherwise what the token says.
    pub fn sign(&self, plan: &Plan, message: &[u8], call: &Call) -> Result<Vec<u8>> {
        let digest = plan.alg.hash(message);
        let input = plan.input(&digest, message);
        self.token.with_session(call, |session| {
            let key = self.handle(session)?;
            session.sign_init(&plan.mechanism, key)?;
            if self.always_authenticate {
                self.token.log_in_once(session)?;
            }
            let mut buffer = [0; MAX_SIGNATURE];
            let signature = session.sign(&input, &mut buffer)?;
            self.checked(plan.alg, &digest, signature)
                .ok_or_else(|| self.fault(plan, signature.len()))
        })
    }

    /// `signature` in JOSE form, if it is the key's.
    fn checked(&self, alg: Algorithm, digest: &[u8], signature: &[u8]) -> Option<Vec<u8>> {
        if self.public_key.verify_digest(alg, digest, signature) {
            return Some(signature.to_vec());
        }
        // Some HSMs return ECDSA signatures in DER.
        let jose = ecdsa::der_to_jose(self.public_key.curve()?, signature)?;
        self.public_key
            .verify_digest(alg, digest, &jose)
            .then_some(jose)
    }

    /// The key's handle in the era of `session`, found again when the one known
    /// is of another.
    fn handle(&self, session: &Session<'_>) -> Result<CK_OBJECT_HANDLE> {
        if let Some(known) = &*self.handle.load()
            && known.era == session.era()
        {
            return Ok(known.handle);
        }
        let found = find::private_key(session, &self.wanted)?;
        if let Some(stored) = public_key::recover(session, &found)?
            && stored != self.public_key
        {
            return Err(self.is_another_key(&stored));
        }
        self.handle.store(Some(Arc::new(Handle {
            era: session.era(),
            handle: found.handle,
        })));
        Ok(found.handle)
    }

    fn is_another_key(&self, stored: &PublicJwk) -> Error {
        Error::new(
            ErrorCode::KeyNotFound,
            format!(
                "the key {} on {} has been replaced: its thumbprint was {} and is now {}; open it again",
                self.attributes,
                self.token.place().name,
                self.public_key.thumbprint(),
                stored.thumbprint()
            ),
        )
    }

    fn fault(&self, plan: &Plan, len: usize) -> Error {
        Error::new(
            ErrorCode::SignatureFault,
            format!(
                "{} returned {len} bytes that are no {} signature by the key {} with thumbprint {}; they were not released. \
                 Check that the public key or certificate with this id belongs to the private key; otherwise the token is faulty",
                self.token.place().name,
                plan.alg,
                self.attributes,
                self.public_key.thumbprint()
            ),
        )
    }
}
