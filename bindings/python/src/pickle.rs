//! Keys, tokens and what belongs to them stay in their process.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// What pickling or copying raises. Without it the oldest protocols of pickle make something that cannot
/// be read.
pub(crate) fn refused(name: &str) -> PyResult<()> {
    Err(PyTypeError::new_err(format!(
        "cannot pickle or copy 'segl.{name}' objects; share one, and make one in each process that is not forked"
    )))
}
