//! Puts TLS on a connection.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, SupportedProtocolVersion};
use rustls_platform_verifier::Verifier;
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use super::connection::{TlsConnection, carried};
use super::failure::Situation;
use super::handshake::{self, Resolver};
use super::{TlsOptions, TlsVersion};
use crate::error::{Error, ErrorCode, Result};

/// Puts TLS on connections to `https` servers, directly or through a proxy, and on
/// those to an `https` proxy.
#[derive(Debug)]
pub(in crate::http) struct TlsConnector {
    to_servers: Side,
    /// The operating system's trust store and no client certificate: what the options
    /// say is between the client and its servers.
    to_proxy: Side,
    has_proxy: bool,
}

/// Whom TLS is spoken with, and how.
struct Side {
    options: Arc<TlsOptions>,
    /// With it live the sessions that can be resumed.
    config: OnceLock<Arc<ClientConfig>>,
}

impl TlsConnector {
    /// `has_proxy` when the agent's settings name one.
    pub(in crate::http) fn new(options: Arc<TlsOptions>, has_proxy: bool) -> Self {
        Self {
            to_servers: Side::new(options),
            to_proxy: Side::new(Arc::default()),
            has_proxy,
        }
    }

    /// ureq takes the proxy out of the settings for the way to the proxy itself.
    fn is_to_proxy(&self, details: &ConnectionDetails<'_>) -> bool {
        self.has_proxy && details.config.proxy().is_none()
    }
}

impl Side {
    fn new(options: Arc<TlsOptions>) -> Self {
        Self {
            options,
            config: OnceLock::new(),
        }
    }

    /// The configuration for a handshake now. A session that was begun with a client
    /// certificate goes no further than the certificate does.
    fn config_now(&self) -> Result<Arc<ClientConfig>> {
        let config = self.config()?;
        let certificate = self.options.client_certificate.as_ref();
        if certificate.is_none_or(|certificate| certificate.require_valid().is_ok()) {
            return Ok(config);
        }
        let mut whole = ClientConfig::clone(&config);
        whole.resumption = Resumption::disabled();
        Ok(Arc::new(whole))
    }

    /// Made at the first connection, as reading the trust store takes time.
    fn config(&self) -> Result<Arc<ClientConfig>> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let made = Arc::new(client_config(&self.options)?);
        Ok(Arc::clone(self.config.get_or_init(|| made)))
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsConnection>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> std::result::Result<Option<Self::Out>, ureq::Error> {
        let Some(below) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() || below.is_tls() {
            return Ok(Some(Either::A(below)));
        }
        let host = details.uri.host().unwrap_or_default();
        let name = server_name(host).map_err(carried)?;
        let is_to_proxy = self.is_to_proxy(details);
        let side = match is_to_proxy {
            true => &self.to_proxy,
            false => &self.to_servers,
        };
        let config = side.config_now().map_err(carried)?;
        let connection =
            ClientConnection::new(config, name).map_err(|error| carried(unusable(error)))?;
        let mut socket = TransportAdapter::new(below.boxed(), Arc::clone(&details.current_time));
        socket.set_timeout(time_left(details));
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        let situation = Situation::new(Arc::clone(&side.options), host, is_to_proxy);
        let mut connection = TlsConnection::new(connection, socket, buffers, situation);
        let (outcome, events) = handshake::observe(|| connection.shake_hands());
        connection.situation.was_asked = events.was_asked;
        connection.situation.has_sent = events.has_sent;
        connection.situation.was_resumed = connection.is_resumed();
        if let Some(failure) = events.failure {
            return Err(carried(failure));
        }
        outcome.map_err(|problem| connection.failed(problem))?;
        Ok(Some(Either::B(connection)))
    }
}

/// What is left of the time for connection and TLS together.
fn time_left(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Duration::Exact(limit), Instant::Exact(start)) = (timeout.after, details.now) {
        timeout.after = Duration::Exact(limit.saturating_sub(start.elapsed()));
    }
    timeout
}

fn client_config(options: &TlsOptions) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions(options))
        .map_err(unusable)?;
    let builder = match &options.roots {
        Some(roots) => builder.with_root_certificates(Arc::clone(&roots.0)),
        // "Dangerous" is any verifier that is not rustls' own.
        None => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier::new(provider).map_err(unusable)?)),
    };
    let resolver = Resolver::new(options.client_certificate.as_ref())?;
    let mut config = builder.with_client_cert_resolver(Arc::new(resolver));
    if !options.resumption {
        config.resumption = Resumption::disabled();
    }
    Ok(config)
}

/// A key that cannot sign in TLS 1.3 would be left unused there without a word.
fn versions(options: &TlsOptions) -> Vec<&'static SupportedProtocolVersion> {
    if options.is_key_for_tls12_only() {
        return vec![&TLS12];
    }
    match options.min_version {
        TlsVersion::Tls12 => vec![&TLS13, &TLS12],
        TlsVersion::Tls13 => vec![&TLS13],
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    ServerName::try_from(bare.unwrap_or(host).to_owned()).map_err(|source| {
        Error::new(
            ErrorCode::Url,
            format!("\"{host}\" is no name that a certificate could have"),
        )
        .with_source(source)
    })
}

fn unusable(error: rustls::Error) -> Error {
    Error::new(
        ErrorCode::Tls,
        format!("TLS cannot be set up ({error}); is the operating system's trust store installed?"),
    )
    .with_source(error)
}

impl fmt::Debug for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Side")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
