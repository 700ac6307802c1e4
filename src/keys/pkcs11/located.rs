//! A private key in a token, found again when its handle is good no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use cryptoki_sys::{CK_OBJECT_HANDLE, CK_RV, CKR_USER_NOT_LOGGED_IN};

use super::find::{self, PrivateKey, Purpose, Wanted};
use super::rv;
use super::session::Session;
use super::token::Token;
use super::{policy, public_key};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::PublicJwk;

/// A private key, its public half, and where it is now.
pub(super) struct Located {
    id: KeyId,
    token: Arc<Token>,
    attributes: PrivateKey,
    purpose: Purpose,
    wanted: Wanted,
    public_key: PublicJwk,
    /// Each use needs a login of its own.
    always_authenticate: AtomicBool,
    handle: ArcSwapOption<Handle>,
}

/// Tells an open key from the others of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyId(u64);

/// The key's handle and the era it was found in.
struct Handle {
    era: (u64, u64),
    handle: CK_OBJECT_HANDLE,
}

impl Located {
    /// A key that was found in `era`.
    pub fn new(
        token: Arc<Token>,
        attributes: PrivateKey,
        purpose: Purpose,
        era: (u64, u64),
        public_key: PublicJwk,
    ) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(0);
        Self {
            id: KeyId(IDS.fetch_add(1, Ordering::Relaxed)),
            token,
            wanted: attributes.wanted(),
            always_authenticate: AtomicBool::new(attributes.always_authenticate),
            handle: ArcSwapOption::from_pointee(Handle {
                era,
                handle: attributes.handle,
            }),
            attributes,
            purpose,
            public_key,
        }
    }

    pub fn id(&self) -> KeyId {
        self.id
    }

    pub fn token(&self) -> &Arc<Token> {
        &self.token
    }

    pub fn attributes(&self) -> &PrivateKey {
        &self.attributes
    }

    pub fn public_key(&self) -> &PublicJwk {
        &self.public_key
    }

    /// True when each use needs a login of its own.
    pub fn is_always_authenticate(&self) -> bool {
        self.always_authenticate.load(Ordering::SeqCst)
    }

    /// The login that some keys ask for before each use, after its `C_…Init`.
    pub fn log_in_if_asked(&self, session: &Session<'_>, call: &Call) -> Result<()> {
        match self.is_always_authenticate() {
            true => self.token.log_in_once(session, call),
            false => Ok(()),
        }
    }

    /// Does `operation` with the key's handle. `function` is the one that uses the key,
    /// `is_proven` says that it did so before.
    ///
    /// # Errors
    /// Those of `operation`, and of finding the key.
    pub fn operate<T>(
        &self,
        session: &Session<'_>,
        function: &str,
        is_proven: bool,
        operation: impl Fn(CK_OBJECT_HANDLE) -> Result<T>,
    ) -> Result<T> {
        let (handle, is_known) = self.handle(session)?;
        let outcome = match operation(handle) {
            // A handle may denote another key by now, which takes other mechanisms.
            Err(error) if is_known && is_proven && refuses_mechanism(&error) => {
                self.handle.store(None);
                operation(self.handle(session)?.0)
            }
            // Some tokens do not show CKA_ALWAYS_AUTHENTICATE.
            Err(error) if !is_proven && self.asks_for_login(&error, function, session) => {
                self.always_authenticate.store(true, Ordering::SeqCst);
                operation(handle).map_err(|second| match second.code() {
                    ErrorCode::SessionLost => {
                        self.always_authenticate.store(false, Ordering::SeqCst);
                        error
                    }
                    _ => second,
                })
            }
            outcome => outcome,
        };
        if outcome.is_err() {
            // It may be the handle; it is found again for the next try.
            self.handle.store(None);
        }
        outcome
    }

    /// True when the first use failed as if nobody was logged in, although somebody is.
    fn asks_for_login(&self, error: &Error, function: &str, session: &Session<'_>) -> bool {
        let details = error.details();
        !self.is_always_authenticate()
            && details.ck_function == Some(function)
            && details.ck_rv.map(CK_RV::try_from) == Some(Ok(CKR_USER_NOT_LOGGED_IN))
            && session.is_logged_in()
    }

    /// The key's handle in the era of `session`, found again when the one known
    /// is of another. True beside one that was known.
    fn handle(&self, session: &Session<'_>) -> Result<(CK_OBJECT_HANDLE, bool)> {
        if let Some(known) = &*self.handle.load()
            && known.era == session.era()
        {
            return Ok((known.handle, true));
        }
        let found = find::private_key(session, &self.wanted, self.purpose)?;
        policy::require_kept(&found, self.token.settings())?;
        if let Some(stored) = public_key::recover(session, &found)?
            && stored != self.public_key
        {
            return Err(self.is_another_key(&stored));
        }
        self.handle.store(Some(Arc::new(Handle {
            era: session.era(),
            handle: found.handle,
        })));
        Ok((found.handle, false))
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
}

/// True when the token refuses the mechanism for the key.
pub(super) fn refuses_mechanism(error: &Error) -> bool {
    let rv = error.details().ck_rv.map(CK_RV::try_from);
    matches!(rv, Some(Ok(rv)) if rv::refuses_mechanism(rv))
}
