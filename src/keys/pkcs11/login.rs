//! Logging in to a token without ever locking its PIN.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use cryptoki_sys::*;

use super::instance::{Entered, SessionId};
use super::pin_guard::{TokenKey, Verdict};
use super::rv::{CkResult, Failure};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::uri::{PinSource, Pkcs11Uri};
use crate::log::{self, Level};
use crate::secret::Secret;

/// A token and the PIN for it.
pub(super) struct Credentials {
    token: TokenKey,
    source: Option<PinSource>,
    /// The PIN as it was given, or last read from its source.
    pin: ArcSwapOption<Secret>,
    /// Tries a PIN of unknown worth although the last one was wrong.
    try_when_count_low: bool,
    /// The login before a signature has worked, and not failed since.
    proven_once: AtomicBool,
    logins: AtomicU64,
}

impl Credentials {
    /// The PIN given as `secret`, else the one that the source in `uri` gives.
    ///
    /// # Errors
    /// `PIN_SOURCE`.
    pub fn new(token: TokenKey, uri: &Pkcs11Uri, secret: Option<Secret>) -> Result<Self> {
        let source = match secret {
            Some(_) => None,
            None => uri.pin_source().cloned(),
        };
        let pin = match &source {
            Some(source) => Some(source.read()?),
            None => secret,
        };
        Ok(Self {
            token,
            source,
            pin: ArcSwapOption::new(pin.map(Arc::new)),
            try_when_count_low: uri.settings().try_when_count_low,
            proven_once: AtomicBool::new(false),
            logins: AtomicU64::new(0),
        })
    }

    /// Logs in on `session`, unless other code of this process has done so or the
    /// token needs no login. True when it did.
    ///
    /// # Errors
    /// `PIN_REQUIRED`, `PIN_INCORRECT`, `PIN_LOCKED`, `PIN_EXPIRED`, `PIN_GUARD`,
    /// or what the token says to `C_Login`.
    pub fn log_in(
        &self,
        module: &Entered<'_>,
        slot: CK_SLOT_ID,
        session: SessionId,
        call: &Call,
    ) -> Result<bool> {
        let _logging_in = module.instance().logging_in().take(call, LOGIN)?;
        if is_user(module.session_info(session.handle)?.state) {
            return Ok(false);
        }
        let flags = module.token_info(slot)?.flags;
        if self.pin.load().is_none() && flags & CKF_LOGIN_REQUIRED == 0 {
            return Ok(false);
        }
        let pin = self.current_pin();
        self.require_safe(flags, pin.as_deref())?;
        self.logins.fetch_add(1, Ordering::Relaxed);
        match module.login(session.handle, CKU_USER, pin.as_deref().map(Secret::expose)) {
            Ok(()) => {
                if let Some(pin) = &pin {
                    self.token.note_success(pin);
                }
                log::emit(
                    Level::Info,
                    "pkcs11",
                    format_args!("logged in to {}", self.token.name),
                );
                Ok(true)
            }
            Err(failure) if failure.rv == CKR_USER_ALREADY_LOGGED_IN => Ok(false),
            Err(failure) => {
                let token_info = || Ok(module.token_info(slot)?);
                Err(self.refused(failure, pin.as_deref(), token_info))
            }
        }
    }

    /// Runs the login that some keys ask for before each signature
    /// (`CKA_ALWAYS_AUTHENTICATE`), with the PIN under the same guard. The
    /// token's flags are read unless the last such login worked.
    ///
    /// # Errors
    /// As [`Credentials::log_in`].
    pub fn log_in_once(
        &self,
        module: &Entered<'_>,
        token_info: impl Fn() -> Result<CK_TOKEN_INFO>,
        login: impl FnOnce(Option<&[u8]>) -> CkResult<()>,
        call: &Call,
    ) -> Result<()> {
        let _logging_in = module.instance().logging_in().take(call, LOGIN)?;
        let is_proven = self.proven_once.load(Ordering::SeqCst);
        let pin = match is_proven {
            true => self.pin.load_full(),
            false => self.current_pin(),
        };
        if is_proven {
            self.require_untried(pin.as_deref())?;
        } else {
            self.require_safe(token_info()?.flags, pin.as_deref())?;
        }
        match login(pin.as_deref().map(Secret::expose)) {
            Ok(()) => {
                self.proven_once.store(true, Ordering::SeqCst);
                if let Some(pin) = &pin {
                    self.token.note_success(pin);
                }
                Ok(())
            }
            Err(failure) => {
                self.proven_once.store(false, Ordering::SeqCst);
                Err(self.refused(failure, pin.as_deref(), token_info))
            }
        }
    }

    /// True when there is a PIN to log in with.
    pub fn has_pin(&self) -> bool {
        self.pin.load().is_some()
    }

    /// How often `C_Login` was called with them for a session.
    pub fn logins(&self) -> u64 {
        self.logins.load(Ordering::Relaxed)
    }

    /// Fails when the PIN was refused before in this process.
    ///
    /// # Errors
    /// `PIN_INCORRECT`, `PIN_GUARD`, `TOKEN_UNAVAILABLE`.
    pub fn require_untried_pin(&self) -> Result<()> {
        self.require_untried(self.pin.load().as_deref())
    }

    /// Whether `other` may share the login made with these credentials: with the
    /// same PIN, or one from the same place, it may; a different one is refused
    /// without a try. False when these got along without a PIN and one is given
    /// now.
    ///
    /// # Errors
    /// `PIN_REQUIRED`, `PIN_INCORRECT`.
    pub fn admit(&self, other: &Self) -> Result<bool> {
        if let (Some(own), Some(other)) = (&self.source, &other.source)
            && own.is_same_place(other)
        {
            return Ok(true);
        }
        match (&*self.pin.load(), &*other.pin.load()) {
            (None, None) => Ok(true),
            (None, Some(_)) => Ok(false),
            (Some(_), None) => Err(self.pin_required()),
            (Some(own), Some(other)) if same(own.expose(), other.expose()) => Ok(true),
            (Some(_), Some(_)) => Err(Error::new(
                ErrorCode::PinIncorrect,
                format!(
                    "{} is in use with another PIN, so this one was not tried; \
                     if the PIN has been changed, close the signers that use the old one first",
                    self.token.name
                ),
            )),
        }
    }

    /// The error of a login for which no PIN was given.
    pub fn pin_required(&self) -> Error {
        Error::new(
            ErrorCode::PinRequired,
            format!(
                "{} needs a PIN and none was given; add ?pin-source=file:/PATH to the key's URI, or pass the PIN beside it",
                self.token.name
            ),
        )
    }

    /// The PIN, read again from its source: it may have been changed. When that
    /// cannot be read, the last one.
    fn current_pin(&self) -> Option<Arc<Secret>> {
        if let Some(source) = &self.source {
            match source.read() {
                Ok(pin) => self.pin.store(Some(Arc::new(pin))),
                Err(error) => log::emit(
                    Level::Warn,
                    "pkcs11",
                    format_args!("{error}; using the PIN that was read before"),
                ),
            }
        }
        self.pin.load_full()
    }

    fn require_untried(&self, pin: Option<&Secret>) -> Result<()> {
        pin.map_or(Ok(()), |pin| self.token.require_untried(pin))
    }

    /// Fails when no login can work, or when a miss would bring the token too
    /// close to locking itself.
    fn require_safe(&self, flags: CK_FLAGS, pin: Option<&Secret>) -> Result<()> {
        let has_keypad = flags & CKF_PROTECTED_AUTHENTICATION_PATH != 0;
        if pin.is_none() && !has_keypad {
            return Err(self.pin_required());
        }
        self.require_untried(pin)?;
        let (code, problem) = if flags & CKF_ERROR_STATE != 0 {
            (
                ErrorCode::Device,
                "is in an error state of its own; look in the log of the HSM",
            )
        } else if flags & CKF_USER_PIN_LOCKED != 0 {
            (
                ErrorCode::PinLocked,
                "has locked its PIN; its security officer must unlock it",
            )
        } else if flags & CKF_USER_PIN_FINAL_TRY != 0 {
            (
                ErrorCode::PinLocked,
                "would lock its PIN at one more wrong try, so none was made; \
                 log in once with the vendor's tool and the right PIN",
            )
        } else if flags & CKF_USER_PIN_TO_BE_CHANGED != 0 {
            (
                ErrorCode::PinExpired,
                "wants its PIN changed first; do so with the vendor's tool",
            )
        } else if flags & CKF_USER_PIN_INITIALIZED == 0 && !has_keypad {
            (
                ErrorCode::PinExpired,
                "has no user PIN yet; its security officer must set one",
            )
        } else if flags & CKF_USER_PIN_COUNT_LOW != 0 && !self.may_try_when_count_low(pin) {
            (
                ErrorCode::PinGuard,
                "has seen a wrong PIN since the last login, perhaps this one, so it was not tried; \
                 log in once with the vendor's tool and the right PIN, or set pin-count-low=try in the key's URI",
            )
        } else {
            return Ok(());
        };
        Err(Error::new(code, format!("{} {problem}", self.token.name)))
    }

    /// A PIN that worked the last time is known to be right. Another one than this process
    /// was refused is what its operator answered with. Otherwise it may be the same
    /// wrong PIN that an earlier run of the program tried.
    fn may_try_when_count_low(&self, pin: Option<&Secret>) -> bool {
        self.try_when_count_low
            || pin.is_none_or(|pin| self.token.is_right(pin) || self.token.has_refused())
    }

    /// The error of a login that failed, after it was noted. Where the token does not
    /// answer any more, a PIN that has worked is not what is wrong: the error is that of
    /// `token_info`, which can be put right, but only once in a row.
    fn refused<T>(
        &self,
        failure: Failure,
        pin: Option<&Secret>,
        token_info: impl FnOnce() -> Result<T>,
    ) -> Error {
        let mut verdict = Verdict::of(failure.rv);
        let error = Error::from(failure);
        if verdict == Verdict::Unclear
            && let Some(pin) = pin.filter(|pin| self.token.has_worked(pin))
            && let Err(gone) = token_info()
        {
            if self.token.is_right(pin) {
                self.token.note_doubt(pin);
                return gone.in_context(format_args!("{error}; after that"));
            }
            verdict = Verdict::Untried;
        }
        if let Some(pin) = pin {
            self.token.note_failure(pin, verdict);
        }
        let error = match error.code() {
            ErrorCode::PinIncorrect => error
                .in_context("the PIN was tried once and will not be tried again by this process"),
            _ => error,
        };
        error
            .with_retryable(false)
            .in_context(format_args!("logging in to {}", self.token.name))
    }
}

const LOGIN: &str = "waiting for another login to the module's tokens";

/// True for the states of a session whose user has logged in.
pub(super) fn is_user(state: CK_STATE) -> bool {
    matches!(state, CKS_RO_USER_FUNCTIONS | CKS_RW_USER_FUNCTIONS)
}

fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && openssl::memcmp::eq(left, right)
}
