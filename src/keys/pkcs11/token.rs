//! One token: its login, its sessions, and the one function through which every
//! job on it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwapOption;
use cryptoki_sys::*;

use super::instance::{Entered, Instance};
use super::lock::lock;
use super::login::{Credentials, TokenKey};
use super::module::Module;
use super::online::Online;
use super::rv::{self, CkResult};
use super::session::Session;
use super::slot::{self, Place};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::uri::Pkcs11Uri;
use crate::log::{self, Level};
use crate::secret::Secret;

/// The tokens with signers. Never changed in place, so that a forked child finds
/// it whole.
static TOKENS: ArcSwapOption<Vec<Weak<Token>>> = ArcSwapOption::const_empty();

/// A token, shared by all its signers.
pub(super) struct Token {
    module: Arc<Module>,
    place: Place,
    credentials: Credentials,
    max_sessions: usize,
    /// Grows with each login and each loss of sessions; object handles of an
    /// older epoch are not used.
    epoch: AtomicU64,
    online: ArcSwapOption<Online>,
}

impl Token {
    /// The token that `uri` means, logged in.
    ///
    /// A token has one user PIN, so all its signers must come with the same. The
    /// first of them decides `max_sessions`.
    ///
    /// # Errors
    /// 200 numbers of [`ErrorCode`].
    pub fn open(uri: &Pkcs11Uri, pin: Option<Secret>, max_sessions: usize) -> Result<Arc<Self>> {
        let path = uri.module_path().ok_or_else(|| {
            Error::new(
                ErrorCode::KeyUri,
                "the key's URI names no PKCS#11 module; add ?module-path=/PATH/TO/MODULE.so",
            )
        })?;
        let module = Module::load(path)?;
        let instance = module.instance()?;
        let place = slot::choose(&instance.enter()?, uri)
            .map_err(|error| error.in_context(module.path().display()))?;
        let key = TokenKey {
            module: module.path().into(),
            name: place.name.clone(),
        };
        let credentials = Credentials::new(key, pin);
        credentials.require_untried()?;

        let _setup = lock(instance.setup());
        for token in find(&module, &place) {
            if token.credentials.admit(&credentials)? {
                return Ok(token);
            }
        }
        let token = Arc::new(Self {
            module,
            place,
            credentials,
            max_sessions,
            epoch: AtomicU64::new(0),
            online: ArcSwapOption::empty(),
        });
        token.go_online(&instance)?;
        TOKENS.rcu(|tokens| {
            let others = tokens.iter().flat_map(|tokens| tokens.iter());
            let others = others.filter(|other| other.strong_count() > 0);
            let tokens = others.cloned().chain([Arc::downgrade(&token)]);
            Some(Arc::new(tokens.collect()))
        });
        Ok(token)
    }

    /// What the token is called, and the slot it was found in.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Runs `job` with a session that nobody else uses, logged in.
    ///
    /// When a failure says that the session, the login or an object handle was
    /// lost, they are made anew and `job` runs a second time, so it must be
    /// harmless to repeat.
    ///
    /// # Errors
    /// Those of `job`, and those of getting a session.
    pub fn with_session<T>(
        &self,
        call: &Call,
        job: impl Fn(&Session<'_>) -> Result<T>,
    ) -> Result<T> {
        let online = self.online()?;
        let epoch = self.epoch.load(Ordering::SeqCst);
        let attempt = || online.attempt(call, &self.credentials, &self.epoch, &job);
        let outcome = match attempt() {
            Err(error) if heals(&error) || self.hides_keys(&online, &error) => {
                log::emit(
                    Level::Warn,
                    "pkcs11",
                    format_args!("{error}; trying once more"),
                );
                self.recover(&online, epoch)?;
                attempt()
            }
            outcome => outcome,
        };
        outcome.map_err(|error| match error.details().ck_rv {
            Some(rv)
                if CK_RV::try_from(rv) == Ok(CKR_USER_NOT_LOGGED_IN)
                    && !self.credentials.has_pin() =>
            {
                self.credentials.pin_required()
            }
            Some(_) => error.in_context(&self.place.name),
            None => error,
        })
    }

    /// True when a key may be missing only because the login was lost: private
    /// objects are not shown then.
    fn hides_keys(&self, online: &Online, error: &Error) -> bool {
        error.code() == ErrorCode::KeyNotFound
            && self.credentials.has_pin()
            && !online.is_logged_in()
    }

    /// Runs `job` with a session of its own that may write to the token.
    ///
    /// # Errors
    /// Those of `job`, and those of opening the session.
    pub fn with_rw_session<T>(&self, job: impl FnOnce(&Session<'_>) -> Result<T>) -> Result<T> {
        let online = self.online()?;
        online.with_rw_session(self.epoch.load(Ordering::SeqCst), job)
    }

    /// Asks the token something that needs no session.
    ///
    /// # Errors
    /// Those of `question`, and `MODULE_INIT`.
    pub fn ask<T>(
        &self,
        question: impl FnOnce(&Entered<'_>, CK_SLOT_ID) -> CkResult<T>,
    ) -> Result<T> {
        self.online()?.ask(question)
    }

    /// The login before one signature that some keys ask for.
    ///
    /// # Errors
    /// As [`Credentials::log_in_once`].
    pub fn log_in_once(&self, session: &Session<'_>) -> Result<()> {
        self.credentials.log_in_once(
            session.module(),
            || self.ask(|module, slot| module.token_info(slot)),
            |pin| session.login_context_specific(pin),
        )
    }

    /// The token's sessions in this process, set up at the first use after a fork.
    fn online(&self) -> Result<Arc<Online>> {
        if let Some(online) = self.online.load_full()
            && online.instance().is_current()
        {
            return Ok(online);
        }
        let instance = self.module.instance()?;
        let _setup = lock(instance.setup());
        if let Some(online) = self.online.load_full()
            && Arc::ptr_eq(online.instance(), &instance)
        {
            return Ok(online);
        }
        self.go_online(&instance)
    }

    fn go_online(&self, instance: &Arc<Instance>) -> Result<Arc<Online>> {
        let online = Online::open(instance, &self.place, &self.credentials, self.max_sessions)?;
        let online = Arc::new(online);
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.online.store(Some(Arc::clone(&online)));
        Ok(online)
    }

    /// Makes the sessions good again after a failure in `epoch`, and begins a new
    /// one so that keys are found again. Threads that fail together recover once.
    fn recover(&self, online: &Online, epoch: u64) -> Result<()> {
        let _recovering = online.recovering();
        if self.epoch.load(Ordering::SeqCst) != epoch {
            return Ok(());
        }
        online.recover(&self.credentials, &self.epoch)?;
        log::emit(
            Level::Warn,
            "pkcs11",
            format_args!("recovered the sessions with {}", self.place.name),
        );
        Ok(())
    }
}

fn find(module: &Arc<Module>, place: &Place) -> Vec<Arc<Token>> {
    let tokens = TOKENS.load_full();
    tokens
        .iter()
        .flat_map(|tokens| tokens.iter())
        .filter_map(Weak::upgrade)
        .filter(|token| Arc::ptr_eq(&token.module, module) && token.place == *place)
        .collect()
}

/// True when a fresh session, a login or finding the key again may help. A login
/// itself is never repeated.
fn heals(error: &Error) -> bool {
    let details = error.details();
    let rv = details.ck_rv.map(CK_RV::try_from);
    error.code() == ErrorCode::SignatureFault
        || details.ck_function != Some("C_Login")
            && matches!(rv, Some(Ok(rv)) if rv::heals_with_new_session(rv))
}
