//! PKCS#11 return values (`CK_RV`): their names, and what they mean to a caller.
//!
//! The same event gives different values in different modules, so what a value
//! says about the cause is a hint. No value about a PIN is ever retryable: each
//! try may bring the token closer to locking itself.

use cryptoki_sys::*;

use crate::error::{Error, ErrorCode};

/// A PKCS#11 function that did not return `CKR_OK`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    /// The value it returned.
    pub rv: CK_RV,
    /// Its name, for example `"C_Login"`.
    pub function: &'static str,
}

/// The outcome of one PKCS#11 call.
pub(super) type CkResult<T> = std::result::Result<T, Failure>;

impl From<Failure> for Error {
    // CK_RV has 32 bits on Windows.
    #[allow(clippy::unnecessary_cast)]
    fn from(failure: Failure) -> Self {
        let entry = TABLE.iter().find(|entry| entry.rv == failure.rv);
        let name = match entry {
            Some(entry) => entry.name,
            None if failure.rv & CKR_VENDOR_DEFINED != 0 => "CKR_VENDOR_DEFINED",
            None => "an unknown value",
        };
        let code = entry.map_or(ErrorCode::Device, |entry| entry.code);
        let retryable = entry.is_none_or(|entry| entry.retryable);
        Self::new(
            code,
            format!(
                "{} returned {name} (0x{:x}); {}",
                failure.function,
                failure.rv,
                remedy(failure.rv, code)
            ),
        )
        .with_retryable(retryable)
        .with_details(|details| {
            details.ck_rv = Some(failure.rv as u64);
            details.ck_function = Some(failure.function);
        })
    }
}

/// True when the session that gave `rv` is gone already. Its number may be
/// another session's by now, so it must not be closed.
pub(super) fn session_is_gone(rv: CK_RV) -> bool {
    matches!(
        rv,
        CKR_SESSION_HANDLE_INVALID
            | CKR_SESSION_CLOSED
            | CKR_CRYPTOKI_NOT_INITIALIZED
            | CKR_TOKEN_NOT_PRESENT
            | CKR_DEVICE_REMOVED
    )
}

/// True when the token is gone, as `rv` says, and its sessions with it. Not every
/// module that loses its connection for a moment closes them.
pub(super) fn token_is_gone(rv: CK_RV) -> bool {
    matches!(rv, CKR_TOKEN_NOT_PRESENT | CKR_DEVICE_REMOVED)
}

/// True when `rv` is about an operation that was left pending on the session.
pub(super) fn session_is_dirty(rv: CK_RV) -> bool {
    matches!(
        rv,
        CKR_OPERATION_ACTIVE | CKR_OPERATION_NOT_INITIALIZED | CKR_BUFFER_TOO_SMALL
    )
}

/// The name of `rv`, for example `CKR_DEVICE_ERROR`; its number when it has none.
pub(super) fn name(rv: CK_RV) -> String {
    match TABLE.iter().find(|entry| entry.rv == rv) {
        Some(entry) => entry.name.to_owned(),
        None => format!("0x{rv:x}"),
    }
}

/// True when `rv` says that the token does not take this mechanism for this
/// key, whatever the input.
pub(super) fn refuses_mechanism(rv: CK_RV) -> bool {
    matches!(
        rv,
        CKR_MECHANISM_INVALID
            | CKR_MECHANISM_PARAM_INVALID
            | CKR_KEY_TYPE_INCONSISTENT
            | CKR_KEY_FUNCTION_NOT_PERMITTED
            | CKR_ACTION_PROHIBITED
            | CKR_FUNCTION_NOT_SUPPORTED
            | CKR_DATA_INVALID
            | CKR_DATA_LEN_RANGE
    )
}

fn remedy(rv: CK_RV, code: ErrorCode) -> &'static str {
    match rv {
        CKR_USER_ANOTHER_ALREADY_LOGGED_IN | CKR_SESSION_READ_WRITE_SO_EXISTS => {
            "another user of the token (the security officer?) is logged in from this process; log that user out first"
        }
        CKR_SESSION_COUNT => {
            "the token has no more sessions; close those of other programs or lower the number used"
        }
        CKR_KEY_FUNCTION_NOT_PERMITTED | CKR_ACTION_PROHIBITED => {
            "the key's attributes do not allow it; it needs CKA_SIGN to sign, and CKA_DECRYPT to decrypt"
        }
        CKR_CRYPTOKI_NOT_INITIALIZED => {
            "other code of this process has finalized the module, or the module has given up"
        }
        CKR_TOKEN_WRITE_PROTECTED | CKR_SESSION_READ_ONLY => {
            "the token is write-protected; make it writable or make the key with the vendor's tool"
        }
        CKR_TOKEN_NOT_PRESENT | CKR_TOKEN_NOT_RECOGNIZED | CKR_DEVICE_REMOVED => {
            "the token is gone; put it back or check the connection to the HSM"
        }
        CKR_USER_PIN_NOT_INITIALIZED => {
            "the token has no user PIN yet; its security officer must set one"
        }
        _ => match code {
            ErrorCode::PinIncorrect => "check the PIN",
            ErrorCode::PinLocked => "have the token's security officer unlock the PIN",
            ErrorCode::PinExpired => "set a new PIN with the vendor's tool",
            ErrorCode::SessionLost => "try again; the next call uses a new session",
            ErrorCode::Mechanism => {
                "the token does not offer what was asked for; see the vendor's list of mechanisms"
            }
            _ => "look in the log of the module or the HSM",
        },
    }
}

struct Entry {
    rv: CK_RV,
    name: &'static str,
    code: ErrorCode,
    retryable: bool,
}

macro_rules! table {
    ($($code:ident, $retryable:literal: $($rv:ident)+;)+) => {
        const TABLE: &[Entry] = &[$($(Entry {
            rv: $rv,
            name: stringify!($rv),
            code: ErrorCode::$code,
            retryable: $retryable,
        },)+)+];
    };
}

table! {
    PinIncorrect, false: CKR_PIN_INCORRECT CKR_PIN_LEN_RANGE CKR_PIN_INVALID CKR_PIN_TOO_WEAK;
    PinLocked, false: CKR_PIN_LOCKED;
    PinExpired, false: CKR_PIN_EXPIRED CKR_USER_PIN_NOT_INITIALIZED CKR_NEW_PIN_MODE;
    Device, false:
        CKR_USER_TYPE_INVALID CKR_USER_ANOTHER_ALREADY_LOGGED_IN CKR_USER_TOO_MANY_TYPES
        CKR_USER_ALREADY_LOGGED_IN CKR_FUNCTION_REJECTED CKR_NEXT_OTP
        CKR_SESSION_READ_WRITE_SO_EXISTS CKR_SESSION_READ_ONLY_EXISTS CKR_SESSION_EXISTS
        CKR_FIPS_SELF_TEST_FAILED CKR_LIBRARY_LOAD_FAILED CKR_EXCEEDED_MAX_ITERATIONS
        CKR_TOKEN_WRITE_PROTECTED CKR_SESSION_READ_ONLY CKR_TOKEN_NOT_INITIALIZED
        CKR_ARGUMENTS_BAD CKR_NO_EVENT CKR_MUTEX_BAD CKR_MUTEX_NOT_LOCKED
        CKR_ATTRIBUTE_READ_ONLY CKR_ATTRIBUTE_SENSITIVE CKR_ATTRIBUTE_TYPE_INVALID
        CKR_ATTRIBUTE_VALUE_INVALID CKR_TEMPLATE_INCOMPLETE CKR_TEMPLATE_INCONSISTENT
        CKR_ENCRYPTED_DATA_INVALID CKR_ENCRYPTED_DATA_LEN_RANGE CKR_AEAD_DECRYPT_FAILED
        CKR_FUNCTION_NOT_PARALLEL CKR_SESSION_PARALLEL_NOT_SUPPORTED
        CKR_KEY_NOT_NEEDED CKR_KEY_CHANGED CKR_KEY_NEEDED CKR_KEY_INDIGESTIBLE
        CKR_KEY_NOT_WRAPPABLE CKR_KEY_UNEXTRACTABLE CKR_KEY_EXHAUSTED CKR_PUBLIC_KEY_INVALID
        CKR_SIGNATURE_INVALID CKR_SIGNATURE_LEN_RANGE
        CKR_UNWRAPPING_KEY_HANDLE_INVALID CKR_UNWRAPPING_KEY_SIZE_RANGE
        CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT CKR_WRAPPED_KEY_INVALID CKR_WRAPPED_KEY_LEN_RANGE
        CKR_WRAPPING_KEY_HANDLE_INVALID CKR_WRAPPING_KEY_SIZE_RANGE
        CKR_WRAPPING_KEY_TYPE_INCONSISTENT CKR_RANDOM_SEED_NOT_SUPPORTED CKR_RANDOM_NO_RNG
        CKR_SEED_RANDOM_REQUIRED CKR_SAVED_STATE_INVALID CKR_INFORMATION_SENSITIVE
        CKR_STATE_UNSAVEABLE CKR_OPERATION_NOT_VALIDATED CKR_SESSION_ASYNC_NOT_SUPPORTED;
    Device, true:
        CKR_CANCEL CKR_HOST_MEMORY CKR_SLOT_ID_INVALID CKR_GENERAL_ERROR CKR_FUNCTION_FAILED
        CKR_DEVICE_ERROR CKR_DEVICE_MEMORY CKR_DEVICE_REMOVED CKR_FUNCTION_CANCELED
        CKR_TOKEN_NOT_PRESENT CKR_TOKEN_NOT_RECOGNIZED CKR_TOKEN_RESOURCE_EXCEEDED
        CKR_OPERATION_CANCEL_FAILED CKR_PENDING;
    PoolTimeout, true: CKR_SESSION_COUNT;
    ModuleInit, false:
        CKR_CRYPTOKI_NOT_INITIALIZED CKR_CRYPTOKI_ALREADY_INITIALIZED CKR_CANT_LOCK
        CKR_NEED_TO_CREATE_THREADS;
    SessionLost, true:
        CKR_SESSION_CLOSED CKR_SESSION_HANDLE_INVALID CKR_OPERATION_ACTIVE
        CKR_OPERATION_NOT_INITIALIZED CKR_USER_NOT_LOGGED_IN CKR_KEY_HANDLE_INVALID
        CKR_OBJECT_HANDLE_INVALID CKR_BUFFER_TOO_SMALL;
    Mechanism, false:
        CKR_ACTION_PROHIBITED CKR_DATA_INVALID CKR_DATA_LEN_RANGE CKR_FUNCTION_NOT_SUPPORTED
        CKR_KEY_SIZE_RANGE CKR_KEY_TYPE_INCONSISTENT CKR_KEY_FUNCTION_NOT_PERMITTED
        CKR_MECHANISM_INVALID CKR_MECHANISM_PARAM_INVALID CKR_DOMAIN_PARAMS_INVALID
        CKR_CURVE_NOT_SUPPORTED CKR_PARAMETER_SET_NOT_SUPPORTED;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_carries_value_and_function() {
        let error = Error::from(Failure {
            rv: CKR_DEVICE_ERROR,
            function: "C_Sign",
        });
        assert_eq!(error.code(), ErrorCode::Device);
        assert!(
            error
                .message()
                .starts_with("C_Sign returned CKR_DEVICE_ERROR (0x30)")
        );
        assert_eq!(error.details().ck_rv, Some(0x30));
        assert_eq!(error.details().ck_function, Some("C_Sign"));
        assert!(error.retryable());
    }

    #[test]
    fn nothing_about_a_pin_is_retryable() {
        for entry in TABLE.iter().filter(|entry| entry.name.contains("PIN")) {
            assert!(!entry.retryable, "{}", entry.name);
        }
    }

    #[test]
    fn each_value_is_named_once() {
        for (index, entry) in TABLE.iter().enumerate() {
            assert!(
                TABLE[..index].iter().all(|other| other.rv != entry.rv),
                "{}",
                entry.name
            );
        }
    }
}
