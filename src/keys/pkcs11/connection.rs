//! A token's slot, login and sessions, from when the token was found until it has
//! to be looked for again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cryptoki_sys::*;

use super::instance::{Entered, Instance, SessionId};
use super::login::{self, Credentials};
use super::pool::{Permit, Pool, Refused};
use super::rv::{self, CkResult};
use super::session::Session;
use super::slot::Place;
use super::turn::Turn;
use crate::call::Call;
use crate::error::{Error, Result};
use crate::log::{self, Level};

/// A token in a slot, in one instance of its module and so in one process.
pub(super) struct Connection {
    /// Tells it from the connections before and after it.
    id: u64,
    instance: Arc<Instance>,
    place: Place,
    /// The token takes only read-write sessions.
    rw: bool,
    pool: Pool,
    keeper_is_out: Turn,
}

impl Connection {
    /// Opens the session that keeps the login, logs in, and begins with the
    /// sessions of `pool` anew. The old ones must have been taken out.
    ///
    /// # Errors
    /// 200 numbers of [`crate::ErrorCode`].
    pub fn open(
        id: u64,
        instance: &Arc<Instance>,
        place: Place,
        credentials: &Credentials,
        pool: &Pool,
        call: &Call,
    ) -> Result<Self> {
        let module = instance.enter()?;
        let info = module
            .token_info(place.slot)
            .map_err(|failure| Error::from(failure).in_context(&place.name))?;
        let (keeper, rw) = open_keeper(&module, place.slot)
            .map_err(|failure| Error::from(failure).in_context(&place.name))?;
        if let Err(error) = credentials.log_in(&module, place.slot, keeper, call) {
            module.close_session(keeper);
            return Err(error);
        }
        pool.connect(id, keeper, spare_sessions(&info));
        drop(module);
        Ok(Self {
            id,
            instance: Arc::clone(instance),
            place,
            rw,
            pool: pool.clone(),
            keeper_is_out: Turn::default(),
        })
    }

    /// The instance that the sessions belong to.
    pub fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    /// The token, and the slot it is in.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Runs `job` once with a session: that of `permit`, or a new one. After a
    /// failure the session is closed, for it may have an operation pending.
    /// `epoch` grows when that needs a login.
    ///
    /// # Errors
    /// Those of `job`, and those of opening a session.
    pub fn attempt<T>(
        &self,
        permit: &mut Permit,
        credentials: &Credentials,
        epoch: &AtomicU64,
        call: &Call,
        job: impl Fn(&Session<'_>) -> Result<T>,
    ) -> Result<T> {
        let (module, session, is_new) = self.lease(permit, call)?;
        let mut lease = Lease {
            module: &module,
            permit,
            session,
            fate: Fate::Close,
        };
        // Without a keeper the login may have ended with the last session.
        if is_new
            && self.pool.keeper().is_none()
            && credentials.log_in(&module, self.place.slot, session, call)?
        {
            epoch.fetch_add(1, Ordering::SeqCst);
        }
        let epoch = epoch.load(Ordering::SeqCst);
        let place = (self.place.slot, session.handle);
        let outcome = job(&Session::new(&module, place, epoch));
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
        let session = module.open_session(self.place.slot, true)?;
        let place = (self.place.slot, session.handle);
        let outcome = job(&Session::new(&module, place, epoch));
        module.close_session(session);
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
        Ok(question(&self.instance.enter()?, self.place.slot)?)
    }

    /// False when the session that keeps the login says that there is none.
    pub fn is_logged_in(&self) -> bool {
        let (Ok(module), Some(keeper)) = (self.instance.enter(), self.pool.keeper()) else {
            return true;
        };
        module
            .session_info(keeper.handle)
            .is_ok_and(|info| login::is_user(info.state))
    }

    /// Makes the sessions good again: forgets those that are gone, keeps one open
    /// for the login, and logs in if need be. `epoch` grows when something was lost.
    ///
    /// # Errors
    /// Those of opening a session and of logging in.
    pub fn refresh(&self, credentials: &Credentials, epoch: &AtomicU64, call: &Call) -> Result<()> {
        let _keeper_is_out = self.keeper_is_out.take(call, KEEPER)?;
        let module = self.instance.enter()?;
        // All are looked at before any is opened, which may get an old one's handle.
        self.close_stale(&module);
        let (idle, keeper) = self.pool.take_all();
        let before = idle.len() + usize::from(keeper.is_some());
        let idle: Vec<_> = idle
            .into_iter()
            .filter(|id| is_alive(&module, *id))
            .collect();
        let keeper = keeper.filter(|id| is_alive(&module, *id));
        let are_lost = idle.len() + usize::from(keeper.is_some()) < before;
        let keeper = keeper.map_or_else(|| module.open_session(self.place.slot, self.rw), Ok);
        let log_in = |session| credentials.log_in(&module, self.place.slot, session, call);
        let outcome = match (&keeper, idle.last()) {
            (Ok(keeper), _) => log_in(*keeper),
            // The token has no room for a keeper beside the others.
            (Err(failure), Some(session)) if failure.rv == CKR_SESSION_COUNT => log_in(*session),
            // The others are in use; who opens the next one logs in.
            (Err(failure), None) if failure.rv == CKR_SESSION_COUNT => Ok(true),
            (Err(failure), _) => Err((*failure).into()),
        };
        if are_lost || matches!(outcome, Ok(true)) {
            epoch.fetch_add(1, Ordering::SeqCst);
        }
        // Only now, so that nobody uses them before the login and with old handles.
        for surplus in self.pool.put_all(idle, keeper.ok()) {
            module.close_session(surplus);
        }
        outcome.map(drop)
    }

    /// Closes the sessions that are not in use.
    pub fn close(&self) {
        // After a fork the sessions are the parent's.
        if !self.instance.is_current() {
            return;
        }
        if let Ok(module) = self.instance.enter() {
            let (idle, keeper) = self.pool.take_all();
            let stale = self.pool.take_stale();
            for session in idle.into_iter().chain(stale).chain(keeper) {
                if is_alive(&module, session) {
                    module.close_session(session);
                }
            }
            self.pool.put_all(Vec::new(), None);
        }
    }

    /// The session that came with `permit`, or a new one. False beside one that was
    /// open already. Nobody waits for anything inside the module.
    fn lease(&self, permit: &mut Permit, call: &Call) -> Result<(Entered<'_>, SessionId, bool)> {
        let mut may_retry = true;
        loop {
            let module = self.instance.enter()?;
            if let Some(session) = permit.take_session(self.id) {
                return Ok((module, session, false));
            }
            self.close_stale(&module);
            let failure = match module.open_session(self.place.slot, self.rw) {
                Ok(session) => return Ok((module, session, true)),
                Err(failure) => failure,
            };
            if failure.rv != CKR_SESSION_COUNT {
                return Err(failure.into());
            }
            match permit.was_refused() {
                Refused::UseOthers { max } => {
                    drop(module);
                    log::emit(
                        Level::Warn,
                        "pkcs11",
                        format_args!("the token allows no more than {max} sessions"),
                    );
                    permit.wait_for_others(call)?;
                }
                Refused::UseKeeper(keeper) => return Ok((module, keeper, false)),
                Refused::AwaitKeeper => {
                    drop(module);
                    drop(self.keeper_is_out.take(call, KEEPER)?);
                    call.check(KEEPER)?;
                }
                // The one that had the last may have closed it by now.
                Refused::NothingLeft if may_retry => may_retry = false,
                Refused::NothingLeft => return Err(failure.into()),
            }
        }
    }

    /// Closes what is open of connections before this one.
    fn close_stale(&self, module: &Entered<'_>) {
        for stale in self.pool.take_stale() {
            module.close_session(stale);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Sessions of a connection that came after this one are not its to close.
        if self.pool.is_connected_by(self.id) {
            self.close();
        }
    }
}

const KEEPER: &str = "waiting for the session that keeps the login";

/// A session in use. Closed when dropped, unless it proved good.
struct Lease<'a> {
    module: &'a Entered<'a>,
    permit: &'a mut Permit,
    session: SessionId,
    fate: Fate,
}

/// What becomes of a session after a job.
enum Fate {
    PutBack,
    Close,
    CloseIfAlive,
    Forget,
}

impl Fate {
    fn after(error: &Error) -> Self {
        match error.details().ck_rv.map(CK_RV::try_from) {
            Some(Ok(rv)) if rv::token_is_gone(rv) => Self::CloseIfAlive,
            Some(Ok(rv)) if rv::session_is_gone(rv) => Self::Forget,
            _ => Self::Close,
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        match self.fate {
            Fate::PutBack => {
                if self.module.has_session(self.session) && !self.permit.put_back(self.session) {
                    self.module.close_session(self.session);
                }
            }
            Fate::Forget => {
                self.module.forget_session(self.session);
            }
            Fate::Close => self.module.close_session(self.session),
            Fate::CloseIfAlive => {
                if is_alive(self.module, self.session) {
                    self.module.close_session(self.session);
                }
            }
        }
    }
}

/// False for a session that is gone, which is forgotten then.
fn is_alive(module: &Entered<'_>, session: SessionId) -> bool {
    let is_alive = module.session_info(session.handle).is_ok();
    if !is_alive {
        module.forget_session(session);
    }
    is_alive && module.has_session(session)
}

/// Read-only sessions will do for signing, but some modules have none.
fn open_keeper(module: &Entered<'_>, slot: CK_SLOT_ID) -> CkResult<(SessionId, bool)> {
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
