//! Requests and answers as Python's `HttpRequest` and `HttpResponse`.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use segl::apis::ApiRequest;
use segl::http::{Request, Response};

use crate::{bytes, errors};

/// A request to an API, as the program wrote it.
pub(crate) fn api_request(value: &Bound<'_, PyAny>) -> PyResult<ApiRequest> {
    let py = value.py();
    let failed = |error| errors::to_python(py, error);
    let method: String = value.getattr("method")?.extract()?;
    let url: String = value.getattr("url")?.extract()?;
    let headers: Vec<(String, String)> = value.getattr("headers")?.extract()?;
    let body = bytes::bytes("body", &value.getattr("body")?)?;
    let mut request = ApiRequest::new(&method, &url).map_err(failed)?;
    for (name, value) in headers {
        request = request.header(&name, &value).map_err(failed)?;
    }
    request.body(body.to_vec()).map_err(failed)
}

/// A request of segl's, for a transport of the program's.
pub(crate) fn request_to_python<'py>(
    py: Python<'py>,
    request: &Request,
) -> PyResult<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let headers = request.headers.iter();
    let headers: Vec<(&str, &str)> = headers
        .map(|(name, value)| (name.as_ref(), value.as_str()))
        .collect();
    CLASS.import(py, "segl.http", "HttpRequest")?.call1((
        request.method.name(),
        request.url.as_str(),
        headers,
        PyBytes::new(py, &request.body),
    ))
}

/// An API's answer.
pub(crate) fn response_to_python(py: Python<'_>, response: &Response) -> PyResult<Py<PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let headers: Vec<(&str, &str)> = response
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let class = CLASS.import(py, "segl.http", "HttpResponse")?;
    let made = class.call1((response.status, headers, PyBytes::new(py, &response.body)))?;
    Ok(made.unbind())
}

/// The answer that a transport of the program's returned.
pub(crate) fn response(value: &Bound<'_, PyAny>) -> PyResult<Response> {
    let wrong = |name: &str, wanted: &str| {
        PyTypeError::new_err(format!(
            "send must return a segl.HttpResponse; its {name} is no {wanted}"
        ))
    };
    let member = |name: &str| {
        let member = value.getattr(name);
        member.map_err(|_| bytes::wrong_type("what send returns", "a segl.HttpResponse", value))
    };
    let status: u16 = member("status")?
        .extract()
        .map_err(|_| wrong("status", "HTTP status"))?;
    if !(100..=999).contains(&status) {
        return Err(PyValueError::new_err(format!(
            "send returned the status {status}, which is no HTTP status"
        )));
    }
    let headers: Vec<(String, String)> = member("headers")?
        .extract()
        .map_err(|_| wrong("headers", "sequence of pairs of str"))?;
    let body = bytes::bytes("the body that send returns", &member("body")?)?;
    let headers = headers.into_iter();
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value));
    Ok(Response::new(status, headers.collect(), body.to_vec()))
}
