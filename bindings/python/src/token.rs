//! Access tokens.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDateTime, PyString, PyTzInfo};
use segl::Token;
use segl::token::TokenType;

use crate::pickle;

/// An access token. It does not change; `repr` does not show it.
#[pyclass(frozen, module = "segl", name = "Token", weakref)]
pub(crate) struct PyToken {
    token: Arc<Token>,
    from_cache: bool,
    access_token: PyOnceLock<Py<PyString>>,
    authorization: PyOnceLock<Py<PyString>>,
}

impl PyToken {
    pub(crate) fn new(token: Arc<Token>, from_cache: bool) -> Self {
        Self {
            token,
            from_cache,
            access_token: PyOnceLock::new(),
            authorization: PyOnceLock::new(),
        }
    }

    pub(crate) fn token(&self) -> &Arc<Token> {
        &self.token
    }
}

#[pymethods]
impl PyToken {
    /// The token itself; a secret. The same object every time.
    #[getter]
    fn access_token(&self, py: Python<'_>) -> Py<PyString> {
        let make = || PyString::new(py, self.token.access_token()).unbind();
        self.access_token.get_or_init(py, make).clone_ref(py)
    }

    /// The value of the header `Authorization`: "Bearer …" or "DPoP …"; a secret.
    #[getter]
    fn authorization(&self, py: Python<'_>) -> Py<PyString> {
        let make = || PyString::new(py, &self.token.authorization()).unbind();
        self.authorization.get_or_init(py, make).clone_ref(py)
    }

    /// The whole token response, JSON as it was received (RFC 6749 section 5.1); it holds the token.
    #[getter]
    fn response<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, self.token.response_json())
    }

    /// The granted scope, if the answer names it.
    #[getter]
    fn scope(&self) -> Option<&str> {
        self.token.scope()
    }

    /// When the token ends, in UTC.
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        let utc = PyTzInfo::utc(py)?.to_owned();
        PyDateTime::from_timestamp(py, self.token.expires_at().seconds() as f64, Some(&utc))
    }

    /// False when the token was fetched for the call that returned it.
    #[getter(from_cache)]
    fn was_cached(&self) -> bool {
        self.from_cache
    }

    /// True when the token is bound to a key: each request needs a proof of `TokenClient.dpop_proof`.
    #[getter]
    fn dpop(&self) -> bool {
        self.token.token_type() == TokenType::Dpop
    }

    /// Tells this token from every other that this process was given; never 0.
    #[getter]
    fn generation(&self) -> u64 {
        self.token.generation()
    }

    fn __reduce__(&self) -> PyResult<()> {
        pickle::refused("Token")
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let expires_at = self.expires_at(py)?.str()?;
        Ok(format!("<segl.Token [redacted] expires_at={expires_at}>"))
    }
}
