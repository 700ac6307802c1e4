//! Functions that only tests need; no release has them.

use std::panic::panic_any;

use pyo3::prelude::*;

use crate::guard;

/// Panics: with a static text (0), a formatted one (1), a value that is no text (2), or a
/// value that panics again when it is dropped (3); with 10 more, without the GIL.
#[pyfunction]
pub(crate) fn test_panic(py: Python<'_>, how: i32) -> PyResult<()> {
    match how {
        10.. => guard::blocking(py, || panic_as(how)),
        _ => guard::quick(py, || panic_as(how)),
    }
}

fn panic_as<T>(how: i32) -> T {
    match how % 10 {
        0 => panic!("the test asked for it"),
        1 => panic!("the test asked for number {how}"),
        2 => panic_any(how),
        _ => panic_any(PanicsOnDrop),
    }
}

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("dropped");
    }
}
