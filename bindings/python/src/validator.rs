//! Access tokens that the program receives.

use std::sync::Arc;

use pyo3::prelude::*;
use segl::validate::{Requirements, ValidatorBuilder, ValidatorSettings};
use segl::{Config, Validator};
use zeroize::Zeroizing;

use crate::call::{PyCancelToken, bounds};
use crate::made::Made;
use crate::signer::text_of;
use crate::transport::PythonTransport;
use crate::{bytes, guard, pickle};

/// Checks access tokens that a program receives: signature, issuer, time, and what the program asks for.
///
/// It keeps the issuer's keys, and fetches them again before they are too old and when a token is signed with
/// another. One for each issuer, for all threads, for the life of the program, and for forked children. `config`
/// is what docs/config.schema.json has under ValidatorSettings, a mapping or JSON text. `transport` fetches keys in
/// the place of segl's own. Nothing is sent before the first token.
///
/// Raises `ConfigError` naming the setting at fault.
#[pyclass(frozen, module = "segl", name = "Validator", weakref)]
pub(crate) struct PyValidator(Made<Validator>);

impl PyValidator {
    fn build(
        py: Python<'_>,
        builder: ValidatorBuilder,
        transport: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let builder = match transport {
            Some(transport) => builder.transport(Arc::new(PythonTransport::of(transport)?)),
            None => builder,
        };
        let validator = guard::blocking(py, || builder.build())?;
        Ok(Self(Made::new(Arc::new(validator), "validator")))
    }
}

#[pymethods]
impl PyValidator {
    #[new]
    #[pyo3(signature = (config, *, transport=None))]
    fn new(
        py: Python<'_>,
        config: &Bound<'_, PyAny>,
        transport: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let json = bytes::json(config)?;
        let settings = guard::blocking(py, || ValidatorSettings::from_json(&json))?;
        Self::build(py, Validator::builder(settings), transport)
    }

    /// Makes the validator that a configuration file (segl.toml) names.
    ///
    /// Raises `UsageError` with the code IO when the file cannot be read, otherwise as the constructor.
    #[staticmethod]
    #[pyo3(signature = (path, name, *, transport=None))]
    fn open(
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        name: &str,
        transport: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let path = bytes::path(path)?;
        let builder = guard::blocking(py, || {
            Validator::builder_from_config(&Config::from_file(&path)?, name)
        })?;
        Self::build(py, builder, transport)
    }

    /// Checks a token, as it was received, without "Bearer". The answer is what it says; it may be about a person.
    ///
    /// `requirements` is what the token must be for, a mapping or JSON text whose members go before the settings:
    /// `scopes`, `audience`, `consumer`, `supplier` (None: it must not be delegated), `consent` and the others that
    /// docs/services.md names, such as `{"consent": {"from": "05848998356", "resources": ["bank-saldo"]}}`. The answer
    /// cannot be wiped.
    /// While the issuer's keys are known nothing is sent, and nobody waits for their replacement.
    ///
    /// Raises `ValidationError` when the token is not what is asked for, with the reason, and with the code
    /// JWKS_UNAVAILABLE when the issuer's keys were never to be had; `InvalidArgumentError` for requirements that are
    /// none.
    #[pyo3(signature = (token, requirements=None, *, timeout=None, cancel=None))]
    fn check<'py>(
        &self,
        py: Python<'py>,
        token: &str,
        requirements: Option<Bound<'py, PyAny>>,
        timeout: Option<f64>,
        cancel: Option<Bound<'py, PyCancelToken>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let validator = self.0.get(py)?;
        let call = bounds(py, timeout, cancel.as_ref())?;
        let requirements = requirements.map(|given| bytes::json(&given).map(Zeroizing::new));
        let requirements = requirements.transpose()?;
        let claims = guard::blocking(py, || {
            let requirements = match requirements {
                Some(json) => Requirements::from_json(&json)?,
                None => Requirements::default(),
            };
            let verified = validator.check(token, &requirements, &call)?;
            text_of(&verified.to_json()?).map(Zeroizing::new)
        })?;
        bytes::from_json(py, &claims)
    }

    /// Lets go of the validator and its keys; calls that run finish. Harmless twice.
    fn close(&self) {
        self.0.close();
    }

    /// True once it was closed; its methods then raise `ClosedError`.
    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __exit__(
        &self,
        _class: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) {
        self.close();
    }

    fn __reduce__(&self) -> PyResult<()> {
        pickle::refused("Validator")
    }

    fn __repr__(&self) -> &'static str {
        match self.0.is_closed() {
            true => "<segl.Validator closed>",
            false => "<segl.Validator>",
        }
    }
}
