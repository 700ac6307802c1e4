//! Bytes, texts and JSON that come from Python.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyMemoryView, PyString};
use segl::Secret;

/// `bytes`, borrowed, or a copy of a `bytearray` or `memoryview`.
pub(crate) fn bytes(name: &str, value: &Bound<'_, PyAny>) -> PyResult<PyBackedBytes> {
    if let Ok(bytes) = value.extract() {
        return Ok(bytes);
    }
    if value.is_instance_of::<PyMemoryView>() {
        let copy = value.py().get_type::<PyBytes>().call1((value,))?;
        return Ok(copy.extract()?);
    }
    Err(wrong_type(name, "bytes, bytearray or memoryview", value))
}

/// A PIN or passphrase: a text or bytes. The copy is wiped after use.
pub(crate) fn secret(name: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Secret>> {
    let Some(value) = value else { return Ok(None) };
    match value.cast::<PyString>() {
        Ok(text) => Ok(Some(Secret::new(text.to_cow()?.into_owned().into_bytes()))),
        Err(_) => Ok(Some(Secret::from(&*bytes(name, value)?))),
    }
}

/// A path: a text or what has `__fspath__`.
pub(crate) fn path(value: &Bound<'_, PyAny>) -> PyResult<std::path::PathBuf> {
    value.extract()
}

/// A text as it is, or anything else as JSON.
pub(crate) fn json(value: &Bound<'_, PyAny>) -> PyResult<String> {
    static DUMPS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(text.to_cow()?.into_owned());
    }
    let dumps = DUMPS.import(value.py(), "json", "dumps")?;
    dumps.call1((value,))?.extract()
}

/// What a JSON text says, in Python's own types.
pub(crate) fn from_json<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOADS.import(py, "json", "loads")?.call1((json,))
}

/// Says that `value` has the wrong type, and shows nothing of it.
pub(crate) fn wrong_type(name: &str, wanted: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let found = value.get_type();
    let found = found.name().map(|name| name.to_string());
    PyTypeError::new_err(format!(
        "{name} must be {wanted}, not {}",
        found.unwrap_or_default()
    ))
}
