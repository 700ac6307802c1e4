//! One token: its login, its sessions, and the one function through which every
//! job on it runs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use cryptoki_sys::*;

use super::breaker::{Breaker, Pass};
use super::connection::Connection;
use super::instance::{Entered, Instance};
use super::key::Key;
use super::located::KeyId;
use super::login::Credentials;
use super::maintenance;
use super::module::Module;
use super::pin_guard::TokenKey;
use super::pool::{Permit, Pool};
use super::rv::CkResult;
use super::session::Session;
use super::settling::settle;
use super::slot::{self, Place};
use super::statistics::Statistics;
use super::threads;
use super::turn::Turn;
use crate::call::{Call, CancelToken};
use crate::error::{Error, ErrorCode, Result};
use crate::fork::{OfProcess, PerProcess};
use crate::keys::health::{Health, HealthState, TokenHealth};
use crate::keys::uri::{ForkPolicy, Pkcs11Uri, Threads, TokenSettings};
use crate::secret::Secret;

/// How long a job may take when its call sets no deadline. A person may have to
/// type a PIN on a keypad.
pub(super) const DEFAULT_TIME: Duration = Duration::from_secs(30);

/// Making a key may take minutes.
const DEFAULT_TIME_TO_WRITE: Duration = Duration::from_secs(600);

/// A call that was left behind after this time, while nothing else succeeded,
/// counts as a failure of the token. A shorter one may be the caller's haste.
pub(super) const HANGS_AFTER: Duration = Duration::from_secs(1);

/// A list of slots older than this may be out of date.
pub(super) const SLOTS_ARE_FRESH: Duration = Duration::from_millis(250);

/// The tokens with signers. Never changed in place, so that a forked child finds
/// it whole.
static TOKENS: ArcSwapOption<Vec<Weak<Token>>> = ArcSwapOption::const_empty();

/// A token, shared by all its signers.
pub(super) struct Token {
    pub(super) module: Arc<Module>,
    /// The token as it was first found.
    pub(super) place: Place,
    pub(super) uri: Pkcs11Uri,
    /// A signer's URI has the serial number.
    serial_is_fixed: AtomicBool,
    pub(super) credentials: Credentials,
    /// Grows with each login and each loss of sessions; object handles of an
    /// older epoch are not used.
    pub(super) epoch: AtomicU64,
    /// What can make signatures to keep the connection alive or to try it. Never
    /// changed in place.
    keys: ArcSwapOption<Vec<Weak<Key>>>,
    process: PerProcess<InProcess>,
}

/// What one process has of a token.
pub(super) struct InProcess {
    /// The parent process had used the token before it forked.
    inherited: bool,
    /// The token was looked for in this process.
    has_looked: AtomicBool,
    /// Whose turn it is to put the connection right.
    pub recovering: Turn,
    pub connection: ArcSwapOption<Connection>,
    pub pool: Pool,
    pub breaker: Arc<Breaker>,
    pub statistics: Statistics,
}

impl InProcess {
    /// True once, in a process that did not open the token itself.
    pub fn is_first_look(&self) -> bool {
        !self.has_looked.swap(true, Ordering::SeqCst)
    }
}

impl Token {
    /// The token that `uri` means, logged in.
    ///
    /// A token has one user PIN, so all its signers must come with the same. The
    /// first of them decides its settings. May hang as long as the module does.
    ///
    /// # Errors
    /// 200 numbers of [`ErrorCode`].
    pub fn open(uri: &Pkcs11Uri, pin: Option<Secret>, call: &Call) -> Result<Arc<Self>> {
        let path = uri.module_path().ok_or_else(|| {
            Error::new(
                ErrorCode::KeyUri,
                "the key's URI names no PKCS#11 module; add ?module-path=/PATH/TO/MODULE.so",
            )
        })?;
        let module = Module::load(path, uri.settings())?;
        settle(&module, call, |instance| {
            Self::open_in(&module, instance, uri, pin.clone(), call)
        })
    }

    fn open_in(
        module: &Arc<Module>,
        instance: &Arc<Instance>,
        uri: &Pkcs11Uri,
        pin: Option<Secret>,
        call: &Call,
    ) -> Result<Arc<Self>> {
        let place = instance
            .enter()
            .and_then(|entered| slot::choose(&entered, uri))
            .map_err(|error| error.in_context(module.path().display()))?;
        let key = TokenKey {
            module: module.path().into(),
            name: place.name.clone(),
        };
        let credentials = Credentials::new(key, uri, pin)?;
        credentials.require_untried_pin()?;

        let _setup = instance
            .setup()
            .take(call, "waiting for another key of the module to be opened")?;
        for token in of_module(module) {
            if token.place() == place && token.credentials.admit(&credentials)? {
                if uri.serial().is_some() {
                    token.serial_is_fixed.store(true, Ordering::SeqCst);
                }
                return Ok(token);
            }
        }
        let token = Arc::new(Self {
            module: Arc::clone(module),
            place: place.clone(),
            uri: uri.clone(),
            serial_is_fixed: AtomicBool::new(uri.serial().is_some()),
            credentials,
            epoch: AtomicU64::new(0),
            keys: ArcSwapOption::empty(),
            process: PerProcess::new(),
        });
        token.connect_to(&*token.process()?, instance, place, call)?;
        TOKENS.rcu(|tokens| {
            let others = tokens.iter().flat_map(|tokens| tokens.iter());
            let others = others.filter(|other| other.strong_count() > 0);
            let tokens = others.cloned().chain([Arc::downgrade(&token)]);
            Some(Arc::new(tokens.collect()))
        });
        Ok(token)
    }

    /// What the token is called, and the slot it is in or was in last.
    pub fn place(&self) -> Place {
        let connection = self.own_part().connection.load_full();
        connection.map_or_else(
            || self.place.clone(),
            |connection| connection.place().clone(),
        )
    }

    /// True when only the token with this serial number will do.
    pub fn is_serial_fixed(&self) -> bool {
        self.serial_is_fixed.load(Ordering::SeqCst)
    }

    /// How the token is used.
    pub fn settings(&self) -> &TokenSettings {
        self.uri.settings()
    }

    /// How the token is doing. Nothing is asked of it.
    pub fn health(&self) -> Health {
        let process = self.own_part();
        let (state, problem) = match process.breaker.problem() {
            _ if self.is_forbidden(&process) => {
                let problem = self.forked().message().to_owned();
                (HealthState::Unavailable, Some(problem))
            }
            Some((state, problem)) => (state, Some(problem)),
            None if process.recovering.is_taken() => (HealthState::Recovering, None),
            None => (HealthState::Ready, None),
        };
        let (signatures, last_signature) = process.statistics.signatures();
        let (failures, last_failure) = process.statistics.failures();
        let connection = process.connection.load_full();
        Health {
            state,
            problem,
            signatures: Some(signatures),
            last_signature,
            token: Some(TokenHealth {
                generation: connection.map_or(0, |connection| connection.instance().generation()),
                epoch: self.epoch.load(Ordering::SeqCst),
                sessions: process.pool.counts(),
                counters: process.statistics.counters(self.credentials.logins()),
                failures,
                last_failure,
            }),
        }
    }

    /// One more signature of the token was right.
    pub fn note_signature(&self) {
        self.own_part().statistics.note_signature();
    }

    /// One more decryption by the token came out right.
    pub fn note_decryption(&self) {
        self.own_part().statistics.note_use();
    }

    /// This process's part of the token.
    ///
    /// # Errors
    /// `FORKED` in a child process that may not use it.
    pub fn process(&self) -> Result<Arc<OfProcess<InProcess>>> {
        let process = self.own_part();
        if self.is_forbidden(&process) {
            return Err(self.forked());
        }
        Ok(process)
    }

    fn is_forbidden(&self, process: &InProcess) -> bool {
        process.inherited && self.settings().fork == ForkPolicy::Refuse
    }

    fn forked(&self) -> Error {
        Error::new(
            ErrorCode::Forked,
            format!(
                "the key was opened before this process was forked, and fork=refuse forbids its use here ({}); \
                 open keys after the fork, or use fork=reinit",
                self.place.name
            ),
        )
    }

    pub(super) fn own_part(&self) -> Arc<OfProcess<InProcess>> {
        self.process.get(|parent| InProcess {
            inherited: parent.is_some(),
            has_looked: AtomicBool::new(parent.is_none()),
            recovering: Turn::default(),
            connection: ArcSwapOption::empty(),
            pool: Pool::new(self.settings().max_sessions),
            breaker: Arc::default(),
            statistics: Statistics::default(),
        })
    }

    /// Runs `job` with a session that nobody else uses, logged in. `key` is the one
    /// that it is about.
    ///
    /// A failure that may be put right is put right, and `job` runs again, so it
    /// must be harmless to repeat. It runs on a thread of segl unless the settings
    /// say otherwise.
    ///
    /// # Errors
    /// Those of `job`, and those of getting a session; `TIMEOUT` when the module
    /// does not return in time; `TOKEN_UNAVAILABLE` while the token is out of
    /// order.
    pub fn with_session<T: Send + 'static>(
        self: &Arc<Self>,
        call: &Call,
        key: Option<KeyId>,
        job: impl Fn(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let process = self.process()?;
        let pass = process.breaker.admit(&self.place.name)?;
        let permit = process.pool.acquire(call).inspect_err(|error| {
            if error.code() == ErrorCode::RestartRequired {
                process.breaker.open(error);
                maintenance::wake(self);
            }
        })?;
        self.run(process, pass, permit, call, key, job)
    }

    /// Runs `job` with `permit`.
    pub fn run<T: Send + 'static>(
        self: &Arc<Self>,
        process: Arc<OfProcess<InProcess>>,
        pass: Pass,
        mut permit: Permit,
        call: &Call,
        key: Option<KeyId>,
        job: impl Fn(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.settings().threads == Threads::Caller {
            return self.heal(&process, &mut permit, call, key, job);
        }
        let (seat, trial) = (permit.seat(), pass.trial());
        let token = Arc::clone(self);
        let (own, own_call) = (Arc::clone(&process), call.clone());
        let begin = process.statistics.uses();
        threads::run(
            call,
            DEFAULT_TIME,
            threads::WAITING,
            move || {
                let _pass = pass;
                token.heal(&own, &mut permit, &own_call, key, job)
            },
            |after| {
                seat.leave_behind();
                if let Some(trial) = trial {
                    process.breaker.abandon(trial);
                    maintenance::wake(self);
                }
                // It may have been cancelled long before it would have been late.
                if after < HANGS_AFTER && call.cancel().is_some_and(CancelToken::is_cancelled) {
                    return;
                }
                process.statistics.hung.fetch_add(1, Ordering::Relaxed);
                let error = Error::new(
                    ErrorCode::Timeout,
                    format!(
                        "a call hangs in the module {} since {} ms",
                        self.module.path().display(),
                        after.as_millis()
                    ),
                )
                .with_retryable(true);
                process.statistics.note_failure(&error);
                if after >= HANGS_AFTER && process.statistics.uses() == begin {
                    process.breaker.open(&error);
                    maintenance::wake(self);
                }
            },
        )
        .map_err(|error| match error.code() {
            ErrorCode::Timeout => error.in_context(&self.place.name),
            _ => error,
        })
    }

    /// Runs `job` with a session of its own that may write to the token.
    ///
    /// # Errors
    /// Those of `job`, and those of opening the session.
    pub fn with_rw_session<T: Send + 'static>(
        self: &Arc<Self>,
        call: &Call,
        job: impl FnOnce(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let token = Arc::clone(self);
        let own_call = call.clone();
        let work = move || {
            let process = token.process()?;
            let connection = token.connection(&process, &own_call)?;
            connection.with_rw_session(token.epoch.load(Ordering::SeqCst), job)
        };
        threads::run_as(self.settings().threads, call, DEFAULT_TIME_TO_WRITE, work)
    }

    /// Asks the token something that needs no session.
    ///
    /// # Errors
    /// Those of `question`, and `MODULE_INIT`.
    pub fn ask<T>(
        &self,
        call: &Call,
        question: impl FnOnce(&Entered<'_>, CK_SLOT_ID) -> CkResult<T>,
    ) -> Result<T> {
        self.connection(&*self.process()?, call)?.ask(question)
    }

    /// The login before one signature that some keys ask for.
    ///
    /// # Errors
    /// As [`Credentials::log_in_once`].
    pub fn log_in_once(&self, session: &Session<'_>, call: &Call) -> Result<()> {
        self.credentials.log_in_once(
            session.module(),
            || session.token_info(),
            |pin| session.login_context_specific(pin),
            call,
        )
    }

    /// A key of the token that can make signatures for the token's own sake.
    pub fn add_key(&self, key: &Arc<Key>) {
        self.keys.rcu(|keys| {
            let others = keys.iter().flat_map(|keys| keys.iter());
            let others = others.filter(|other| other.strong_count() > 0);
            let keys = others.cloned().chain([Arc::downgrade(key)]);
            Some(Arc::new(keys.collect()))
        });
    }

    /// A key, other than `except`, that can make a signature without a login of its
    /// own.
    pub fn probing_key(&self, except: Option<KeyId>) -> Option<Arc<Key>> {
        let keys = self.keys.load();
        let keys = keys.iter().flat_map(|keys| keys.iter());
        keys.filter_map(Weak::upgrade).find(|key| {
            Some(key.id()) != except && !key.is_always_authenticate() && !key.is_refused()
        })
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let Some(connection) = self.own_part().connection.swap(None) else {
            return;
        };
        // Closing the sessions may hang.
        let patience = Call::within(Duration::from_secs(2));
        let _ = threads::run_as(
            self.settings().threads,
            &patience,
            DEFAULT_TIME,
            move || {
                drop(connection);
                Ok(())
            },
        );
    }
}

/// The tokens with signers.
pub(super) fn all() -> Vec<Arc<Token>> {
    let tokens = TOKENS.load_full();
    let tokens = tokens.iter().flat_map(|tokens| tokens.iter());
    tokens.filter_map(Weak::upgrade).collect()
}

/// Those of them in `module`.
pub(super) fn of_module(module: &Arc<Module>) -> Vec<Arc<Token>> {
    let mut tokens = all();
    tokens.retain(|token| Arc::ptr_eq(&token.module, module));
    tokens
}
