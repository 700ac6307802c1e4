//! `segl._native`: the parts of the Python package `segl` that are written in Rust.
//!
//! Everything that can wait, work or log runs without the GIL. A panic stops in `guard`,
//! an error becomes an exception in `errors`, and Python is entered from elsewhere through
//! `host` only.

mod bytes;
mod call;
mod client;
mod dpop;
mod errors;
mod fork;
mod guard;
mod host;
mod http;
mod interpreter;
mod log;
mod made;
mod pickle;
mod request;
mod sign_callback;
mod signer;
#[cfg(feature = "test-hooks")]
mod test_hooks;
mod token;
mod transport;
mod validator;

use pyo3::prelude::*;

/// The version of segl, for example "1.2.3".
#[pyfunction]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Closes the sessions with PKCS#11 tokens and finalizes the modules that segl initialised. Optional.
///
/// Raises `CallTimeoutError` when calls into a module do not end within 5 seconds. Keys that are used afterwards
/// are opened anew.
#[pyfunction]
fn shutdown(py: Python<'_>) -> PyResult<()> {
    guard::blocking(py, || segl::keys::pkcs11::shutdown(&segl::Call::none()))
}

/// Number, name and meaning of every error code.
#[pyfunction]
fn error_codes() -> Vec<(i32, &'static str, &'static str)> {
    let codes = segl::ErrorCode::ALL.iter();
    codes
        .map(|code| (code.number(), code.name(), code.meaning()))
        .collect()
}

/// The module.
#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    interpreter::require_main(module.py())?;
    module.add_class::<call::PyCancelToken>()?;
    module.add_class::<client::PyTokenClient>()?;
    module.add_class::<request::PyTokenRequest>()?;
    module.add_class::<signer::PySigner>()?;
    module.add_class::<token::PyToken>()?;
    module.add_class::<validator::PyValidator>()?;
    module.add_function(wrap_pyfunction!(version, module)?)?;
    module.add_function(wrap_pyfunction!(shutdown, module)?)?;
    module.add_function(wrap_pyfunction!(error_codes, module)?)?;
    module.add_function(wrap_pyfunction!(dpop::asks_for_dpop_nonce, module)?)?;
    module.add_function(wrap_pyfunction!(log::log_through, module)?)?;
    module.add_function(wrap_pyfunction!(host::finalize, module)?)?;
    module.add_function(wrap_pyfunction!(fork::before_fork, module)?)?;
    module.add_function(wrap_pyfunction!(fork::after_fork_in_parent, module)?)?;
    module.add_function(wrap_pyfunction!(fork::after_fork_in_child, module)?)?;
    #[cfg(feature = "test-hooks")]
    module.add_function(wrap_pyfunction!(test_hooks::test_panic, module)?)?;
    Ok(())
}
