//! A token's sessions between one `C_Initialize` of its module and the next.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use cryptoki_sys::*;

use super::instance::{Entered, Instance};
use super::lock::lock;
use super::login::{self, Credentials};
use super::pool::{Permit, Pool, Refused};
use super::rv::{self, CkResult};
use super::session::Session;
use super::slot::{self, Place};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::log::{self, Level};

/// The sessions with a token, in one instance of its module and so in one
/// process.
pub(super) struct Online {
    instance: Arc<Instance>,
    slot: CK_SLOT_ID,
    /// The token takes only read-write sessions.
    rw: bool,
    pool: Pool,
    recovering: Mutex<()>,
}

impl Online {
    /// Finds the token, opens the session that keeps the login, and logs in.
    ///
    /// # Errors
    /// 200 numbers of [`crate::ErrorCode`].
    pub fn open(
        instance: &Arc<Instance>,
        place: &Place,
        credentials: &Credentials,
        max_sessions: usize,
    ) -> Result<Self> {
        let module = instance.enter()?;
        let slot = slot::find_again(&module, place)?.slot;
        let info = module.token_info(slot)?;
        let (keeper, rw) = open_keeper(&module, slot)
            .map_err(|failure| Error::from(failure).in_context(&place.name))?;
        if let Err(error) = credentials.log_in(&module, slot, keeper) {
            module.close_session(keeper);
            return Err(error);
        }
        Ok(Self {
            instance: Arc::clone(instance),
            slot,
            rw,
            pool: Pool::new(keeper, max_sessions.min(spare_sessions(&info))),
            recovering: Mutex::default(),
        })
    }

    /// The instance that the sessions belong to.
    pub fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    /// Runs `job` once with a leased session. After a failure the session is
    /// closed, for it may have an operation pending. `epoch` grows when that needs
    /// a login.
    ///
    /// # Errors
    /// Those of `job`, and those of getting a session.
    pub fn attempt<T>(
        &self,
        call: &Call,
        credentials: &Credentials,
        epoch: &AtomicU64,
        job: impl Fn(&Session<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut lease = self.lease(call)?;
        // Without a keeper the login may have ended with the last session.
        if lease.is_new
            && self.pool.keeper().is_none()
            && credentials.log_in(&lease.module, self.slot, lease.session)?
        {
            epoch.fetch_add(1, Ordering::SeqCst);
        }
        let epoch = epoch.load(Ordering::SeqCst);
        let outcome = job(&Session::new(&lease.module, lease.session, epoch));
        lease.fate = match &outcome {
            Ok(_) => Fate::PutBack,
            Err(error) => Fate::after(error),
        };
        outcome
    }

    /// Runs `job` with a session of its own that may write to the token.
    ///
    /// # Errors
    /// Those of `job`, and those of opening the session.
    pub fn with_rw_session<T>(
        &self,
        epoch: u64,
        job: impl FnOnce(&Session<'_>) -> Result<T>,
    ) -> Result<T> {
        let module = self.instance.enter()?;
        let handle = module.open_session(self.slot, true)?;
        let outcome = job(&Session::new(&module, handle, epoch));
        module.close_session(handle);
        outcome
    }

    /// Asks the token something that needs no session.
    ///
    /// # Errors
    /// Those of `question`, and `MODULE_INIT`.
    pub fn ask<T>(
        &self,
        question: impl FnOnce(&Entered<'_>, CK_SLOT_ID) -> CkResult<T>,
    ) -> Result<T> {
        Ok(question(&self.instance.enter()?, self.slot)?)
    }

    /// False when the session that keeps the login says that there is none.
    pub fn is_logged_in(&self) -> bool {
        let (Ok(module), Some(keeper)) = (self.instance.enter(), self.pool.keeper()) else {
            return true;
        };
        module
            .session_info(keeper)
            .is_ok_and(|info| login::is_user(info.state))
    }

    /// Held by the one thread that makes the sessions good again.
    pub fn recovering(&self) -> MutexGuard<'_, ()> {
        lock(&self.recovering)
    }

    /// Makes the sessions good again: forgets those that are gone, keeps one open
    /// for the login, and logs in if need be. Then `epoch` grows.
    ///
    /// # Errors
    /// Those of opening a session and of logging in.
    pub fn recover(&self, credentials: &Credentials, epoch: &AtomicU64) -> Result<()> {
        let module = self.instance.enter()?;
        let alive = |handle: &CK_SESSION_HANDLE| {
            let alive = module.session_info(*handle).is_ok();
            if !alive {
                module.forget_session(*handle);
            }
            alive
        };
        // All are looked at before any is opened, which may get an old one's number.
        let (idle, keeper) = self.pool.take_all();
        let idle: Vec<_> = idle.into_iter().filter(alive).collect();
        let keeper = keeper.filter(alive);
        let keeper = keeper.map_or_else(|| module.open_session(self.slot, self.rw), Ok);
        let log_in = |session| credentials.log_in(&module, self.slot, session).map(drop);
        let outcome = match (&keeper, idle.last()) {
            (Ok(keeper), _) => log_in(*keeper),
            // The token has no room for a keeper beside the others.
            (Err(failure), Some(session)) if failure.rv == CKR_SESSION_COUNT => log_in(*session),
            // The others are in use; who opens the next one logs in.
            (Err(failure), None) if failure.rv == CKR_SESSION_COUNT => Ok(()),
            (Err(failure), _) => Err((*failure).into()),
        };
        if outcome.is_ok() {
            epoch.fetch_add(1, Ordering::SeqCst);
        }
        // Only now, so that nobody uses them before the login and with old handles.
        for surplus in self.pool.put_all(idle, keeper.ok()) {
            module.close_session(surplus);
        }
        outcome
    }

    fn lease(&self, call: &Call) -> Result<Lease<'_>> {
        let mut may_retry = true;
        loop {
            let mut permit = self.pool.acquire(call)?;
            let module = self.instance.enter()?;
            let (session, is_new) = match permit.take_session() {
                Some(session) => (session, false),
                None => match module.open_session(self.slot, self.rw) {
                    Ok(session) => (session, true),
                    Err(failure) if failure.rv == CKR_SESSION_COUNT => match permit.was_refused() {
                        Refused::UseOthers { max } => {
                            log::emit(
                                Level::Warn,
                                "pkcs11",
                                format_args!("the token allows no more than {max} sessions"),
                            );
                            continue;
                        }
                        Refused::UseKeeper(keeper) => (keeper, false),
                        Refused::AwaitKeeper => {
                            drop(permit);
                            drop(self.recovering());
                            continue;
                        }
                        // The one that had the last may have closed it by now.
                        Refused::NothingLeft if may_retry => {
                            may_retry = false;
                            continue;
                        }
                        Refused::NothingLeft => return Err(failure.into()),
                    },
                    Err(failure) => return Err(failure.into()),
                },
            };
            return Ok(Lease {
                module,
                permit: Some(permit),
                session,
                is_new,
                fate: Fate::Close,
            });
        }
    }
}

impl Drop for Online {
    fn drop(&mut self) {
        // After a fork the sessions are the parent's.
        if !self.instance.is_current() {
            return;
        }
        if let Ok(module) = self.instance.enter() {
            let (idle, keeper) = self.pool.take_all();
            for session in idle.into_iter().chain(keeper) {
                module.close_session(session);
            }
        }
    }
}

/// A session in use. Closed when dropped, unless it proved good.
struct Lease<'a> {
    module: Entered<'a>,
    permit: Option<Permit<'a>>,
    session: CK_SESSION_HANDLE,
    /// Opened for this lease.
    is_new: bool,
    fate: Fate,
}

/// What becomes of a session after a job.
enum Fate {
    PutBack,
    Close,
    Forget,
}

impl Fate {
    fn after(error: &Error) -> Self {
        match error.details().ck_rv.map(CK_RV::try_from) {
            Some(Ok(rv)) if rv::session_is_gone(rv) => Self::Forget,
            _ => Self::Close,
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        match (&self.fate, self.permit.take()) {
            (Fate::PutBack, Some(permit)) => permit.put_back(self.session),
            (Fate::Forget, _) => self.module.forget_session(self.session),
            _ => self.module.close_session(self.session),
        }
    }
}

/// Read-only sessions will do for signing, but some modules have none.
fn open_keeper(module: &Entered<'_>, slot: CK_SLOT_ID) -> CkResult<(CK_SESSION_HANDLE, bool)> {
    match module.open_session(slot, false) {
        Ok(session) => Ok((session, false)),
        Err(failure) => match module.open_session(slot, true) {
            Ok(session) => Ok((session, true)),
            Err(_) => Err(failure),
        },
    }
}

/// How many sessions the token allows beside the keeper. Zero stands for no
/// limit, and some modules report nonsense.
fn spare_sessions(info: &CK_TOKEN_INFO) -> usize {
    match usize::try_from(info.ulMaxSessionCount) {
        Ok(max @ 1..=100_000) => max - 1,
        _ => usize::MAX,
    }
}
