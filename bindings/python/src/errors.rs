//! Errors of segl as exceptions, and the other way round.

use std::error::Error as _;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use segl::{Error, ErrorCode};

use crate::host::Raised;

/// The exception for an error. What a callback raised is its cause.
pub(crate) fn to_python(py: Python<'_>, error: Error) -> PyErr {
    let raised = raised(&error);
    if let Some(raised) = raised.filter(|raised| raised.goes_on(py)) {
        return raised.exception(py);
    }
    match exception(py, &error) {
        Ok(exception) => {
            if let Some(raised) = raised {
                exception.set_cause(py, Some(raised.exception(py)));
            }
            exception
        }
        Err(failure) => failure,
    }
}

/// As [`to_python`], of what is found wrong here.
pub(crate) fn new(py: Python<'_>, code: ErrorCode, message: impl Into<String>) -> PyErr {
    to_python(py, Error::new(code, message))
}

/// The error for what a callback raised. One of segl's own keeps its code and facts.
pub(crate) fn from_python(py: Python<'_>, what: &str, raised: &PyErr) -> Error {
    let value = raised.value(py);
    if let Some(error) = own(value) {
        return error.in_context(what);
    }
    let class = value.get_type();
    let class = class.name().map(|name| name.to_string());
    let class = class.unwrap_or_else(|_| "an exception".to_owned());
    let text = value.str().map(|text| text.to_string_lossy().into_owned());
    let message = match text {
        Ok(text) if !text.is_empty() => format!("{what} raised {class}: {text}"),
        _ => format!("{what} raised {class}"),
    };
    Error::new(ErrorCode::CallbackFailed, message)
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = MAKE.import(py, "segl.errors", "_from_native")?;
    let details = error.details();
    let texts = (
        &details.oauth_error,
        &details.oauth_error_description,
        &details.error_uri,
        &details.provider_code,
        &details.trace_id,
        &details.config_path,
    );
    let made = make.call1((
        error.code().number(),
        error.message(),
        details.retryable,
        details.retry_after.map(|after| after.as_secs_f64()),
        details.http_status,
        details.ck_rv,
        details.ck_function,
        texts,
    ))?;
    Ok(PyErr::from_value(made))
}

fn raised(error: &Error) -> Option<&Raised> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(raised) = cause.downcast_ref() {
            return Some(raised);
        }
        source = cause.source();
    }
    None
}

/// The error that an exception of segl's stands for.
fn own(value: &Bound<'_, PyAny>) -> Option<Error> {
    static BASE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let base = BASE.import(value.py(), "segl.errors", "SeglError").ok()?;
    if !value.is_instance(base).ok()? {
        return None;
    }
    let number = value.getattr("number").ok()?.extract().ok()?;
    let code = ErrorCode::from_number(number).unwrap_or(ErrorCode::CallbackFailed);
    let message = value.str().ok()?.to_string_lossy().into_owned();
    let text = |name: &str| value.getattr(name).ok()?.extract::<Option<String>>().ok()?;
    let retry_after = || {
        value
            .getattr("retry_after")
            .ok()?
            .extract::<Option<f64>>()
            .ok()?
    };
    Some(Error::new(code, message).with_details(|details| {
        details.retryable = value
            .getattr("retryable")
            .and_then(|retryable| retryable.is_truthy())
            .unwrap_or(false);
        details.retry_after =
            retry_after().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        details.http_status = value
            .getattr("http_status")
            .ok()
            .and_then(|status| status.extract().ok());
        details.oauth_error = text("oauth_error");
        details.oauth_error_description = text("oauth_error_description");
        details.error_uri = text("error_uri");
        details.provider_code = text("provider_code");
        details.trace_id = text("trace_id");
    }))
}
