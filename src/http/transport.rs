//! The built-in transport, over ureq.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ureq::Agent;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, TcpConnector};

use super::tls::{self, TlsConnector, TlsOptions};
use super::{Request, Response, Transport};
use crate::call::{Call, CancelToken, timed_out};
use crate::error::{Error, ErrorCode, Result};
use crate::fork::PerProcess;

/// Bounds of the built-in transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportSettings {
    /// Time for the name look-up, and again for connection and TLS. Default 5 s.
    pub connect_timeout: Duration,
    /// Time for the whole exchange when the call sets none. Default 10 s.
    pub timeout: Duration,
    /// The most bytes an answer's body may have. Default 1 MiB.
    pub max_response_len: u64,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
            max_response_len: 1024 * 1024,
        }
    }
}

/// HTTP/1.1 and TLS 1.2 or 1.3, with the operating system's trust store and no client
/// certificate unless [`TlsOptions`] say otherwise. Redirects are not followed, no
/// request is sent twice, and connections are kept for reuse. The proxy variables of
/// the environment (`ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`) are honoured,
/// but not for plain http, which stays on loopback; a proxy with `https` is checked
/// against the operating system's trust store, and shown no client certificate.
#[derive(Debug)]
pub struct UreqTransport {
    settings: TransportSettings,
    tls: Arc<TlsOptions>,
    agent: PerProcess<Agent>,
}

impl UreqTransport {
    /// A transport with these bounds. Nothing is connected yet.
    pub fn new(settings: TransportSettings) -> Self {
        Self {
            settings,
            tls: Arc::default(),
            agent: PerProcess::new(),
        }
    }

    /// A transport with these bounds that speaks TLS as `tls` says. Nothing is
    /// connected, and no key signs yet.
    ///
    /// # Errors
    /// `CERTIFICATE` when the client certificate is not valid now,
    /// `CERTIFICATE_MISMATCH` when it is for another key, `TLS_VERSION` when its key
    /// cannot sign in the oldest version allowed.
    pub fn with_tls(settings: TransportSettings, tls: TlsOptions) -> Result<Self> {
        tls.check()?;
        Ok(Self {
            tls: Arc::new(tls),
            ..Self::new(settings)
        })
    }

    fn agent(&self) -> Agent {
        // Connections and sessions that can be resumed are a process' own.
        let make = |_: Option<&Agent>| {
            let config = Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .timeout_resolve(Some(self.settings.connect_timeout))
                .timeout_connect(Some(self.settings.connect_timeout))
                .user_agent(concat!("segl/", env!("CARGO_PKG_VERSION")))
                .build();
            let tls = TlsConnector::new(Arc::clone(&self.tls), config.proxy().is_some());
            let connector =
                ().chain(ConnectProxyConnector::default())
                    .chain(TcpConnector::default())
                    .chain(tls);
            Agent::with_parts(config, connector, DefaultResolver::default())
        };
        Agent::clone(&self.agent.get(make))
    }
}

impl Transport for UreqTransport {
    fn send(&self, request: &Request, call: &Call) -> Result<Response> {
        let what = request.named();
        let timeout = call.remaining(self.settings.timeout, &what)?;
        let limit = self.settings.max_response_len;
        let agent = self.agent();
        match call.cancel() {
            None => {
                let bounds = Call::within(timeout);
                tls::with_call(&bounds, || exchange(&agent, request, timeout, limit))
            }
            Some(cancel) => {
                let request = request.clone();
                let bounds = Call::within(timeout).with_cancel(cancel.clone());
                let work =
                    move || tls::with_call(&bounds, || exchange(&agent, &request, timeout, limit));
                run_cancellable(work, cancel, timeout, &what)
            }
        }
    }
}

/// Runs `work` on a thread of its own and stops waiting for it when the token is
/// triggered. The thread ends by its own timeout.
fn run_cancellable(
    work: impl FnOnce() -> Result<Response> + Send + 'static,
    cancel: &CancelToken,
    timeout: Duration,
    what: &str,
) -> Result<Response> {
    let (sender, receiver) = mpsc::channel();
    let cancelled = Error::new(
        ErrorCode::Cancelled,
        format!("{what}: cancelled by the caller"),
    );
    let waker = Mutex::new(Some((sender.clone(), cancelled)));
    let _subscription = cancel.subscribe(Arc::new(move || {
        let waker = waker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((sender, cancelled)) = waker {
            let _ = sender.send(Err(cancelled));
        }
    }));
    std::thread::Builder::new()
        .name("segl-http".into())
        .spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(work));
            let _ = sender.send(outcome.unwrap_or_else(|_| Err(panicked())));
        })
        .map_err(|source| {
            Error::new(
                ErrorCode::Network,
                format!("{what}: no thread could be started"),
            )
            .with_source(source)
            .with_retryable(true)
        })?;
    receiver
        .recv_timeout(timeout + Duration::from_secs(1))
        .unwrap_or_else(|_| Err(timed_out(what)))
}

/// `part` with its verb, for example "answer is", has more bytes than `limit`.
pub(crate) fn too_large(request: &Request, part: &str, limit: u64) -> Error {
    Error::new(
        ErrorCode::ResponseTooLarge,
        format!(
            "{}: the {part} larger than {limit} bytes; is the URL right?",
            request.named()
        ),
    )
}

fn panicked() -> Error {
    Error::new(
        ErrorCode::Panic,
        "the HTTP exchange panicked; this is a fault in segl, please report it",
    )
}

fn exchange(agent: &Agent, request: &Request, timeout: Duration, limit: u64) -> Result<Response> {
    let mut builder = ureq::http::Request::builder()
        .method(request.method.name())
        .uri(request.url.as_str());
    for (name, value) in &request.headers {
        builder = builder.header(name.as_ref(), value.as_str());
    }
    let prepared = builder.body(request.body.as_slice()).map_err(|source| {
        Error::new(
            ErrorCode::InvalidArgument,
            "the HTTP request has a header that cannot be sent",
        )
        .with_source(source)
    })?;
    let mut settings = agent
        .configure_request(prepared)
        .timeout_global(Some(timeout));
    if request.url.is_plain() {
        settings = settings.proxy(None);
    }
    let prepared = settings.build();
    let mut response = agent
        .run(prepared)
        .map_err(|error| translate(request, limit, error))?;
    let body = response
        .body_mut()
        .with_config()
        // ureq refuses a body of as many bytes as its limit.
        .limit(limit.saturating_add(1))
        .read_to_vec()
        .map_err(|error| translate(request, limit, error))?;
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    Ok(Response::new(response.status().as_u16(), headers, body))
}

fn translate(request: &Request, limit: u64, error: ureq::Error) -> Error {
    let what = request.named();
    let error = match error {
        ureq::Error::Other(inner) => match inner.downcast::<Error>() {
            Ok(own) => return own.in_context(what),
            Err(inner) => ureq::Error::Other(inner),
        },
        error => error,
    };
    match error {
        ureq::Error::Timeout(phase) => timed_out(&what).with_source(ureq::Error::Timeout(phase)),
        ureq::Error::BodyExceedsLimit(_) => too_large(request, "answer is", limit),
        ureq::Error::LargeResponseHeader(_, most) => {
            too_large(request, "answer's headers are", most as u64)
        }
        ureq::Error::HostNotFound => Error::new(
            ErrorCode::Network,
            format!("{what}: the host name cannot be looked up; check the name and DNS"),
        )
        .with_retryable(true),
        other => {
            let retryable = matches!(
                other,
                ureq::Error::Io(_) | ureq::Error::ConnectionFailed | ureq::Error::Protocol(_)
            );
            Error::new(
                ErrorCode::Network,
                format!(
                    "{what}: no answer ({other}); check the network, the firewall and the proxy"
                ),
            )
            .with_source(other)
            .with_retryable(retryable)
        }
    }
}
