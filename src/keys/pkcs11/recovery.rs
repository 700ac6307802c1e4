//! What may put a failure right.
//!
//! The same event gives different return values in different modules, so a value
//! only says where to begin. Each rung is followed by the job itself, whose
//! signature is verified: that is the proof. When it fails again, the next rung is
//! tried, to the end.

use cryptoki_sys::*;

use super::pin_guard::Verdict;
use crate::error::{Error, ErrorCode};

/// The rungs, from what is cheap to what disturbs most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rung {
    /// Another session.
    Session,
    /// Look at every session, log in if need be, find the key again.
    Login,
    /// Find the token's slot again, and begin with new sessions.
    Slot,
    /// `C_Finalize` and `C_Initialize`.
    Module,
}

impl Rung {
    /// The rung after `last` that may put `error` right; `None` when nothing will.
    pub fn next(last: Option<Self>, error: &Error) -> Option<Self> {
        let begin = Self::first(error)?;
        let above = match last {
            None => return Some(begin),
            Some(Self::Session) => Self::Login,
            Some(Self::Login) => Self::Slot,
            Some(Self::Slot) => Self::Module,
            Some(Self::Module) => return None,
        };
        // A wrong signature can mean a stale handle, and nothing beyond.
        if error.code() == ErrorCode::SignatureFault {
            return None;
        }
        Some(begin.max(above))
    }

    fn first(error: &Error) -> Option<Self> {
        match error.code() {
            ErrorCode::SignatureFault => return Some(Self::Login),
            ErrorCode::TokenNotFound => return Some(Self::Module),
            // It was tried just now.
            ErrorCode::ModuleInit if error.details().ck_function == Some("C_Initialize") => {
                return None;
            }
            _ => {}
        }
        let details = error.details();
        let rv = details.ck_rv.map(CK_RV::try_from)?.ok()?;
        // A login is not repeated, unless the token has not looked at the PIN.
        if details.ck_function == Some("C_Login") && Verdict::of(rv) != Verdict::Untried {
            return None;
        }
        Self::for_rv(rv)
    }

    fn for_rv(rv: CK_RV) -> Option<Self> {
        match rv {
            CKR_OPERATION_ACTIVE
            | CKR_OPERATION_NOT_INITIALIZED
            | CKR_BUFFER_TOO_SMALL
            | CKR_DEVICE_ERROR
            | CKR_DEVICE_MEMORY
            | CKR_FUNCTION_FAILED
            | CKR_FUNCTION_CANCELED
            | CKR_TOKEN_RESOURCE_EXCEEDED => Some(Self::Session),
            // A session seldom goes alone. After a logout NSS says CKR_HOST_MEMORY and
            // Kryoptic CKR_GENERAL_ERROR.
            CKR_SESSION_HANDLE_INVALID
            | CKR_SESSION_CLOSED
            | CKR_USER_NOT_LOGGED_IN
            | CKR_KEY_HANDLE_INVALID
            | CKR_OBJECT_HANDLE_INVALID
            | CKR_HOST_MEMORY
            | CKR_GENERAL_ERROR => Some(Self::Login),
            CKR_TOKEN_NOT_PRESENT
            | CKR_TOKEN_NOT_RECOGNIZED
            | CKR_DEVICE_REMOVED
            | CKR_SLOT_ID_INVALID => Some(Self::Slot),
            // SoftHSM says so for good when it was initialised while a file was written.
            CKR_CRYPTOKI_NOT_INITIALIZED | CKR_USER_PIN_NOT_INITIALIZED => Some(Self::Module),
            rv if rv & CKR_VENDOR_DEFINED != 0 => Some(Self::Session),
            _ => None,
        }
    }
}

/// True when `error` means that the token does not work, whichever key and job is
/// asked for. `in_job` says that a job met it, on a session of a good connection.
pub(super) fn is_outage(error: &Error, in_job: bool) -> bool {
    let is_login = error.details().ck_function == Some("C_Login");
    match error.code() {
        // A key's own login, before a signature.
        _ if is_login && in_job => false,
        // Inside a job this is a PIN that rests after a login that failed.
        ErrorCode::TokenUnavailable
        | ErrorCode::TokenNotFound
        | ErrorCode::TokenAmbiguous
        | ErrorCode::ModuleInit
        | ErrorCode::RestartRequired
        | ErrorCode::PinRequired
        | ErrorCode::PinIncorrect
        | ErrorCode::PinLocked
        | ErrorCode::PinExpired
        | ErrorCode::PinGuard => true,
        ErrorCode::SignatureFault => false,
        // What a rung could not cure, and a login that failed.
        _ => Rung::first(error).is_some() || is_login,
    }
}

/// True when `error` is an answer of a token that works, about the key or what it
/// was asked to do.
pub(super) fn is_answer(error: &Error) -> bool {
    matches!(
        error.code(),
        ErrorCode::KeyNotFound
            | ErrorCode::KeyAmbiguous
            | ErrorCode::KeyType
            | ErrorCode::KeyExtractable
            | ErrorCode::PublicKeyMismatch
            | ErrorCode::Mechanism
            | ErrorCode::SignatureFault
    )
}

#[cfg(test)]
mod tests {
    use super::super::rv::Failure;
    use super::*;

    fn failed(function: &'static str, rv: CK_RV) -> Error {
        Failure { rv, function }.into()
    }

    fn climb(error: &Error) -> Vec<Rung> {
        let mut rungs = Vec::new();
        while let Some(rung) = Rung::next(rungs.last().copied(), error) {
            rungs.push(rung);
        }
        rungs
    }

    #[test]
    fn a_return_value_only_says_where_to_begin() {
        use Rung::{Login, Module, Session, Slot};
        let all = [Session, Login, Slot, Module];
        assert_eq!(climb(&failed("C_Sign", CKR_DEVICE_ERROR)), all);
        assert_eq!(climb(&failed("C_SignInit", CKR_HOST_MEMORY)), all[1..]);
        assert_eq!(
            climb(&failed("C_OpenSession", CKR_DEVICE_REMOVED)),
            all[2..]
        );
        assert_eq!(
            climb(&failed("C_Sign", CKR_CRYPTOKI_NOT_INITIALIZED)),
            all[3..]
        );
        assert_eq!(climb(&failed("C_Sign", CKR_VENDOR_DEFINED | 7)), all);
    }

    #[test]
    fn nothing_is_tried_that_cannot_help() {
        assert_eq!(climb(&failed("C_SignInit", CKR_MECHANISM_INVALID)), []);
        assert_eq!(climb(&failed("C_OpenSession", CKR_SESSION_COUNT)), []);
        assert_eq!(climb(&failed("C_Login", CKR_PIN_INCORRECT)), []);
        assert_eq!(climb(&failed("C_Login", CKR_DEVICE_ERROR)), []);
        let lost = failed("C_Login", CKR_SESSION_HANDLE_INVALID);
        assert!(!climb(&lost).is_empty(), "the PIN was not looked at");
        assert_eq!(climb(&Error::new(ErrorCode::KeyNotFound, "")), []);
    }

    #[test]
    fn a_wrong_signature_is_tried_once_more() {
        let fault = Error::new(ErrorCode::SignatureFault, "");
        assert_eq!(climb(&fault), [Rung::Login]);
    }

    #[test]
    fn the_token_is_out_of_order_when_no_key_of_it_would_work() {
        assert!(is_outage(&failed("C_Sign", CKR_DEVICE_ERROR), true));
        assert!(is_outage(&failed("C_Login", CKR_GENERAL_ERROR), false));
        assert!(is_outage(&Error::new(ErrorCode::PinLocked, ""), false));
        assert!(is_outage(
            &Error::new(ErrorCode::TokenUnavailable, ""),
            true
        ));
        let own_login = failed("C_Login", CKR_PIN_INCORRECT);
        assert!(!is_outage(&own_login, true), "the key's own login");
        for answer in [
            failed("C_SignInit", CKR_MECHANISM_INVALID),
            Error::new(ErrorCode::KeyNotFound, ""),
            Error::new(ErrorCode::SignatureFault, ""),
        ] {
            assert!(!is_outage(&answer, true) && is_answer(&answer));
        }
        let busy = Error::new(ErrorCode::PoolTimeout, "");
        assert!(!is_outage(&busy, true) && !is_answer(&busy));
    }
}
