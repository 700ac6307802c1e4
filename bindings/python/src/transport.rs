//! A HTTP transport that the program wrote.

use std::fmt;
use std::time::Duration;

use pyo3::prelude::*;
use segl::http::{Request, Response, Transport};
use segl::{Call, Result};

use crate::{bytes, host, http};

/// For a call without a deadline.
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);

/// A Python object with the method `send(request, timeout)`.
pub(crate) struct PythonTransport(Py<PyAny>);

impl PythonTransport {
    /// Raises `TypeError` for an object without the method.
    pub(crate) fn of(transport: Bound<'_, PyAny>) -> PyResult<Self> {
        let send = transport.getattr("send");
        if !send.is_ok_and(|send| send.is_callable()) {
            let wanted = "an object with the method send(request, timeout)";
            return Err(bytes::wrong_type("transport", wanted, &transport));
        }
        Ok(Self(transport.unbind()))
    }
}

impl Transport for PythonTransport {
    fn send(&self, request: &Request, call: &Call) -> Result<Response> {
        let timeout = call.remaining(USUAL_TIMEOUT, "sending through the program's transport")?;
        host::call("the program's transport", |py| {
            let request = http::request_to_python(py, request)?;
            let arguments = (request, timeout.as_secs_f64());
            let answer = self.0.bind(py).call_method1("send", arguments)?;
            http::response(&answer)
        })
    }
}

impl fmt::Debug for PythonTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PythonTransport").finish_non_exhaustive()
    }
}
