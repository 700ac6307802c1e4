//! The one place where panics stop and errors become C objects.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use super::error::segl_error;
use crate::error::{Error, ErrorCode, Result};
use crate::log::{self, Level};

/// Runs the body of an exported function. NULL is success.
pub(super) fn guard(body: impl FnOnce() -> Result<()>) -> *mut segl_error {
    let error = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return ptr::null_mut(),
        Ok(Err(error)) => error,
        Err(payload) => panicked(payload),
    };
    Box::into_raw(Box::new(segl_error::new(error)))
}

/// Runs the body of an exported function that cannot report an error; a panic
/// gives `default`.
pub(super) fn guard_or<T>(default: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        panicked(payload);
        default
    })
}

fn panicked(payload: Box<dyn Any + Send>) -> Error {
    let text = match payload.downcast::<&str>() {
        Ok(text) => (*text).to_owned(),
        Err(payload) => payload.downcast::<String>().map_or_else(
            |payload| {
                // Dropping a payload of unknown type could panic again, outside the guard.
                mem::forget(payload);
                "no message".to_owned()
            },
            |text| *text,
        ),
    };
    let error = Error::new(
        ErrorCode::Panic,
        format!("segl panicked: {text}; this is a fault in segl, please report it"),
    );
    log::emit(Level::Error, "ffi", format_args!("{error}"));
    error
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    struct PanicsOnDrop;

    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    fn message_of(body: impl FnOnce()) -> String {
        match catch_unwind(AssertUnwindSafe(body)) {
            Ok(()) => String::new(),
            Err(payload) => panicked(payload).message().to_owned(),
        }
    }

    #[test]
    fn a_panic_is_an_error_with_its_message() {
        assert!(message_of(|| panic!("plain")).contains("panicked: plain;"));
        assert!(message_of(|| panic!("number {}", 7)).contains("panicked: number 7;"));
        assert!(message_of(|| panic_any(7)).contains("panicked: no message;"));
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_harmless() {
        assert!(message_of(|| panic_any(PanicsOnDrop)).contains("no message"));
        assert_eq!(guard_or(7, || panic_any(PanicsOnDrop)), 7);
    }
}
