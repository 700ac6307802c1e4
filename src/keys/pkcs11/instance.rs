//! A module between `C_Initialize` and `C_Finalize`.
//!
//! `C_Initialize` holds for a whole process, so a module is shared with whoever
//! else uses it there. One that was initialised already is adopted and never
//! finalized.

use std::ffi::CString;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cryptoki_sys::*;

use super::cryptoki::{Cryptoki, Functions};
use super::gate::{Gate, Inside};
use super::lock::lock;
use super::rv::{CkResult, Failure};
use super::turn::Turn;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::uri::{ForkPolicy, Lifecycle, TokenSettings};
use crate::log::{self, Level};
use crate::secret::Secret;

/// How a module is initialised.
#[derive(Debug, Clone)]
pub(super) struct Initialisation {
    pub fork: ForkPolicy,
    lifecycle: Lifecycle,
    /// One call at a time.
    pub serial: bool,
    /// `pReserved`.
    reserved: Option<Secret>,
}

/// An initialised module. Session and object handles mean nothing outside of it.
pub(super) struct Instance {
    path: PathBuf,
    pid: u32,
    generation: u64,
    owned: bool,
    /// Owned before, then found initialised although its functions had said that it
    /// was not.
    adopted_again: bool,
    gate: Gate,
    cryptoki: Cryptoki,
    /// The sessions that segl has open.
    sessions: Mutex<Vec<SessionId>>,
    /// Whose turn it is to set a token up, so that it is logged in to once.
    setup: Turn,
    /// Whose turn it is to call `C_Login`, so that a wrong PIN is known to be wrong
    /// before the next thread tries it.
    logging_in: Turn,
}

/// What was before an initialisation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    /// The parent process had initialised the module before it forked.
    pub inherited: bool,
    /// segl had initialised the module in this process.
    pub was_owned: bool,
}

/// An open session. Modules give a handle again to a new session when the old one
/// is gone, so a number of segl's own tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SessionId {
    pub handle: CK_SESSION_HANDLE,
    pub serial: u64,
}

impl From<&TokenSettings> for Initialisation {
    fn from(settings: &TokenSettings) -> Self {
        Self {
            fork: settings.fork,
            lifecycle: settings.lifecycle,
            serial: settings.serial_calls,
            reserved: settings.init_reserved.clone(),
        }
    }
}

impl Instance {
    /// Initialises the module.
    ///
    /// # Errors
    /// `MODULE_INIT`.
    pub fn start(
        functions: Functions,
        path: &Path,
        generation: u64,
        how: &Initialisation,
        before: Before,
    ) -> Result<Self> {
        let (cryptoki, owned) = start(functions, how, before.inherited).map_err(|failure| {
            let cause = Error::from(failure);
            let hint = match (failure.rv, &how.reserved, how.lifecycle) {
                (CKR_ARGUMENTS_BAD, None, _) => {
                    "; it may need its configuration as init-reserved in the key's URI"
                }
                (CKR_CRYPTOKI_NOT_INITIALIZED, _, Lifecycle::Omit) => {
                    "; with lifecycle=omit the program must initialise it first"
                }
                _ => "",
            };
            let text = format!(
                "the PKCS#11 module {} cannot be initialised: {}{hint}",
                path.display(),
                cause.message()
            );
            Error::new(ErrorCode::ModuleInit, text)
                .with_details(|details| *details = cause.details().clone())
        })?;
        if how.lifecycle == Lifecycle::Exclusive && !owned {
            return Err(Error::new(
                ErrorCode::ModuleInit,
                format!(
                    "the PKCS#11 module {} was initialised before by other code of this process, \
                     and lifecycle=exclusive allows no other; use lifecycle=auto to share it",
                    path.display()
                ),
            ));
        }
        log::emit(
            Level::Info,
            "pkcs11",
            format_args!(
                "{} {}",
                if owned {
                    "initialised"
                } else {
                    "adopted, as it was initialised already:"
                },
                path.display()
            ),
        );
        Ok(Self {
            path: path.into(),
            pid: std::process::id(),
            generation,
            owned,
            adopted_again: before.was_owned && !owned,
            gate: Gate::default(),
            cryptoki,
            sessions: Mutex::default(),
            setup: Turn::default(),
            logging_in: Turn::default(),
        })
    }

    /// Lets the caller in to the module's functions.
    ///
    /// # Errors
    /// `SESSION_LOST` once the module is being finalized.
    pub fn enter(&self) -> Result<Entered<'_>> {
        match self.gate.enter() {
            Some(inside) => Ok(Entered {
                instance: self,
                _inside: inside,
            }),
            None => Err(interrupted(&self.path)),
        }
    }

    /// True while its handles are good: in the process that initialised it, and
    /// not shut down.
    pub fn is_current(&self) -> bool {
        self.pid == std::process::id() && !self.gate.is_closed()
    }

    /// Grows with each initialisation, across forks.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Held while a token is set up.
    pub fn setup(&self) -> &Turn {
        &self.setup
    }

    /// Held during `C_Login`.
    pub fn logging_in(&self) -> &Turn {
        &self.logging_in
    }

    /// True when segl initialised the module, false when it was adopted.
    pub fn is_owned(&self) -> bool {
        self.owned
    }

    /// True when segl had initialised it, and then found it initialised by others
    /// while its functions said that it was not.
    pub fn was_adopted_again(&self) -> bool {
        self.adopted_again
    }

    /// Lets nobody in any more; true when nobody is inside after at most
    /// `timeout`.
    pub fn close(&self, timeout: Duration) -> bool {
        self.gate.close(timeout)
    }

    /// Lets callers in again after [`Instance::close`].
    pub fn reopen(&self) {
        self.gate.reopen();
    }

    /// `C_Finalize`. It must be closed, with nobody inside.
    pub fn finalize(&self) -> CkResult<()> {
        match self.cryptoki.finalize() {
            Err(failure) if failure.rv == CKR_CRYPTOKI_NOT_INITIALIZED => Ok(()),
            outcome => outcome,
        }
    }

    /// Finalizes the module, or only closes segl's sessions when the module is
    /// somebody else's. It must be closed, with nobody inside.
    pub fn end(&self) -> CkResult<()> {
        if self.owned {
            return self.finalize();
        }
        for session in lock(&self.sessions).drain(..) {
            let _ = self.cryptoki.close_session(session.handle);
        }
        Ok(())
    }
}

/// The module's functions, for as long as it cannot be finalized.
pub(super) struct Entered<'a> {
    instance: &'a Instance,
    _inside: Inside<'a>,
}

impl Entered<'_> {
    /// The instance that was entered.
    pub fn instance(&self) -> &Instance {
        self.instance
    }

    /// `C_OpenSession`.
    pub fn open_session(&self, slot: CK_SLOT_ID, rw: bool) -> CkResult<SessionId> {
        static SERIALS: AtomicU64 = AtomicU64::new(1);
        let session = SessionId {
            handle: self.instance.cryptoki.open_session(slot, rw)?,
            serial: SERIALS.fetch_add(1, Ordering::Relaxed),
        };
        let mut sessions = lock(&self.instance.sessions);
        // One that had this handle before is gone.
        sessions.retain(|older| older.handle != session.handle);
        sessions.push(session);
        Ok(session)
    }

    /// `C_CloseSession`, unless the session is gone: its handle may be another's
    /// by now. What the module says to it does not matter.
    pub fn close_session(&self, session: SessionId) {
        if self.forget_session(session) {
            let _ = self.instance.cryptoki.close_session(session.handle);
        }
    }

    /// Forgets a session without a call. False when it was gone already.
    pub fn forget_session(&self, session: SessionId) -> bool {
        let mut sessions = lock(&self.instance.sessions);
        let index = sessions.iter().position(|other| *other == session);
        index.map(|index| sessions.swap_remove(index)).is_some()
    }

    /// False when the session's handle has been given to a newer one.
    pub fn has_session(&self, session: SessionId) -> bool {
        lock(&self.instance.sessions).contains(&session)
    }
}

impl Deref for Entered<'_> {
    type Target = Cryptoki;

    fn deref(&self) -> &Cryptoki {
        &self.instance.cryptoki
    }
}

/// Initialises a module as `how` says. False beside the functions when that was
/// done before.
fn start(
    functions: Functions,
    how: &Initialisation,
    inherited: bool,
) -> CkResult<(Cryptoki, bool)> {
    if how.lifecycle == Lifecycle::Omit {
        let cryptoki = Cryptoki::new(functions, how.serial);
        return cryptoki.info().map(|_| (cryptoki, false));
    }
    match initialize(functions, how) {
        // The child has the parent's state, with connections that are not its own.
        Ok((_, false)) if inherited => Cryptoki::new(functions, false)
            .finalize()
            .and_then(|()| initialize(functions, how)),
        outcome => outcome,
    }
}

/// `C_Initialize` with the operating system's locks, or without them when the
/// module refuses those; then it is called from one thread at a time. False when
/// the module was initialised already.
fn initialize(functions: Functions, how: &Initialisation) -> CkResult<(Cryptoki, bool)> {
    let reserved = how.reserved.as_ref().map(Secret::expose);
    // Text from a URI has no NUL inside.
    let reserved = reserved.and_then(|text| CString::new(text).ok());
    let cryptoki = Cryptoki::new(functions, how.serial);
    match cryptoki.initialize(true, reserved.as_deref()) {
        Err(failure) if refuses_locking(&failure) => {
            let cryptoki = Cryptoki::new(functions, true);
            started(cryptoki.initialize(false, reserved.as_deref())).map(|owned| (cryptoki, owned))
        }
        outcome => started(outcome).map(|owned| (cryptoki, owned)),
    }
}

fn refuses_locking(failure: &Failure) -> bool {
    matches!(
        failure.rv,
        CKR_CANT_LOCK | CKR_NEED_TO_CREATE_THREADS | CKR_ARGUMENTS_BAD
    )
}

/// Whether `C_Initialize` did its work; false when it was done before.
fn started(outcome: CkResult<()>) -> CkResult<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(failure) if failure.rv == CKR_CRYPTOKI_ALREADY_INITIALIZED => Ok(false),
        Err(failure) => Err(failure),
    }
}

fn interrupted(path: &Path) -> Error {
    Error::new(
        ErrorCode::SessionLost,
        format!(
            "the PKCS#11 module {} is being finalized; try again",
            path.display()
        ),
    )
    .with_retryable(true)
}

/// The error for whatever comes after the end.
pub(super) fn was_shut_down(path: &Path) -> Error {
    Error::new(
        ErrorCode::ModuleInit,
        format!(
            "the PKCS#11 module {} is shut down, or being shut down; open the key again when that has succeeded",
            path.display()
        ),
    )
}
