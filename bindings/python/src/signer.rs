//! Keys that sign.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use segl::keys::describe::Description;
use segl::keys::software::SoftwareSigner;
use segl::keys::{self, ForeignSigner, KeyUri, PublicJwk};
use segl::{Algorithm, Error, ErrorCode, Signer, jws};
use serde_json::Value;

use crate::call::{PyCancelToken, bounds};
use crate::made::Made;
use crate::sign_callback::PythonSignCallback;
use crate::{bytes, guard, pickle};

/// A private key that can sign, wherever it lives. For all threads.
///
/// `timeout` is in seconds, everywhere; a call that takes longer ends with `CallTimeoutError`.
#[pyclass(frozen, module = "segl", name = "Signer", weakref)]
pub(crate) struct PySigner(Made<Arc<dyn Signer>>);

impl PySigner {
    fn new(signer: Arc<dyn Signer>) -> Self {
        Self(Made::new(Arc::new(signer), "signer"))
    }

    /// The key, for a client that shares it.
    pub(crate) fn signer(&self, py: Python<'_>) -> PyResult<Arc<dyn Signer>> {
        Ok(Arc::clone(&*self.0.get(py)?))
    }
}

#[pymethods]
impl PySigner {
    /// Opens the key that a URI names: `pkcs11:` (RFC 7512), `awskms:` or `file:`.
    ///
    /// `pin` is the PIN or passphrase, in the place of the URI's `pin-source`; for `awskms:` it is credentials, as
    /// JSON in the form of `credential_process`. A PIN that the device refused is not tried again.
    ///
    /// Raises `KeyUriError`, `SigningKeyError`, `HsmError`, `KmsError`.
    #[staticmethod]
    #[pyo3(signature = (uri, pin=None, *, timeout=None, cancel=None))]
    fn open(
        py: Python<'_>,
        uri: &str,
        pin: Option<Bound<'_, PyAny>>,
        timeout: Option<f64>,
        cancel: Option<Bound<'_, PyCancelToken>>,
    ) -> PyResult<Self> {
        let call = bounds(py, timeout, cancel.as_ref())?;
        let pin = bytes::secret("pin", pin.as_ref())?.filter(|pin| !pin.expose().is_empty());
        guard::blocking(py, || keys::open(&uri.parse::<KeyUri>()?, pin, &call)).map(Self::new)
    }

    /// Opens a private key from memory: PEM, DER or PKCS#12. Raises `SigningKeyError`.
    #[staticmethod]
    #[pyo3(signature = (key, passphrase=None))]
    fn from_bytes(
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
        passphrase: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let key = bytes::bytes("key", key)?;
        let passphrase = bytes::secret("passphrase", passphrase.as_ref())?;
        let open = || SoftwareSigner::from_bytes(&key, passphrase.as_ref());
        guard::blocking(py, open).map(|signer| Self::new(Arc::new(signer)))
    }

    /// A key that the program signs with: another SDK, a cloud vault, a smart card.
    ///
    /// `sign(alg, message)` is given a JOSE name such as "ES256" and the message, which is not hashed yet, and
    /// returns the signature in JOSE form: RSA as it is, ECDSA as R||S. It is called on the threads that need
    /// signatures, and for tokens on threads of segl's own, on several at a time. Every signature is checked with
    /// the public key before it is used. What it raises becomes a `CallbackError` with that as its cause.
    #[staticmethod]
    fn from_callback(
        py: Python<'_>,
        public_jwk: &Bound<'_, PyAny>,
        sign: Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        if !sign.is_callable() {
            return Err(bytes::wrong_type("sign", "callable", &sign));
        }
        let public_jwk = bytes::json(public_jwk)?;
        let callback = Box::new(PythonSignCallback(sign.unbind()));
        guard::blocking(py, || {
            let public_key = PublicJwk::from_json(&public_jwk)?;
            Ok(Self::new(Arc::new(ForeignSigner::new(
                public_key, callback,
            ))))
        })
    }

    /// Signs a message, which is not hashed yet. The signature is in JOSE form: RSA as it is, ECDSA as R||S.
    #[pyo3(signature = (alg, message, *, timeout=None, cancel=None))]
    fn sign<'py>(
        &self,
        py: Python<'py>,
        alg: &str,
        message: &Bound<'_, PyAny>,
        timeout: Option<f64>,
        cancel: Option<Bound<'_, PyCancelToken>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let signer = self.0.get(py)?;
        let call = bounds(py, timeout, cancel.as_ref())?;
        let message = bytes::bytes("message", message)?;
        let sign = || signer.sign(alg.parse::<Algorithm>()?, &message, &call);
        guard::blocking(py, sign).map(|signature| PyBytes::new(py, &signature))
    }

    /// Signs a JWS in compact serialisation (RFC 7515 section 7.1).
    ///
    /// `header` is the protected header with `alg`, a mapping or JSON text; members that segl does not know
    /// pass through, `crit` and `b64` are refused.
    #[pyo3(signature = (header, payload, *, timeout=None, cancel=None))]
    fn jws(
        &self,
        py: Python<'_>,
        header: &Bound<'_, PyAny>,
        payload: &Bound<'_, PyAny>,
        timeout: Option<f64>,
        cancel: Option<Bound<'_, PyCancelToken>>,
    ) -> PyResult<String> {
        let signer = self.0.get(py)?;
        let call = bounds(py, timeout, cancel.as_ref())?;
        let header = bytes::json(header)?;
        let payload = bytes::bytes("payload", payload)?;
        guard::blocking(py, || jws::sign_json(&**signer, &header, &payload, &call))
    }

    /// The public key as a JWK (RFC 7517) with `kid`, `use` and `alg`: what is registered at a service.
    #[getter]
    fn public_jwk<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let signer = self.0.get(py)?;
        let key = signer.public_key();
        let jwk = key.to_registration(key.thumbprint(), signer.algorithms()[0]);
        bytes::from_json(py, &Value::Object(jwk).to_string())
    }

    /// What the key is and where it lives; see `segl_signer_describe` in segl.h. The device is not asked.
    fn describe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let signer = self.0.get(py)?;
        let text = guard::blocking(py, || text_of(&Description::of(&**signer)))?;
        bytes::from_json(py, &text)
    }

    /// How the key is doing; see `segl_signer_health` in segl.h. The device is not asked.
    fn health<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let signer = self.0.get(py)?;
        let text = guard::blocking(py, || text_of(&signer.health()))?;
        bytes::from_json(py, &text)
    }

    /// Checks that the key can be used now, by a signature where that is the only proof.
    #[pyo3(signature = (*, timeout=None, cancel=None))]
    fn probe(
        &self,
        py: Python<'_>,
        timeout: Option<f64>,
        cancel: Option<Bound<'_, PyCancelToken>>,
    ) -> PyResult<()> {
        let signer = self.0.get(py)?;
        let call = bounds(py, timeout, cancel.as_ref())?;
        guard::blocking(py, || signer.probe(&call))
    }

    /// Lets go of the key. Clients that were made with it keep it; calls that run finish. Harmless twice.
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
        self.0.close();
    }

    fn __reduce__(&self) -> PyResult<()> {
        pickle::refused("Signer")
    }

    fn __repr__(&self) -> String {
        match &*self.0.peek() {
            None => "<segl.Signer closed>".to_owned(),
            Some(signer) => format!(
                "<segl.Signer {} thumbprint={}>",
                signer.origin().kind,
                signer.public_key().thumbprint()
            ),
        }
    }
}

/// A description as JSON.
pub(crate) fn text_of(value: &impl serde::Serialize) -> segl::Result<String> {
    serde_json::to_string(value).map_err(|source| {
        Error::new(ErrorCode::Unsupported, "the description is no JSON").with_source(source)
    })
}
