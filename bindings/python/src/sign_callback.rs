//! A signer that the program wrote.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use segl::keys::foreign::SignCallback;
use segl::{Algorithm, Call, Result};

use crate::{bytes, host};

/// A Python callable of algorithm and message.
pub(crate) struct PythonSignCallback(pub(crate) Py<PyAny>);

impl SignCallback for PythonSignCallback {
    fn sign(&self, alg: Algorithm, message: &[u8], _call: &Call) -> Result<Vec<u8>> {
        host::call("the program's sign callback", |py| {
            let message = PyBytes::new(py, message);
            let signature = self.0.bind(py).call1((alg.name(), message))?;
            let signature = bytes::bytes("what the sign callback returns", &signature)?;
            Ok(signature.to_vec())
        })
    }
}
