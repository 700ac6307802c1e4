//! What bounds a call.

use std::time::Duration;

use pyo3::prelude::*;
use segl::{Call, CancelToken, ErrorCode};

use crate::{errors, guard, pickle};

/// Ends calls early, from any thread. One may be given to many calls; once triggered it stays so.
#[pyclass(frozen, module = "segl", name = "CancelToken", weakref)]
#[derive(Default)]
pub(crate) struct PyCancelToken(CancelToken);

#[pymethods]
impl PyCancelToken {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Ends every call that was given this token, with `CallCancelledError`.
    fn trigger(&self, py: Python<'_>) -> PyResult<()> {
        guard::blocking(py, || {
            self.0.trigger();
            Ok(())
        })
    }

    /// True once it was triggered.
    #[getter]
    fn triggered(&self) -> bool {
        self.0.is_cancelled()
    }

    fn __reduce__(&self) -> PyResult<()> {
        pickle::refused("CancelToken")
    }

    fn __repr__(&self) -> String {
        let triggered = if self.0.is_cancelled() {
            "True"
        } else {
            "False"
        };
        format!("<segl.CancelToken triggered={triggered}>")
    }
}

/// The bounds that Python gave: `timeout` in seconds.
pub(crate) fn bounds(
    py: Python<'_>,
    timeout: Option<f64>,
    cancel: Option<&Bound<'_, PyCancelToken>>,
) -> PyResult<Call> {
    let call = match timeout {
        None => Call::none(),
        Some(seconds) if seconds == f64::INFINITY => Call::none(),
        Some(seconds) => {
            let timeout = Duration::try_from_secs_f64(seconds).map_err(|_| {
                errors::new(
                    py,
                    ErrorCode::InvalidArgument,
                    format!("timeout is {seconds}; give seconds, 0 or more"),
                )
            })?;
            Call::within(timeout)
        }
    };
    Ok(match cancel {
        Some(cancel) => call.with_cancel(cancel.get().0.clone()),
        None => call,
    })
}
