//! What this process knows about PINs, so that none is tried in vain.
//!
//! A token counts wrong PINs and locks itself after a few, and only its security
//! officer can undo that. So a PIN that was refused is not tried a second time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use cryptoki_sys::*;
use openssl::hash::{Hasher, MessageDigest};

use super::slot::TokenName;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// After so many logins that failed for unclear reasons, a PIN that never worked is
/// not tried again: some modules say `CKR_GENERAL_ERROR` to a wrong PIN.
const MAX_UNCLEAR: u32 = 3;

/// How long a PIN rests after such a login.
const REST: Duration = Duration::from_secs(30);
/// The same for a PIN that has worked in this process, the first time; each time
/// twice as long.
const REST_OF_PROVEN: Duration = Duration::from_secs(3);
/// And no longer.
const LONGEST_REST: Duration = Duration::from_secs(300);

/// PINs that were tried in this process. Never changed in place, so that a forked
/// child knows them too.
static TRIED: ArcSwapOption<Vec<Tried>> = ArcSwapOption::const_empty();

/// A token of one module, whichever slot it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TokenKey {
    pub module: PathBuf,
    pub name: TokenName,
}

/// A PIN that was tried, as a salted hash, and for which token.
#[derive(Clone)]
struct Tried {
    token: TokenKey,
    salt: [u8; 16],
    hash: Vec<u8>,
    has_worked: bool,
    /// The token has refused it.
    is_refused: bool,
    /// Logins in a row that failed for unclear reasons.
    unclear: u32,
    rests_until: Option<Instant>,
}

/// What a failed login says about its PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The token has looked at it and refused it.
    Refused,
    /// The token may have looked at it.
    Unclear,
    /// The token has not looked at it.
    Untried,
}

impl Verdict {
    /// What `rv` from `C_Login` says.
    pub fn of(rv: CK_RV) -> Self {
        match rv {
            CKR_PIN_INCORRECT
            | CKR_PIN_INVALID
            | CKR_PIN_LEN_RANGE
            | CKR_PIN_EXPIRED
            | CKR_PIN_LOCKED
            | CKR_FUNCTION_REJECTED => Self::Refused,
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
            | CKR_USER_PIN_NOT_INITIALIZED
            | CKR_USER_TYPE_INVALID => Self::Untried,
            _ => Self::Unclear,
        }
    }
}

impl TokenKey {
    /// Fails when `pin` is not to be tried now.
    ///
    /// # Errors
    /// `PIN_INCORRECT` when it was refused before in this process, `PIN_GUARD` when
    /// it never worked and failed too often for unclear reasons, `TOKEN_UNAVAILABLE`
    /// while it rests after such a failure.
    pub fn require_untried(&self, pin: &Secret) -> Result<()> {
        let Some(tried) = self.tried(pin) else {
            return Ok(());
        };
        if tried.is_refused {
            return Err(Error::new(
                ErrorCode::PinIncorrect,
                format!(
                    "{} refused this PIN before; it was not tried again, for that could lock the token; \
                     give the right PIN, or restart the process if this one has become right since",
                    self.name
                ),
            ));
        }
        if tried.unclear >= MAX_UNCLEAR && !tried.has_worked {
            return Err(Error::new(
                ErrorCode::PinGuard,
                format!(
                    "{} logins to {} failed for unclear reasons, and the PIN never worked in this process, so it is not tried again; \
                     check the PIN and the log of the HSM, then restart the process",
                    tried.unclear, self.name
                ),
            ));
        }
        let rest = tried.rests_until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        });
        if rest.is_zero() {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::TokenUnavailable,
            format!(
                "the last login to {} failed for an unclear reason, which may have cost a try of its PIN; \
                 the next one is made in {} s",
                self.name,
                rest.as_secs() + 1
            ),
        )
        .with_retryable(true)
        .with_details(|details| details.retry_after = Some(rest)))
    }

    /// True when `pin` has worked in this process.
    pub fn has_worked(&self, pin: &Secret) -> bool {
        self.tried(pin).is_some_and(|tried| tried.has_worked)
    }

    /// True when `pin` has worked in this process, and no login has failed since.
    pub fn is_right(&self, pin: &Secret) -> bool {
        let tried = self.tried(pin);
        tried.is_some_and(|tried| tried.has_worked && tried.unclear == 0)
    }

    /// True when the token refused a PIN of this process: then it is known whose
    /// wrong PIN the token saw last.
    pub fn has_refused(&self) -> bool {
        let all = TRIED.load();
        let mut all = all.iter().flat_map(|all| all.iter());
        all.any(|tried| tried.token == *self && tried.is_refused)
    }

    /// `pin` worked.
    pub fn note_success(&self, pin: &Secret) {
        // Nothing to write in steady state.
        if !self.is_right(pin) {
            self.update(pin, |tried| {
                tried.has_worked = true;
                tried.is_refused = false;
                tried.unclear = 0;
                tried.rests_until = None;
            });
        }
    }

    /// A login with `pin` failed.
    pub fn note_failure(&self, pin: &Secret, verdict: Verdict) {
        match verdict {
            Verdict::Refused => self.update(pin, |tried| {
                tried.is_refused = true;
                tried.has_worked = false;
            }),
            Verdict::Unclear => self.update(pin, |tried| {
                let rest = match tried.has_worked {
                    true => REST_OF_PROVEN.saturating_mul(1 << tried.unclear.min(8)),
                    false => REST,
                };
                tried.unclear = tried.unclear.saturating_add(1);
                tried.rests_until = Instant::now().checked_add(rest.min(LONGEST_REST));
            }),
            Verdict::Untried => {}
        }
    }

    /// A login with `pin`, which has worked, failed together with the token's connection.
    /// It need not rest, but [`TokenKey::is_right`] no more until it works again.
    pub fn note_doubt(&self, pin: &Secret) {
        self.update(pin, |tried| tried.unclear = tried.unclear.saturating_add(1));
    }

    fn tried(&self, pin: &Secret) -> Option<Tried> {
        let all = TRIED.load();
        let mut all = all.iter().flat_map(|all| all.iter());
        all.find(|tried| tried.is(self, pin)).cloned()
    }

    fn update(&self, pin: &Secret, change: impl Fn(&mut Tried)) {
        let Some(fresh) = Tried::new(self, pin) else {
            return;
        };
        TRIED.rcu(|all| {
            let mut all = all.as_deref().cloned().unwrap_or_default();
            match all.iter_mut().find(|tried| tried.is(self, pin)) {
                Some(known) => change(known),
                None => {
                    let mut fresh = fresh.clone();
                    change(&mut fresh);
                    all.push(fresh);
                }
            }
            Some(Arc::new(all))
        });
    }
}

impl Tried {
    fn new(token: &TokenKey, pin: &Secret) -> Option<Self> {
        let mut salt = [0; 16];
        // Without random numbers the PIN is remembered all the same.
        let _ = openssl::rand::rand_bytes(&mut salt);
        Some(Self {
            token: token.clone(),
            salt,
            hash: salted_hash(&salt, pin)?,
            has_worked: false,
            is_refused: false,
            unclear: 0,
            rests_until: None,
        })
    }

    fn is(&self, token: &TokenKey, pin: &Secret) -> bool {
        self.token == *token && salted_hash(&self.salt, pin).as_ref() == Some(&self.hash)
    }
}

fn salted_hash(salt: &[u8], pin: &Secret) -> Option<Vec<u8>> {
    let mut hasher = Hasher::new(MessageDigest::sha256()).ok()?;
    hasher.update(salt).ok()?;
    hasher.update(pin.expose()).ok()?;
    hasher.finish().ok().map(|hash| hash.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(label: &str) -> TokenKey {
        TokenKey {
            module: "/module.so".into(),
            name: TokenName {
                label: label.into(),
                serial: String::new(),
                manufacturer: String::new(),
                model: String::new(),
            },
        }
    }

    fn pin(text: &str) -> Secret {
        Secret::from(text.as_bytes())
    }

    fn code(outcome: Result<()>) -> Option<ErrorCode> {
        outcome.err().map(|error| error.code())
    }

    #[test]
    fn a_refused_pin_is_not_tried_again_and_another_is() {
        let token = token("refused");
        assert_eq!(code(token.require_untried(&pin("1"))), None);
        token.note_failure(&pin("1"), Verdict::of(CKR_PIN_INCORRECT));
        assert_eq!(
            code(token.require_untried(&pin("1"))),
            Some(ErrorCode::PinIncorrect)
        );
        assert_eq!(code(token.require_untried(&pin("2"))), None);
        assert_eq!(
            code(super::tests::token("other").require_untried(&pin("1"))),
            None
        );
    }

    #[test]
    fn after_unclear_failures_a_pin_rests_and_is_then_given_up() {
        let token = token("unclear");
        for _ in 0..MAX_UNCLEAR - 1 {
            token.note_failure(&pin("1"), Verdict::of(CKR_GENERAL_ERROR));
            let error = token.require_untried(&pin("1")).unwrap_err();
            assert_eq!(error.code(), ErrorCode::TokenUnavailable);
            let rest = error.details().retry_after.unwrap();
            assert!(rest > REST_OF_PROVEN && rest <= REST);
        }
        token.note_failure(&pin("1"), Verdict::of(CKR_GENERAL_ERROR));
        assert_eq!(
            code(token.require_untried(&pin("1"))),
            Some(ErrorCode::PinGuard)
        );
        assert!(!token.has_refused());
    }

    #[test]
    fn a_pin_that_has_worked_rests_shorter_and_success_forgives() {
        let token = token("proven");
        token.note_success(&pin("1"));
        assert!(token.has_worked(&pin("1")) && !token.has_worked(&pin("2")));
        token.note_failure(&pin("1"), Verdict::Unclear);
        let error = token.require_untried(&pin("1")).unwrap_err();
        assert!(error.details().retry_after.unwrap() <= REST_OF_PROVEN);
        assert!(token.has_worked(&pin("1")) && !token.is_right(&pin("1")));
        for _ in 0..20 {
            token.note_failure(&pin("1"), Verdict::Unclear);
        }
        let error = token.require_untried(&pin("1")).unwrap_err();
        let rest = error.details().retry_after.unwrap();
        assert!(
            rest > REST && rest <= LONGEST_REST,
            "never given up: {rest:?}"
        );
        token.note_success(&pin("1"));
        assert_eq!(code(token.require_untried(&pin("1"))), None);
    }

    #[test]
    fn what_the_token_has_not_looked_at_costs_nothing() {
        let token = token("untried");
        for rv in [
            CKR_SESSION_HANDLE_INVALID,
            CKR_TOKEN_NOT_PRESENT,
            CKR_USER_PIN_NOT_INITIALIZED,
        ] {
            token.note_failure(&pin("1"), Verdict::of(rv));
        }
        assert_eq!(code(token.require_untried(&pin("1"))), None);
    }
}
