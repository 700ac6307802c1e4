//! A module between `C_Initialize` and `C_Finalize`.
//!
//! `C_Initialize` holds for a whole process, so a module is shared with whoever
//! else uses it there. One that was initialised already is adopted and never
//! finalized.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use cryptoki_sys::*;

use super::cryptoki::{Cryptoki, Functions};
use super::gate::{Gate, Inside};
use super::lock::lock;
use super::rv::{CkResult, Failure};
use crate::error::{Error, ErrorCode, Result};
use crate::log::{self, Level};

/// An initialised module. Session and object handles mean nothing outside of it.
pub(super) struct Instance {
    path: PathBuf,
    pid: u32,
    generation: u64,
    owned: bool,
    gate: Gate,
    cryptoki: Cryptoki,
    /// The sessions that segl has open.
    sessions: Mutex<Vec<CK_SESSION_HANDLE>>,
    /// Held while a token is set up, so that it is logged in to once.
    setup: Mutex<()>,
    /// Held during `C_Login`, so that a wrong PIN is known to be wrong before the
    /// next thread tries it.
    logging_in: Mutex<()>,
}

impl Instance {
    /// Initialises the module. `inherited` says that the parent process had done
    /// so before it forked.
    ///
    /// # Errors
    /// `MODULE_INIT`.
    pub fn start(
        functions: Functions,
        path: &Path,
        generation: u64,
        inherited: bool,
    ) -> Result<Self> {
        let mut attempt = initialize(functions);
        if inherited && matches!(&attempt, Ok((_, false))) {
            // The child has the parent's state, with connections that are not its own.
            attempt = Cryptoki::new(functions, false)
                .finalize()
                .and_then(|()| initialize(functions));
        }
        let (cryptoki, owned) = match attempt {
            Ok(started) => started,
            Err(failure) => {
                let cause = Error::from(failure);
                let text = format!(
                    "the PKCS#11 module {} cannot be initialised: {}",
                    path.display(),
                    cause.message()
                );
                return Err(Error::new(ErrorCode::ModuleInit, text)
                    .with_details(|details| *details = cause.details().clone()));
            }
        };
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
            gate: Gate::default(),
            cryptoki,
            sessions: Mutex::default(),
            setup: Mutex::default(),
            logging_in: Mutex::default(),
        })
    }

    /// Lets the caller in to the module's functions.
    ///
    /// # Errors
    /// `MODULE_INIT` once the module is being shut down.
    pub fn enter(&self) -> Result<Entered<'_>> {
        match self.gate.enter() {
            Some(inside) => Ok(Entered {
                instance: self,
                _inside: inside,
            }),
            None => Err(was_shut_down(&self.path)),
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
    pub fn setup(&self) -> &Mutex<()> {
        &self.setup
    }

    /// Held during `C_Login`.
    pub fn logging_in(&self) -> &Mutex<()> {
        &self.logging_in
    }

    /// True when segl initialised the module, false when it was adopted.
    pub fn is_owned(&self) -> bool {
        self.owned
    }

    /// Lets nobody in any more; true when nobody is inside after at most
    /// `timeout`.
    pub fn close(&self, timeout: Duration) -> bool {
        self.gate.close(timeout)
    }

    /// Finalizes the module, or only closes segl's sessions when the module is
    /// somebody else's. It must be closed, with nobody inside.
    pub fn end(&self) -> CkResult<()> {
        if self.owned {
            return match self.cryptoki.finalize() {
                Err(failure) if failure.rv == CKR_CRYPTOKI_NOT_INITIALIZED => Ok(()),
                outcome => outcome,
            };
        }
        for session in lock(&self.sessions).drain(..) {
            let _ = self.cryptoki.close_session(session);
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
    pub fn open_session(&self, slot: CK_SLOT_ID, rw: bool) -> CkResult<CK_SESSION_HANDLE> {
        let session = self.instance.cryptoki.open_session(slot, rw)?;
        lock(&self.instance.sessions).push(session);
        Ok(session)
    }

    /// `C_CloseSession`. What the module says to it does not matter.
    ///
    /// When the module has given the same number to a newer session, the older
    /// one is gone, and closing it would close the newer.
    pub fn close_session(&self, session: CK_SESSION_HANDLE) {
        self.forget_session(session);
        if !lock(&self.instance.sessions).contains(&session) {
            let _ = self.instance.cryptoki.close_session(session);
        }
    }

    /// Forgets a session that is gone, without a call.
    pub fn forget_session(&self, session: CK_SESSION_HANDLE) {
        let mut sessions = lock(&self.instance.sessions);
        if let Some(index) = sessions.iter().position(|other| *other == session) {
            sessions.swap_remove(index);
        }
    }
}

impl Deref for Entered<'_> {
    type Target = Cryptoki;

    fn deref(&self) -> &Cryptoki {
        &self.instance.cryptoki
    }
}

/// `C_Initialize` with the operating system's locks, or without arguments when
/// the module refuses those; then it is called from one thread at a time. False
/// when the module was initialised already.
fn initialize(functions: Functions) -> CkResult<(Cryptoki, bool)> {
    let cryptoki = Cryptoki::new(functions, false);
    match cryptoki.initialize(true) {
        Err(failure) if refuses_locking(&failure) => {
            let cryptoki = Cryptoki::new(functions, true);
            started(cryptoki.initialize(false)).map(|owned| (cryptoki, owned))
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
