//! Clients: assertions, tokens, calls to APIs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwapOption;
use pyo3::prelude::*;
use segl::apis::{Operation, require_allowed};
use segl::profiles::ClientSettings;
use segl::token::{TokenClientBuilder, TokenSource};
use segl::{Config, Endpoint, Token, TokenClient, TokenRequest};
use serde_json::json;
use zeroize::Zeroizing;

use crate::call::{PyCancelToken, bounds};
use crate::made::Made;
use crate::request::PyTokenRequest;
use crate::signer::{PySigner, text_of};
use crate::token::PyToken;
use crate::transport::PythonTransport;
use crate::{bytes, errors, guard, http, pickle};

/// One client at one service. For all threads, for the life of the program, and for forked children.
///
/// `timeout` is in seconds, everywhere; a call that takes longer ends with `CallTimeoutError`.
#[pyclass(frozen, module = "segl", name = "TokenClient", weakref)]
pub(crate) struct PyTokenClient {
    made: Made<TokenClient>,
    /// Tells it from every other client of the process.
    id: u64,
    /// What was handed out last when nothing particular was asked for.
    held: ArcSwapOption<Held>,
}

/// A token that was handed out, to be handed out again as long as it is the one to use.
pub(crate) struct Held {
    client: u64,
    generation: u64,
    token: Py<PyToken>,
}

static DEFAULT_REQUEST: LazyLock<TokenRequest> = LazyLock::new(TokenRequest::default);

impl PyTokenClient {
    fn new(client: TokenClient) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self {
            made: Made::new(Arc::new(client), "token client"),
            id: LAST.fetch_add(1, Ordering::Relaxed),
            held: ArcSwapOption::const_empty(),
        }
    }

    /// The token that is there already: the object that was handed out before, if it is the same.
    fn at_hand(
        &self,
        py: Python<'_>,
        request: Option<&PyTokenRequest>,
    ) -> PyResult<Option<Py<PyToken>>> {
        let made = self.made.peek();
        let client = made.as_ref().ok_or_else(|| self.made.closed(py))?;
        let (request, place) = match request {
            None => (&*DEFAULT_REQUEST, &self.held),
            Some(request) => (&request.request, &request.held),
        };
        let Some(token) = client.ready(request) else {
            return Ok(None);
        };
        let generation = token.generation();
        if let Some(held) = &*place.load()
            && held.generation == generation
            && held.client == self.id
        {
            return Ok(Some(held.token.clone_ref(py)));
        }
        let token = Py::new(py, PyToken::new(token, true))?;
        place.store(Some(Arc::new(Held {
            client: self.id,
            generation,
            token: token.clone_ref(py),
        })));
        Ok(Some(token))
    }
}

/// The parts of a client that the program has made itself.
type GivenSigner<'py> = Option<Bound<'py, PySigner>>;

fn with_parts(
    py: Python<'_>,
    mut builder: TokenClientBuilder,
    signers: [GivenSigner<'_>; 3],
    transport: Option<Bound<'_, PyAny>>,
) -> PyResult<TokenClientBuilder> {
    let [signer, tls_signer, dpop_signer] = signers;
    if let Some(signer) = signer {
        builder = builder.signer(signer.get().signer(py)?);
    }
    if let Some(signer) = tls_signer {
        builder = builder.tls_signer(signer.get().signer(py)?);
    }
    if let Some(signer) = dpop_signer {
        builder = builder.dpop_signer(signer.get().signer(py)?);
    }
    if let Some(transport) = transport {
        builder = builder.transport(Arc::new(PythonTransport::of(transport)?));
    }
    Ok(builder)
}

#[pymethods]
impl PyTokenClient {
    /// Makes the client that a configuration file (segl.toml) names, and opens its key; nothing is sent.
    ///
    /// `signer` stands in the place of the settings `key` and `keys`, `tls_signer` of `tls.key`, `dpop_signer` of
    /// `dpop.key`. `transport` sends in the place of segl's own.
    ///
    /// Raises `UsageError` with the code IO when the file cannot be read, `ConfigError`, or as `Signer.open`.
    #[staticmethod]
    #[pyo3(signature = (path, name, *, signer=None, tls_signer=None, dpop_signer=None, transport=None, timeout=None, cancel=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments")]
    fn open(
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        name: &str,
        signer: GivenSigner<'_>,
        tls_signer: GivenSigner<'_>,
        dpop_signer: GivenSigner<'_>,
        transport: Option<Bound<'_, PyAny>>,
        timeout: Option<f64>,
        cancel: Option<Bound<'_, PyCancelToken>>,
    ) -> PyResult<Self> {
        let call = bounds(py, timeout, cancel.as_ref())?;
        let path = bytes::path(path)?;
        let builder = guard::blocking(py, || {
            TokenClient::builder_from_config(&Config::from_file(&path)?, name)
        })?;
        let builder = with_parts(py, builder, [signer, tls_signer, dpop_signer], transport)?;
        guard::blocking(py, || builder.build(&call)).map(Self::new)
    }

    /// As `open`, from settings that the program has made: a `Config`, a mapping or JSON text.
    #[staticmethod]
    #[pyo3(signature = (config, *, signer=None, tls_signer=None, dpop_signer=None, transport=None, timeout=None, cancel=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments")]
    fn create(
        py: Python<'_>,
        config: &Bound<'_, PyAny>,
        signer: GivenSigner<'_>,
        tls_signer: GivenSigner<'_>,
        dpop_signer: GivenSigner<'_>,
        transport: Option<Bound<'_, PyAny>>,
        timeout: Option<f64>,
        cancel: Option<Bound<'_, PyCancelToken>>,
    ) -> PyResult<Self> {
        let call = bounds(py, timeout, cancel.as_ref())?;
        let json = match config.getattr("to_json") {
            Ok(to_json) => to_json.call0()?.extract()?,
            Err(_) => bytes::json(config)?,
        };
        let settings = guard::blocking(py, || ClientSettings::from_json(&json))?;
        let builder = TokenClient::builder(settings);
        let builder = with_parts(py, builder, [signer, tls_signer, dpop_signer], transport)?;
        guard::blocking(py, || builder.build(&call)).map(Self::new)
    }

    /// An access token that is good for a while: from the cache, or a new one.
    ///
    /// While the cached token is the one to use, the same object comes back. However many threads ask for
    /// a token, it is fetched once, on a thread of segl's own. Without a timeout the wait is 30 seconds.
    ///
    /// Raises `TokenError` when the endpoint refuses, `NetworkError` when it cannot be reached, or what the
    /// key's home reports.
    #[pyo3(signature = (request=None, *, timeout=None, cancel=None))]
    fn token(
        &self,
        py: Python<'_>,
        request: Option<Bound<'_, PyTokenRequest>>,
        timeout: Option<f64>,
        cancel: Option<Bound<'_, PyCancelToken>>,
    ) -> PyResult<Py<PyToken>> {
        let request = request.as_ref().map(Bound::get);
        if let Some(token) = guard::quick(py, || self.at_hand(py, request))? {
            return Ok(token);
        }
        let client = self.made.get(py)?;
        let call = bounds(py, timeout, cancel.as_ref())?;
        let request = request.map_or(&*DEFAULT_REQUEST, |request| &request.request);
        let (token, source) = guard::blocking(py, || client.token_and_source(request, &call))?;
        Py::new(py, PyToken::new(token, source == TokenSource::Cache))
    }

    /// The token that `token` would return without waiting, if there is one.
    #[pyo3(signature = (request=None))]
    fn ready(
        &self,
        py: Python<'_>,
        request: Option<Bound<'_, PyTokenRequest>>,
    ) -> PyResult<Option<Py<PyToken>>> {
        guard::quick(py, || self.at_hand(py, request.as_ref().map(Bound::get)))
    }

    /// A signed assertion, a JWT, with a new `jti`. Nothing is sent.
    #[pyo3(signature = (request=None, *, timeout=None, cancel=None))]
    fn assertion(
        &self,
        py: Python<'_>,
        request: Option<Bound<'_, PyTokenRequest>>,
        timeout: Option<f64>,
        cancel: Option<Bound<'_, PyCancelToken>>,
    ) -> PyResult<String> {
        let client = self.made.get(py)?;
        let call = bounds(py, timeout, cancel.as_ref())?;
        let request = request_of(request.as_ref());
        guard::blocking(py, || client.assertion(request, &call))
    }

    /// The JWT that registers the client's key, or `keys[index]`, with DNB. Other profiles have none.
    #[pyo3(signature = (index=0, *, timeout=None, cancel=None))]
    fn registration(
        &self,
        py: Python<'_>,
        index: usize,
        timeout: Option<f64>,
        cancel: Option<Bound<'_, PyCancelToken>>,
    ) -> PyResult<String> {
        let client = self.made.get(py)?;
        let call = bounds(py, timeout, cancel.as_ref())?;
        guard::blocking(py, || client.registration_of(index, &call))
    }

    /// Sends a request to an API with the client's token, its client certificate and a DPoP proof, as it has them.
    ///
    /// After an answer of 401 the request is sent once more with a new token. Every status is an answer. Redirects
    /// are not followed. The client's setting `apis` limits where the token may go: `ApiError` with the code
    /// API_NOT_ALLOWED.
    /// `Authorization`, `DPoP`, `Host` and `Content-Length` are segl's to set.
    #[pyo3(signature = (request, token_request=None, *, timeout=None, cancel=None))]
    fn send(
        &self,
        py: Python<'_>,
        request: &Bound<'_, PyAny>,
        token_request: Option<Bound<'_, PyTokenRequest>>,
        timeout: Option<f64>,
        cancel: Option<Bound<'_, PyCancelToken>>,
    ) -> PyResult<Py<PyAny>> {
        let client = self.made.get(py)?;
        let call = bounds(py, timeout, cancel.as_ref())?;
        let request = http::api_request(request)?;
        let token_request = request_of(token_request.as_ref());
        let send = || request.send(&client, token_request.clone(), &call);
        let answer = guard::blocking(py, send)?;
        http::response_to_python(py, &answer)
    }

    /// Calls an operation of an API that segl knows, with the client's token: "krr.lookup" and the others in
    /// docs/services.md.
    ///
    /// `input` is what docs/operations.schema.json has for the operation, a mapping or JSON text, such as
    /// `{"persons": ["05848998356"]}` for "krr.lookup". The answer may be about a person; what Python made of it cannot
    /// be wiped. The token is replaced once when the API refuses it, and what changes nothing is sent again after
    /// failures that pass. The setting `services` says where an API is, when that is not where the client's
    /// environment has it.
    ///
    /// Raises `InvalidArgumentError` for an operation or input that is none, whose values it does not repeat,
    /// `ConfigError` for the setting `services`, `ApiError` when the API refuses, or as `send`.
    #[pyo3(signature = (operation, input, token_request=None, *, timeout=None, cancel=None))]
    fn call_api<'py>(
        &self,
        py: Python<'py>,
        operation: &str,
        input: &Bound<'py, PyAny>,
        token_request: Option<Bound<'py, PyTokenRequest>>,
        timeout: Option<f64>,
        cancel: Option<Bound<'py, PyCancelToken>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let client = self.made.get(py)?;
        let call = bounds(py, timeout, cancel.as_ref())?;
        let input = Zeroizing::new(bytes::json(input)?);
        let token_request = request_of(token_request.as_ref());
        let answer = guard::blocking(py, || {
            Operation::named(operation)?.call(&client, token_request, &input, &call)
        })?;
        bytes::from_json(py, &answer)
    }

    /// Drops a token that an API rejected (401), if it is still the cached one.
    ///
    /// `request` is what the token was asked for with. True when it was dropped. Within 10 seconds of
    /// a rejection the next one drops nothing.
    #[pyo3(signature = (token, request=None))]
    fn reject(
        &self,
        py: Python<'_>,
        token: &Bound<'_, PyToken>,
        request: Option<Bound<'_, PyTokenRequest>>,
    ) -> PyResult<bool> {
        let client = self.made.get(py)?;
        let token: &Token = token.get().token();
        let request = request_of(request.as_ref());
        guard::blocking(py, || Ok(client.reject(request, token)))
    }

    /// Forgets the cached token of a request, or without one all tokens.
    #[pyo3(signature = (request=None))]
    fn forget(&self, py: Python<'_>, request: Option<Bound<'_, PyTokenRequest>>) -> PyResult<()> {
        let client = self.made.get(py)?;
        let request = request.as_ref().map(|request| &request.get().request);
        guard::blocking(py, || {
            client.forget(request);
            Ok(())
        })
    }

    /// How the client is doing: `keys`, `tls`, `dpop`, `tokens`; see `segl_client_health` in segl.h.
    fn health<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let client = self.made.get(py)?;
        let text = guard::blocking(py, || {
            text_of(&json!({
                "keys": client.health(),
                "tls": client.tls_health(),
                "dpop": client.dpop_health(),
                "tokens": client.token_health(),
            }))
        })?;
        bytes::from_json(py, &text)
    }

    /// A DPoP proof (RFC 9449) for one request that carries `access_token`, for the header `DPoP`.
    ///
    /// Raises `UsageError` with the code UNSUPPORTED when the client has no DPoP key.
    #[pyo3(signature = (method, url, access_token=None, *, timeout=None, cancel=None))]
    fn dpop_proof(
        &self,
        py: Python<'_>,
        method: &str,
        url: &str,
        access_token: Option<&str>,
        timeout: Option<f64>,
        cancel: Option<Bound<'_, PyCancelToken>>,
    ) -> PyResult<String> {
        let client = self.made.get(py)?;
        let call = bounds(py, timeout, cancel.as_ref())?;
        guard::blocking(py, || {
            client.dpop_proof_for(method.parse()?, &url.parse()?, access_token, &call)
        })
    }

    /// Keeps the nonce that the server at `url` gave in the header `DPoP-Nonce`, for the next proofs.
    fn dpop_nonce(&self, py: Python<'_>, url: &str, nonce: &str) -> PyResult<()> {
        let client = self.made.get(py)?;
        guard::blocking(py, || client.note_dpop_nonce(&url.parse()?, nonce))
    }

    /// Raises `ApiError` (API_NOT_ALLOWED) or `UrlError` unless the client's tokens may be sent to `url`.
    fn require_allowed(&self, py: Python<'_>, url: &str) -> PyResult<()> {
        let client = self.made.get(py)?;
        guard::quick(py, || {
            let url = url.parse::<Endpoint>();
            let allowed = url.and_then(|url| require_allowed(&url, client.apis()));
            allowed.map_err(|error| errors::to_python(py, error))
        })
    }

    /// Lets go of the client and its tokens; calls that run finish. Harmless twice.
    fn close(&self) {
        self.made.close();
        self.held.store(None);
    }

    /// True once it was closed; its methods then raise `ClosedError`.
    #[getter]
    fn closed(&self) -> bool {
        self.made.is_closed()
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
        pickle::refused("TokenClient")
    }

    fn __repr__(&self) -> &'static str {
        match self.made.is_closed() {
            true => "<segl.TokenClient closed>",
            false => "<segl.TokenClient>",
        }
    }
}

fn request_of<'a>(request: Option<&'a Bound<'_, PyTokenRequest>>) -> &'a TokenRequest {
    request.map_or(&DEFAULT_REQUEST, |request| &request.get().request)
}
