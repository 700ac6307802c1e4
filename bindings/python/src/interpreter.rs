//! Which interpreter of the process this is.

#![allow(unsafe_code)]

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;

/// Refuses a sub-interpreter: what is kept for the whole process, such as the log's receiver, has
/// objects of one interpreter, and threads of segl's own enter the main one.
///
/// # Errors
/// `ImportError`.
pub(crate) fn require_main(_py: Python<'_>) -> PyResult<()> {
    // SAFETY: the thread is attached, as `_py` shows, so there is a current interpreter.
    let id = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    match id {
        0 => Ok(()),
        _ => Err(PyImportError::new_err(
            "segl cannot be used in subinterpreters; import it in the main interpreter",
        )),
    }
}
