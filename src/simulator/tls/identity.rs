//! What the HTTPS listener shows its clients.

use std::fmt;
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::NoClientAuth;
use rustls::server::danger::ClientCertVerifier;

use super::super::config::contradiction;
use super::authority;
use super::client_certificate::AnyClientCertificate;
use super::config::{ClientCertificates, TlsConfig, Version};
use crate::clock::Clock;
use crate::error::{Error, ErrorCode, Result};

/// The listener's certificate, ready to be used.
pub(in super::super) struct Identity {
    config: Arc<ServerConfig>,
    ca_pem: String,
}

impl Identity {
    /// Takes the certificate of `config`, or makes one.
    pub(in super::super) fn new(config: &TlsConfig, clock: &Arc<dyn Clock>) -> Result<Self> {
        let (chain, ca, key) = match (&config.certificate, &config.key) {
            (Some(certificate), Some(key)) => given(certificate.as_bytes(), key.expose())?,
            _ => {
                let made = authority::issue().map_err(cannot_make)?;
                (vec![made.certificate], made.ca, made.key)
            }
        };
        let ca_pem = ca.to_pem().map_err(cannot_make)?;
        Ok(Self {
            config: Arc::new(server_config(config, &chain, &key, clock)?),
            ca_pem: String::from_utf8_lossy(&ca_pem).into_owned(),
        })
    }

    /// The certificate that clients have to trust, PEM: that of the CA, or the last
    /// of those in the configuration.
    pub(in super::super) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// For the listener.
    pub(in super::super) fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

fn given(certificate: &[u8], key: &[u8]) -> Result<(Vec<X509>, X509, PKey<Private>)> {
    let chain = X509::stack_from_pem(certificate).map_err(|source| {
        contradiction("tls.certificate", "is no PEM certificate").with_source(source)
    })?;
    let last = chain
        .last()
        .cloned()
        .ok_or_else(|| contradiction("tls.certificate", "has no certificate"))?;
    // An encrypted key is refused instead of asked for at the terminal.
    let key =
        PKey::private_key_from_pem_callback(key, |_| Err(ErrorStack::get())).map_err(|source| {
            contradiction("tls.key", "is no PEM private key, or it is encrypted")
                .with_source(source)
        })?;
    Ok((chain, last, key))
}

fn server_config(
    config: &TlsConfig,
    chain: &[X509],
    key: &PKey<Private>,
    clock: &Arc<dyn Clock>,
) -> Result<ServerConfig> {
    let provider = Arc::new(ring::default_provider());
    let versions: Vec<_> = config
        .versions
        .iter()
        .map(|version| match version {
            Version::Tls12 => &rustls::version::TLS12,
            Version::Tls13 => &rustls::version::TLS13,
        })
        .collect();
    let certificates = chain
        .iter()
        .map(|certificate| certificate.to_der().map(CertificateDer::from))
        .collect::<std::result::Result<_, _>>()
        .map_err(cannot_make)?;
    let key = key.private_key_to_pkcs8().map_err(cannot_make)?;
    ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions)
        .map_err(|source| contradiction("tls.versions", "cannot be served").with_source(source))?
        .with_client_cert_verifier(verifier(config, provider, clock))
        .with_single_cert(
            certificates,
            PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key)),
        )
        .map_err(|source| {
            contradiction(
                "tls.certificate",
                &format!("cannot be used with tls.key: {source}"),
            )
            .with_source(source)
        })
}

fn verifier(
    config: &TlsConfig,
    provider: Arc<CryptoProvider>,
    clock: &Arc<dyn Clock>,
) -> Arc<dyn ClientCertVerifier> {
    match config.client_certificates {
        ClientCertificates::Off => Arc::new(NoClientAuth),
        ClientCertificates::Offer => Arc::new(AnyClientCertificate::offered(provider)),
        ClientCertificates::Require => Arc::new(AnyClientCertificate::required(
            provider,
            config.trusted_certificates.0.clone(),
            Arc::clone(clock),
        )),
    }
}

fn cannot_make(source: ErrorStack) -> Error {
    Error::new(
        ErrorCode::Unsupported,
        "this OpenSSL cannot make the simulator's certificate",
    )
    .with_source(source)
}
