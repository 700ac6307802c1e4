//! Functions that only tests need; no release has them.

use std::panic::panic_any;

use super::error::segl_error;
use super::guard::guard;

/// Panics: with a static text (0), a formatted one (1), a value that is no text
/// (2), or a value that panics again when it is dropped (3).
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn segl_test_panic(how: i32) -> *mut segl_error {
    guard(|| match how {
        0 => panic!("the test asked for it"),
        1 => panic!("the test asked for number {how}"),
        2 => panic_any(how),
        _ => panic_any(PanicsOnDrop),
    })
}

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("dropped");
    }
}
