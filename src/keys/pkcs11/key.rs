//! One signature with a key in a token.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use cryptoki_sys::CK_OBJECT_HANDLE;

use super::find::{PrivateKey, Purpose};
use super::located::{KeyId, Located};
use super::lock::lock;
use super::mechanism::Plan;
use super::session::Session;
use super::token::Token;
use crate::alg::{Algorithm, Digest};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::{MakeMessage, PublicJwk, Signed, ecdsa};

/// Room for any signature: RSA of 4096 bits has 512 bytes.
const MAX_SIGNATURE: usize = 1024;

/// What is signed when only the signature matters.
const PROBE: &[u8] = b"segl proves a key";

/// A private key that signs.
pub(super) struct Key {
    located: Located,
    /// How it signs when only the signature matters.
    usual: OnceLock<Plan>,
    /// The token made wrong signatures with it, twice in a row.
    is_refused: AtomicBool,
}

/// A message as the token gets it, and the hash that checks the signature.
struct Prepared {
    digest: Digest,
    input: Vec<u8>,
}

impl Prepared {
    fn new(plan: &Plan, message: &[u8]) -> Self {
        let digest = plan.alg.hash(message);
        let input = plan.input(&digest, message).into_owned();
        Self { digest, input }
    }
}

impl Key {
    /// A key that was found in `era`.
    pub fn new(
        token: Arc<Token>,
        attributes: PrivateKey,
        era: (u64, u64),
        public_key: PublicJwk,
    ) -> Self {
        Self {
            located: Located::new(token, attributes, Purpose::Sign, era, public_key),
            usual: OnceLock::new(),
            is_refused: AtomicBool::new(false),
        }
    }

    pub fn id(&self) -> KeyId {
        self.located.id()
    }

    pub fn token(&self) -> &Arc<Token> {
        self.located.token()
    }

    pub fn attributes(&self) -> &PrivateKey {
        self.located.attributes()
    }

    pub fn public_key(&self) -> &PublicJwk {
        self.located.public_key()
    }

    /// True when each signature needs a login of its own.
    pub fn is_always_authenticate(&self) -> bool {
        self.located.is_always_authenticate()
    }

    /// Lets the token use the key for its own sake, by the way of `plan`.
    pub fn serve_token(self: &Arc<Self>, plan: &Plan) {
        // The first one stays.
        let _ = self.usual.set(*plan);
        self.token().add_key(self);
    }

    /// True once it is known how it signs.
    fn is_proven(&self) -> bool {
        self.usual.get().is_some()
    }

    /// True once the token made wrong signatures with it.
    pub fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::SeqCst)
    }

    /// Signs `message`; the signature is in JOSE form and has been verified.
    ///
    /// # Errors
    /// `SIGNATURE_FAULT` when the token returned anything else than the key's
    /// signature, now or before; otherwise what the token says.
    pub fn sign(self: &Arc<Self>, plan: &Plan, message: &[u8], call: &Call) -> Result<Vec<u8>> {
        self.run(call, self.signing_of(plan, message, call))
    }

    /// As [`Key::sign`], of the message that `make` makes once a session is held
    /// and the token only has to sign; again for each try.
    ///
    /// # Errors
    /// As [`Key::sign`], and those of `make`, which say nothing of the token.
    pub fn sign_when_ready(
        self: &Arc<Self>,
        plan: &Plan,
        make: &Arc<MakeMessage>,
        call: &Call,
    ) -> Result<Signed> {
        let not_made = Arc::new(Mutex::new(None));
        let (own, make, note) = (*plan, Arc::clone(make), Arc::clone(&not_made));
        let finish = move |key: &Self, session: &Session<'_>| {
            let message = make().map_err(|error| {
                *lock(&note) = Some(error);
                Error::new(ErrorCode::InvalidArgument, "there is no message to sign")
            })?;
            let signature = key.finish(&own, &Prepared::new(&own, &message), session)?;
            Ok(Signed { message, signature })
        };
        let outcome = self.run(call, self.signing(plan, call, finish));
        let not_made = lock(&not_made).take();
        not_made.map_or(outcome, Err)
    }

    /// Runs `job`, which makes one signature, with a session.
    fn run<T: Send + 'static>(
        self: &Arc<Self>,
        call: &Call,
        job: impl Fn(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.is_refused() {
            return Err(self.refusal());
        }
        let outcome = self.token().with_session(call, Some(self.id()), job);
        if matches!(&outcome, Err(error) if error.code() == ErrorCode::SignatureFault) {
            self.is_refused.store(true, Ordering::SeqCst);
        }
        outcome
    }

    /// Makes a signature that nobody needs.
    ///
    /// # Errors
    /// As [`Key::sign`].
    pub fn probe(self: &Arc<Self>, call: &Call) -> Result<()> {
        self.token()
            .with_session(call, Some(self.id()), self.probing())
    }

    /// The job of [`Key::probe`].
    pub fn probing(
        self: &Arc<Self>,
    ) -> impl Fn(&Session<'_>) -> Result<()> + Send + use<> + 'static {
        let job = self
            .usual
            .get()
            .map(|plan| self.signing_of(plan, PROBE, &Call::none()));
        move |session| job.as_ref().map_or(Ok(()), |job| job(session).map(drop))
    }

    /// The job that makes one signature of `message`.
    fn signing_of(
        self: &Arc<Self>,
        plan: &Plan,
        message: &[u8],
        call: &Call,
    ) -> impl Fn(&Session<'_>) -> Result<Vec<u8>> + Send + use<> + 'static {
        let (own, prepared) = (*plan, Prepared::new(plan, message));
        self.signing(plan, call, move |key, session| {
            key.finish(&own, &prepared, session)
        })
    }

    /// The job that makes one signature: begun as `plan` says, then ended by
    /// `finish`.
    fn signing<T, F>(
        self: &Arc<Self>,
        plan: &Plan,
        call: &Call,
        finish: F,
    ) -> impl Fn(&Session<'_>) -> Result<T> + Send + use<T, F> + 'static
    where
        F: Fn(&Self, &Session<'_>) -> Result<T> + Send + 'static,
    {
        let (key, plan, call) = (Arc::clone(self), *plan, call.clone());
        move |session| {
            let outcome = key
                .located
                .operate(session, "C_Sign", key.is_proven(), |handle| {
                    key.begin(&plan, session, handle, &call)?;
                    finish(&key, session)
                });
            if outcome.is_ok() {
                key.token().note_signature();
            }
            outcome
        }
    }

    /// `C_SignInit`, and the login that some keys ask for before each signature.
    fn begin(
        &self,
        plan: &Plan,
        session: &Session<'_>,
        handle: CK_OBJECT_HANDLE,
        call: &Call,
    ) -> Result<()> {
        session.sign_init(&plan.mechanism, handle)?;
        self.located.log_in_if_asked(session, call)
    }

    /// `C_Sign`, and the check of what it returns.
    fn finish(&self, plan: &Plan, prepared: &Prepared, session: &Session<'_>) -> Result<Vec<u8>> {
        let mut buffer = [0; MAX_SIGNATURE];
        let signature = session.sign(&prepared.input, &mut buffer)?;
        self.checked(plan.alg, &prepared.digest, signature)
            .ok_or_else(|| self.fault(plan, signature.len()))
    }

    /// `signature` in JOSE form, if it is the key's.
    fn checked(&self, alg: Algorithm, digest: &[u8], signature: &[u8]) -> Option<Vec<u8>> {
        if self.public_key().verify_digest(alg, digest, signature) {
            return Some(signature.to_vec());
        }
        // Some HSMs return ECDSA signatures in DER.
        let jose = ecdsa::der_to_jose(self.public_key().curve()?, signature)?;
        self.public_key()
            .verify_digest(alg, digest, &jose)
            .then_some(jose)
    }

    fn refusal(&self) -> Error {
        Error::new(
            ErrorCode::SignatureFault,
            format!(
                "{} made wrong signatures with the key {} before, so the key is not used any more; \
                 have the token checked, then open the key again",
                self.token().place().name,
                self.attributes()
            ),
        )
    }

    fn fault(&self, plan: &Plan, len: usize) -> Error {
        Error::new(
            ErrorCode::SignatureFault,
            format!(
                "{} returned {len} bytes that are no {} signature by the key {} with thumbprint {}; they were not released. \
                 Check that the public key or certificate with this id belongs to the private key; otherwise the token is faulty",
                self.token().place().name,
                plan.alg,
                self.attributes(),
                self.public_key().thumbprint()
            ),
        )
    }
}
