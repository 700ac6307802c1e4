//! Logging in to a token without ever locking its PIN.
//!
//! A token counts wrong PINs and locks itself after a few, and only its security
//! officer can undo that. So a PIN that was refused is not tried a second time
//! in this process, and no PIN is tried when one more miss would lock the token.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use cryptoki_sys::*;
use openssl::hash::{Hasher, MessageDigest};

use super::instance::Entered;
use super::lock::lock;
use super::rv::{CkResult, Failure};
use super::slot::TokenName;
use crate::error::{Error, ErrorCode, Result};
use crate::log::{self, Level};
use crate::secret::Secret;

/// After so many logins with one PIN that failed for unclear reasons, it counts
/// as refused: some modules say `CKR_GENERAL_ERROR` to a wrong PIN.
const MAX_UNCLEAR: u8 = 3;

/// PINs that did not work in this process. Never changed in place, so that a
/// forked child knows them too.
static FAILED: ArcSwapOption<Vec<FailedPin>> = ArcSwapOption::const_empty();

/// A PIN that failed, as a salted hash, and for which token.
#[derive(Clone)]
struct FailedPin {
    token: TokenKey,
    salt: [u8; 16],
    hash: Vec<u8>,
    /// `MAX_UNCLEAR` once it is not to be tried again.
    failures: u8,
}

/// A token of one module, whichever slot it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TokenKey {
    pub module: PathBuf,
    pub name: TokenName,
}

/// A token and the PIN for it.
pub(super) struct Credentials {
    token: TokenKey,
    pin: Option<Secret>,
    /// The login before a signature has worked, and not failed since.
    proven_once: AtomicBool,
}

impl Credentials {
    pub fn new(token: TokenKey, pin: Option<Secret>) -> Self {
        Self {
            token,
            pin,
            proven_once: AtomicBool::new(false),
        }
    }

    /// Logs in on `session`, unless other code of this process has done so or the
    /// token needs no login. True when it did.
    ///
    /// # Errors
    /// `PIN_REQUIRED`, `PIN_INCORRECT`, `PIN_LOCKED`, `PIN_EXPIRED`, or what the
    /// token says to `C_Login`.
    pub fn log_in(
        &self,
        module: &Entered<'_>,
        slot: CK_SLOT_ID,
        session: CK_SESSION_HANDLE,
    ) -> Result<bool> {
        let _logging_in = lock(module.instance().logging_in());
        self.require_untried()?;
        if is_user(module.session_info(session)?.state) {
            return Ok(false);
        }
        let flags = module.token_info(slot)?.flags;
        if self.pin.is_none() && flags & CKF_LOGIN_REQUIRED == 0 {
            return Ok(false);
        }
        self.require_safe(flags)?;
        match module.login(session, CKU_USER, self.pin.as_ref().map(Secret::expose)) {
            Ok(()) => {
                self.note_success();
                log::emit(
                    Level::Info,
                    "pkcs11",
                    format_args!("logged in to {}", self.token.name),
                );
                Ok(true)
            }
            Err(failure) if failure.rv == CKR_USER_ALREADY_LOGGED_IN => Ok(false),
            Err(failure) => Err(self.refused(failure)),
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
        token_info: impl FnOnce() -> Result<CK_TOKEN_INFO>,
        login: impl FnOnce(Option<&[u8]>) -> CkResult<()>,
    ) -> Result<()> {
        let _logging_in = lock(module.instance().logging_in());
        self.require_untried()?;
        if !self.proven_once.load(Ordering::SeqCst) {
            self.require_safe(token_info()?.flags)?;
        }
        match login(self.pin.as_ref().map(Secret::expose)) {
            Ok(()) => {
                self.proven_once.store(true, Ordering::SeqCst);
                self.note_success();
                Ok(())
            }
            Err(failure) => {
                self.proven_once.store(false, Ordering::SeqCst);
                Err(self.refused(failure))
            }
        }
    }

    /// True when there is a PIN to log in with.
    pub fn has_pin(&self) -> bool {
        self.pin.is_some()
    }

    /// Fails when no login can work, or when a miss would lock the token.
    fn require_safe(&self, flags: CK_FLAGS) -> Result<()> {
        let has_keypad = flags & CKF_PROTECTED_AUTHENTICATION_PATH != 0;
        if self.pin.is_none() && !has_keypad {
            return Err(self.pin_required());
        }
        require_safe(&self.token, flags, has_keypad)
    }

    /// Fails when the PIN was refused before in this process.
    ///
    /// # Errors
    /// `PIN_INCORRECT`.
    pub fn require_untried(&self) -> Result<()> {
        let is_refused = |failed: &FailedPin| {
            failed.failures >= MAX_UNCLEAR && failed.is(&self.token, &self.pin)
        };
        let failed = FAILED.load();
        if !failed
            .iter()
            .flat_map(|failed| failed.iter())
            .any(is_refused)
        {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::PinIncorrect,
            format!(
                "{} refused this PIN before; it was not tried again, for that could lock the token; \
                 give the right PIN, or restart the process if this one has become right since",
                self.token.name
            ),
        ))
    }

    /// Whether `other` may share the login made with these credentials: with the
    /// same PIN it may, a different one is refused without a try. False when
    /// these got along without a PIN and one is given now.
    ///
    /// # Errors
    /// `PIN_REQUIRED`, `PIN_INCORRECT`.
    pub fn admit(&self, other: &Self) -> Result<bool> {
        match (&self.pin, &other.pin) {
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

    /// The error of a login that failed, after it was noted.
    fn refused(&self, failure: Failure) -> Error {
        self.note_failure(match failure.rv {
            CKR_PIN_INCORRECT
            | CKR_PIN_INVALID
            | CKR_PIN_LEN_RANGE
            | CKR_PIN_EXPIRED
            | CKR_PIN_LOCKED
            | CKR_USER_PIN_NOT_INITIALIZED
            | CKR_FUNCTION_REJECTED => MAX_UNCLEAR,
            // The token has not looked at the PIN.
            CKR_SESSION_HANDLE_INVALID
            | CKR_SESSION_CLOSED
            | CKR_CRYPTOKI_NOT_INITIALIZED
            | CKR_TOKEN_NOT_PRESENT
            | CKR_DEVICE_REMOVED
            | CKR_OPERATION_NOT_INITIALIZED
            | CKR_OPERATION_ACTIVE
            | CKR_USER_ALREADY_LOGGED_IN
            | CKR_USER_NOT_LOGGED_IN
            | CKR_FUNCTION_NOT_SUPPORTED
            | CKR_ARGUMENTS_BAD
            | CKR_HOST_MEMORY
            | CKR_USER_ANOTHER_ALREADY_LOGGED_IN
            | CKR_USER_TYPE_INVALID => 0,
            _ => 1,
        });
        let error = Error::from(failure);
        let error = match error.code() {
            ErrorCode::PinIncorrect => error
                .in_context("the PIN was tried once and will not be tried again by this process"),
            _ => error,
        };
        error
            .with_retryable(false)
            .in_context(format_args!("logging in to {}", self.token.name))
    }

    fn note_failure(&self, failures: u8) {
        let fresh = FailedPin::new(&self.token, &self.pin, failures);
        let Some(fresh) = fresh.filter(|_| failures > 0) else {
            return;
        };
        FAILED.rcu(|all| {
            let mut all = all.as_deref().cloned().unwrap_or_default();
            match all
                .iter_mut()
                .find(|failed| failed.is(&self.token, &self.pin))
            {
                Some(known) => known.failures = known.failures.saturating_add(failures),
                None => all.push(fresh.clone()),
            }
            Some(Arc::new(all))
        });
    }

    fn note_success(&self) {
        if FAILED.load().is_none() {
            return;
        }
        FAILED.rcu(|all| {
            let mut all = all.as_deref().cloned().unwrap_or_default();
            all.retain(|failed| !failed.is(&self.token, &self.pin));
            Some(Arc::new(all))
        });
    }
}

/// True for the states of a session whose user has logged in.
pub(super) fn is_user(state: CK_STATE) -> bool {
    matches!(state, CKS_RO_USER_FUNCTIONS | CKS_RW_USER_FUNCTIONS)
}

/// Stops while it is certain that the token's PIN would be locked by a miss, or
/// that no PIN works.
fn require_safe(token: &TokenKey, flags: CK_FLAGS, has_keypad: bool) -> Result<()> {
    let (code, problem) = if flags & CKF_USER_PIN_LOCKED != 0 {
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
    } else {
        if flags & CKF_USER_PIN_COUNT_LOW != 0 {
            log::emit(
                Level::Warn,
                "pkcs11",
                format_args!("{} has seen a wrong PIN since the last login", token.name),
            );
        }
        return Ok(());
    };
    Err(Error::new(code, format!("{} {problem}", token.name)))
}

impl FailedPin {
    /// `None` for a keypad, where nobody knows what was typed.
    fn new(token: &TokenKey, pin: &Option<Secret>, failures: u8) -> Option<Self> {
        let mut salt = [0; 16];
        // Without random numbers the PIN is remembered all the same.
        let _ = openssl::rand::rand_bytes(&mut salt);
        Some(Self {
            token: token.clone(),
            salt,
            hash: salted_hash(&salt, pin.as_ref()?)?,
            failures,
        })
    }

    fn is(&self, token: &TokenKey, pin: &Option<Secret>) -> bool {
        self.token == *token
            && pin
                .as_ref()
                .is_some_and(|pin| salted_hash(&self.salt, pin).as_ref() == Some(&self.hash))
    }
}

fn salted_hash(salt: &[u8], pin: &Secret) -> Option<Vec<u8>> {
    let mut hasher = Hasher::new(MessageDigest::sha256()).ok()?;
    hasher.update(salt).ok()?;
    hasher.update(pin.expose()).ok()?;
    hasher.finish().ok().map(|hash| hash.to_vec())
}

fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && openssl::memcmp::eq(left, right)
}
