//! One decryption with a key in a token.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cryptoki_sys::*;
use openssl::memcmp;
use openssl::rand::rand_bytes;

use super::cryptoki::Oaep;
use super::located::Located;
use super::rv;
use super::session::Session;
use crate::alg::KeyEncryption;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::decrypt::undecipherable;
use crate::keys::oaep;
use crate::secret::Secret;

/// A private RSA key that may decrypt.
pub(super) struct DecryptionKey {
    located: Located,
    /// It has decrypted something.
    is_proven: AtomicBool,
}

/// Something that the key has to decrypt, of which segl knows what it is.
struct Known {
    plain: [u8; 32],
    ciphertext: Vec<u8>,
}

impl DecryptionKey {
    pub fn new(located: Located) -> Self {
        Self {
            located,
            is_proven: AtomicBool::new(false),
        }
    }

    pub fn located(&self) -> &Located {
        &self.located
    }

    /// Decrypts something that segl has encrypted itself, which proves that the key works
    /// and pairs with its public half.
    ///
    /// # Errors
    /// What the token says.
    pub fn prove(self: &Arc<Self>, alg: KeyEncryption, call: &Call) -> Result<()> {
        let (key, own_call) = (Arc::clone(self), call.clone());
        let known = self.known(alg)?;
        self.with_session(call, move |session| {
            key.decrypts_known(&known, alg, session, &own_call)
        })?;
        self.is_proven.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Decrypts `ciphertext`.
    ///
    /// Tokens do not say reliably whether a failure is theirs or the ciphertext's: SoftHSM
    /// answers `CKR_GENERAL_ERROR` to a wrong one. So the ciphertext is blamed only when
    /// the key decrypts something that is known right beside it. Until then the token is
    /// put right as after any failure.
    ///
    /// # Errors
    /// [`undecipherable`] when it is the ciphertext; otherwise what the token says.
    pub fn decrypt(
        self: &Arc<Self>,
        alg: KeyEncryption,
        ciphertext: &[u8],
        call: &Call,
    ) -> Result<Secret> {
        let (key, own_call) = (Arc::clone(self), call.clone());
        let ciphertext = ciphertext.to_vec();
        let known = self.known(alg)?;
        // Failed in a session that is no good for a comparison any more.
        let is_suspect = AtomicBool::new(false);
        self.with_session(call, move |session| {
            let decrypt = || key.once(&ciphertext, alg, session, &own_call);
            let compare = || key.decrypts_known(&known, alg, session, &own_call);
            if !is_suspect.load(Ordering::SeqCst) {
                let error = match decrypt() {
                    Err(error) if may_be_of_ciphertext(&error) => error,
                    outcome => return outcome,
                };
                is_suspect.store(true, Ordering::SeqCst);
                // A session that is dirty after a failure says nothing of the token.
                compare().map_err(|second| match is_dirty(&second) {
                    true => second,
                    false => error,
                })?;
            } else {
                compare()?;
            }
            decrypt().map_err(|error| match may_be_of_ciphertext(&error) {
                true => undecipherable(),
                false => error,
            })
        })
    }

    fn with_session<T: Send + 'static>(
        &self,
        call: &Call,
        job: impl Fn(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let located = &self.located;
        located.token().with_session(call, Some(located.id()), job)
    }

    /// `C_DecryptInit` and `C_Decrypt`.
    fn once(
        &self,
        ciphertext: &[u8],
        alg: KeyEncryption,
        session: &Session<'_>,
        call: &Call,
    ) -> Result<Secret> {
        let room = self.located.public_key().bits().div_ceil(8) as usize;
        let is_proven = self.is_proven.load(Ordering::SeqCst);
        let outcome = self
            .located
            .operate(session, "C_Decrypt", is_proven, |handle| {
                session.decrypt_init(parameters(alg), handle)?;
                self.located.log_in_if_asked(session, call)?;
                Ok(session.decrypt(ciphertext, room)?)
            });
        if outcome.is_ok() {
            self.located.token().note_decryption();
        }
        outcome
    }

    fn decrypts_known(
        &self,
        known: &Known,
        alg: KeyEncryption,
        session: &Session<'_>,
        call: &Call,
    ) -> Result<()> {
        let plain = self.once(&known.ciphertext, alg, session, call)?;
        let plain = plain.expose();
        if plain.len() == known.plain.len() && memcmp::eq(plain, &known.plain) {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::Device,
            format!(
                "{} decrypts wrongly with the key {}: what was encrypted to its public half, thumbprint {}, came out as \
                 something else. Check that the public key or certificate with this id belongs to the private key; \
                 otherwise the token is faulty",
                self.located.token().place().name,
                self.located.attributes(),
                self.located.public_key().thumbprint()
            ),
        ))
    }

    fn known(&self, alg: KeyEncryption) -> Result<Known> {
        let mut plain = [0; 32];
        rand_bytes(&mut plain).map_err(|source| {
            Error::new(ErrorCode::Unsupported, "OpenSSL has no random numbers").with_source(source)
        })?;
        let ciphertext = oaep::encrypt(self.located.public_key(), alg, &plain)?;
        Ok(Known { plain, ciphertext })
    }
}

fn parameters(alg: KeyEncryption) -> Oaep {
    match alg {
        KeyEncryption::RsaOaep256 => Oaep {
            hash: CKM_SHA256,
            mgf: CKG_MGF1_SHA256,
        },
        KeyEncryption::RsaOaep => Oaep {
            hash: CKM_SHA_1,
            mgf: CKG_MGF1_SHA1,
        },
    }
}

/// False for failures that come before the token looks at the ciphertext, and for a
/// session that is gone: its number may be another's.
fn may_be_of_ciphertext(error: &Error) -> bool {
    let rv = error.details().ck_rv.map(CK_RV::try_from);
    error.details().ck_function == Some("C_Decrypt")
        && matches!(rv, Some(Ok(rv)) if !rv::session_is_gone(rv) && rv != CKR_USER_NOT_LOGGED_IN)
}

fn is_dirty(error: &Error) -> bool {
    let rv = error.details().ck_rv.map(CK_RV::try_from);
    matches!(rv, Some(Ok(rv)) if rv::session_is_dirty(rv))
}
