//! The one place where panics stop.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;
use segl::{Error, ErrorCode, Result};

use crate::fork::UnderWay;
use crate::{errors, log};

/// Runs what neither waits nor logs.
pub(crate) fn quick<T>(py: Python<'_>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|payload| Err(errors::to_python(py, panicked(payload))))
}

/// Runs what may wait, work or log, without the GIL.
pub(crate) fn blocking<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    log::look_at_level(py);
    let outcome = py.detach(|| {
        let _under_way = UnderWay::begin();
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(panicked(payload)))
    });
    outcome.map_err(|error| errors::to_python(py, error))
}

/// Drops what may end sessions or threads, without the GIL.
pub(crate) fn release<T: Send>(value: T) {
    let drop = move || {
        let _under_way = UnderWay::begin();
        catch_unwind(AssertUnwindSafe(move || mem::drop(value)))
    };
    // There is no interpreter to be held up when it cannot be entered.
    let outcome = match Python::try_attach(|_| ()) {
        Some(()) => Python::attach(|py| py.detach(drop)),
        None => drop(),
    };
    if let Err(payload) = outcome {
        panicked(payload);
    }
}

fn panicked(payload: Box<dyn Any + Send>) -> Error {
    let text = match payload.downcast::<&str>() {
        Ok(text) => (*text).to_owned(),
        Err(payload) => payload.downcast::<String>().map_or_else(
            |payload| {
                // Dropping a payload of unknown type could panic again.
                mem::forget(payload);
                "no message".to_owned()
            },
            |text| *text,
        ),
    };
    Error::new(
        ErrorCode::Panic,
        format!("segl panicked: {text}; this is a fault in segl, please report it"),
    )
}
