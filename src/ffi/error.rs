//! `segl_error`: what went wrong, for the caller to read and free.

use std::ffi::c_char;
use std::ptr;

use super::guard::guard_or;
use crate::error::{Error, ErrorCode};

/// 1 when the same call may succeed later without any change, else 0. Always
/// present. Integer.
pub const SEGL_FIELD_RETRYABLE: i32 = 1;
/// How long the server asked to wait, in milliseconds. Integer.
pub const SEGL_FIELD_RETRY_AFTER_MS: i32 = 2;
/// The HTTP status of the answer; of a 700 error, the one that an API answers the token with.
/// Integer.
pub const SEGL_FIELD_HTTP_STATUS: i32 = 3;
/// The PKCS#11 return value (CK_RV). Integer.
pub const SEGL_FIELD_CK_RV: i32 = 4;
/// The PKCS#11 function that returned it, for example "C_Login". Text.
pub const SEGL_FIELD_CK_FUNCTION: i32 = 100;
/// "error" of the token endpoint (RFC 6749 section 5.2); of a 700 error, the one that an API
/// answers the token with (RFC 6750 section 3.1). Text.
pub const SEGL_FIELD_OAUTH_ERROR: i32 = 101;
/// "error_description" of the token endpoint. Text.
pub const SEGL_FIELD_OAUTH_ERROR_DESCRIPTION: i32 = 102;
/// "error_uri" of the token endpoint. Text.
pub const SEGL_FIELD_ERROR_URI: i32 = 103;
/// The provider's own code, for example Maskinporten's "MP-122". Text.
pub const SEGL_FIELD_PROVIDER_CODE: i32 = 104;
/// The provider's trace id, to be quoted in a support case. Text.
pub const SEGL_FIELD_TRACE_ID: i32 = 105;
/// The path of the setting at fault, for example "clients.bank.key". Text.
pub const SEGL_FIELD_CONFIG_PATH: i32 = 106;

/// What failed, on what, and what to do about it. It never carries a PIN,
/// passphrase, token, assertion, private key or personal identifier.
pub struct segl_error {
    error: Error,
    message: CText,
    texts: Vec<(i32, CText)>,
}

impl segl_error {
    pub(super) fn new(error: Error) -> Self {
        let details = error.details();
        let texts = [
            (SEGL_FIELD_CK_FUNCTION, details.ck_function),
            (SEGL_FIELD_OAUTH_ERROR, details.oauth_error.as_deref()),
            (
                SEGL_FIELD_OAUTH_ERROR_DESCRIPTION,
                details.oauth_error_description.as_deref(),
            ),
            (SEGL_FIELD_ERROR_URI, details.error_uri.as_deref()),
            (SEGL_FIELD_PROVIDER_CODE, details.provider_code.as_deref()),
            (SEGL_FIELD_TRACE_ID, details.trace_id.as_deref()),
            (SEGL_FIELD_CONFIG_PATH, details.config_path.as_deref()),
        ];
        Self {
            texts: texts
                .into_iter()
                .filter_map(|(field, text)| Some((field, CText::new(text?))))
                .collect(),
            message: CText::new(error.message()),
            error,
        }
    }

    fn int(&self, field: i32) -> Option<i64> {
        let details = self.error.details();
        match field {
            SEGL_FIELD_RETRYABLE => Some(details.retryable.into()),
            SEGL_FIELD_RETRY_AFTER_MS => details
                .retry_after
                .map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)),
            SEGL_FIELD_HTTP_STATUS => details.http_status.map(i64::from),
            SEGL_FIELD_CK_RV => details.ck_rv.map(u64::cast_signed),
            _ => None,
        }
    }

    fn text(&self, field: i32) -> Option<&CText> {
        let (_, text) = self.texts.iter().find(|(number, _)| *number == field)?;
        Some(text)
    }
}

/// Text with a NUL behind it.
struct CText(Box<[u8]>);

impl CText {
    fn new(text: &str) -> Self {
        Self(text.bytes().chain([0]).collect())
    }
}

/// The text's start, and its length to `len`; no text has length 0.
///
/// # Safety
/// `len` is NULL or can be written.
unsafe fn put_text(text: Option<&CText>, len: *mut usize) -> Option<*const c_char> {
    if !len.is_null() {
        // SAFETY: see the function's contract.
        unsafe { len.write(text.map_or(0, |text| text.0.len() - 1)) }
    }
    text.map(|text| text.0.as_ptr().cast())
}

/// The number of an error: one of the `SEGL_` numbers above.
///
/// Ownership: `error` is borrowed.
/// NULL: `error` may be NULL, which is success; the answer is `SEGL_OK` then.
/// Threads: any thread, any time.
/// Failure: it cannot fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_error_code(error: *const segl_error) -> i32 {
    guard_or(0, || {
        // SAFETY: NULL, or an error that the caller owns.
        unsafe { error.as_ref() }.map_or(0, |error| error.error.code().number())
    })
}

/// The name of an error number without its prefix, for example
/// "PIN_INCORRECT"; "OK" for `SEGL_OK`, "UNKNOWN" for a number that this library
/// does not know.
///
/// Ownership: the text is static, NUL-terminated, and not freed.
/// NULL: the answer is never NULL.
/// Threads: any thread, any time.
/// Failure: it cannot fail.
#[unsafe(no_mangle)]
pub extern "C" fn segl_error_name(code: i32) -> *const c_char {
    guard_or(c"UNKNOWN".as_ptr(), || match ErrorCode::from_number(code) {
        Some(code) => code.c_name().as_ptr(),
        None if code == 0 => c"OK".as_ptr(),
        None => c"UNKNOWN".as_ptr(),
    })
}

/// The message of an error: what failed, on what, and what to do. UTF-8.
///
/// Ownership: the text belongs to `error` and ends with it; it is
/// NUL-terminated, and its length without the NUL goes to `len`.
/// NULL: `error` may be NULL, which gives an empty text; `len` may be NULL. The
/// answer is never NULL.
/// Threads: any thread, any time.
/// Failure: it cannot fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_error_message(
    error: *const segl_error,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: NULL, or an error that the caller owns, and a length to write.
    guard_or(c"".as_ptr(), || unsafe {
        put_text(error.as_ref().map(|error| &error.message), len).unwrap_or(c"".as_ptr())
    })
}

/// An integer field of an error, by one of the `SEGL_FIELD_` numbers.
///
/// Ownership: `error` is borrowed; the value is copied to `out`.
/// NULL: `error` may be NULL, which has no fields; `out` may be NULL to ask
/// only whether the field is there.
/// Threads: any thread, any time.
/// Failure: the answer is 1 when the field is present, 0 when it is absent,
/// unknown or a text; `out` is 0 then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_error_int(
    error: *const segl_error,
    field: i32,
    out: *mut i64,
) -> i32 {
    guard_or(0, || {
        // SAFETY: NULL, or an error that the caller owns.
        let value = unsafe { error.as_ref() }.and_then(|error| error.int(field));
        if !out.is_null() {
            // SAFETY: not NULL, so an integer to write.
            unsafe { out.write(value.unwrap_or(0)) }
        }
        value.is_some().into()
    })
}

/// A text field of an error, by one of the `SEGL_FIELD_` numbers.
///
/// Ownership: the text belongs to `error` and ends with it; it is
/// NUL-terminated, and its length without the NUL goes to `len`.
/// NULL: `error` may be NULL, which has no fields; `len` may be NULL.
/// Threads: any thread, any time.
/// Failure: the answer is NULL, and `len` 0, when the field is absent, unknown
/// or an integer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_error_str(
    error: *const segl_error,
    field: i32,
    len: *mut usize,
) -> *const c_char {
    guard_or(ptr::null(), || {
        // SAFETY: NULL, or an error that the caller owns.
        let text = unsafe { error.as_ref() }.and_then(|error| error.text(field));
        // SAFETY: NULL, or a length to write.
        unsafe { put_text(text, len) }.unwrap_or(ptr::null())
    })
}

/// Frees an error.
///
/// Ownership: ends the caller's ownership. It is freed once; texts read from it
/// end with it.
/// NULL: `error` may be NULL; nothing happens then.
/// Threads: any thread, any time; no other thread may be reading the error.
/// Failure: it cannot fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_error_free(error: *mut segl_error) {
    guard_or((), || {
        if !error.is_null() {
            // SAFETY: made by `Box::into_raw` in `guard`, and freed once.
            drop(unsafe { Box::from_raw(error) });
        }
    });
}
