//! Transports as a client's settings want them: the built-in one, or the program's own.

use std::sync::Arc;
use std::time::Duration;

use super::opener::KeyOpener;
use crate::call::Call;
use crate::clock::Clock;
use crate::error::{Error, ErrorCode, Result};
use crate::file;
use crate::http::tls::{Roots, TlsOptions, TlsVersion};
use crate::http::{Request, Response, Transport, TransportSettings, UreqTransport, too_large};
use crate::keys::{Certificate, KeyUri, Signer, TlsCertificate, x509};
use crate::profiles::{self, ClientSettings, TlsSettings};

/// The transport, and what it shows to servers.
#[derive(Debug)]
pub(crate) struct BuiltIn {
    pub(crate) transport: AsSet,
    pub(crate) certificate: Option<Arc<TlsCertificate>>,
}

/// The built-in transport; its errors name the settings that they are about.
#[derive(Debug)]
pub(crate) struct AsSet {
    transport: UreqTransport,
    min_version: TlsVersion,
}

impl Transport for AsSet {
    fn send(&self, request: &Request, call: &Call) -> Result<Response> {
        let sent = self.transport.send(request, call);
        sent.map_err(|error| match error.code() {
            ErrorCode::ClientCertificateRequired => at("tls.key", error),
            ErrorCode::TlsVersion if self.min_version > TlsVersion::Tls12 => {
                at("tls.min_version", error)
            }
            _ => error,
        })
    }
}

/// The built-in transport. `signer` stands in the place of `tls.key`, which is opened
/// by `opener` otherwise. Nothing is connected.
///
/// # Errors
/// `CONFIG` naming the setting; what opening the key reports; `CERTIFICATE` and
/// `CERTIFICATE_MISMATCH` for the certificate, `TLS_VERSION` for what the key can sign.
pub(crate) fn built_in(
    settings: &ClientSettings,
    opener: &dyn KeyOpener,
    signer: Option<&Arc<dyn Signer>>,
    clock: &Arc<dyn Clock>,
    call: &Call,
) -> Result<BuiltIn> {
    let none = TlsSettings::default();
    let tls = settings.tls.as_ref().unwrap_or(&none);
    let certificate = certificate(tls, opener, signer, clock, call)?;
    let options = TlsOptions {
        client_certificate: certificate.clone().map(|certificate| certificate as Arc<_>),
        roots: roots(tls)?,
        min_version: match tls.min_version {
            None | Some(profiles::TlsVersion::Tls12) => TlsVersion::Tls12,
            Some(profiles::TlsVersion::Tls13) => TlsVersion::Tls13,
        },
        resumption: tls.resumption.unwrap_or(true),
    };
    let min_version = options.min_version;
    let transport = UreqTransport::with_tls(bounds(settings), options);
    let transport = transport.map_err(|error| match error.code() {
        ErrorCode::TlsVersion => at("tls.min_version", error),
        _ => error,
    })?;
    Ok(BuiltIn {
        transport: AsSet {
            transport,
            min_version,
        },
        certificate,
    })
}

/// A transport of the program's own, held to the client's settings.
#[derive(Debug)]
pub(crate) struct Bounded {
    transport: Arc<dyn Transport>,
    bounds: TransportSettings,
}

impl Bounded {
    pub(crate) fn new(transport: Arc<dyn Transport>, settings: &ClientSettings) -> Self {
        Self {
            transport,
            bounds: bounds(settings),
        }
    }
}

impl Transport for Bounded {
    fn send(&self, request: &Request, call: &Call) -> Result<Response> {
        let answer = self
            .transport
            .send(request, &call.or_within(self.bounds.timeout))?;
        let limit = self.bounds.max_response_len;
        if answer.body.len() as u64 > limit {
            return Err(too_large(request, "answer is", limit));
        }
        Ok(answer)
    }
}

/// The bounds that `settings` set.
pub(crate) fn bounds(settings: &ClientSettings) -> TransportSettings {
    let mut bounds = TransportSettings::default();
    if let Some(timeout) = settings.timeout_ms {
        bounds.timeout = Duration::from_millis(timeout.max(1).into());
    }
    if let Some(timeout) = settings.connect_timeout_ms {
        bounds.connect_timeout = Duration::from_millis(timeout.max(1).into());
    }
    if let Some(limit) = settings.max_response_bytes {
        bounds.max_response_len = limit;
    }
    bounds
}

/// The client certificate, if there is to be one.
///
/// # Errors
/// As [`built_in`].
pub(crate) fn certificate(
    tls: &TlsSettings,
    opener: &dyn KeyOpener,
    signer: Option<&Arc<dyn Signer>>,
    clock: &Arc<dyn Clock>,
    call: &Call,
) -> Result<Option<Arc<TlsCertificate>>> {
    let named = named_certificates(tls).map_err(|error| at("tls.certificate", error))?;
    let signer = match (signer, &tls.key) {
        (Some(_), Some(_)) => {
            return Err(wrong(
                "tls.key",
                "is set, and a signer for TLS was given too; use one of them",
            ));
        }
        (Some(signer), None) => Arc::clone(signer),
        (None, Some(uri)) => {
            let public_key = named.as_deref().and_then(x509::leaf_key);
            opener
                .open(uri.expose(), None, public_key, call)
                .map_err(|error| match error.code() {
                    ErrorCode::CertificateMismatch => at("tls.certificate", error),
                    _ => at("tls.key", error),
                })?
        }
        (None, None) if named.is_some() => {
            return Err(wrong(
                "tls.certificate",
                "stands alone; set \"tls.key\" to its private key",
            ));
        }
        (None, None) => return Ok(None),
    };
    let setting = match named {
        Some(_) => "tls.certificate",
        None => "tls.key",
    };
    let certificate = TlsCertificate::new(signer, named, Arc::clone(clock));
    Ok(Some(Arc::new(
        certificate.map_err(|error| at(setting, error))?,
    )))
}

fn named_certificates(tls: &TlsSettings) -> Result<Option<Vec<Certificate>>> {
    let Some(uri) = &tls.certificate else {
        return Ok(None);
    };
    let KeyUri::File(path) = uri.expose().parse()? else {
        return Err(Error::new(
            ErrorCode::Config,
            "it must be a file: URI; a certificate on a token is found beside its key",
        ));
    };
    let bytes = file::read(path.path(), "certificate file")?;
    let chain = Certificate::read_chain(&bytes).map_err(|error| {
        error.in_context(format_args!("certificate file {}", path.path().display()))
    })?;
    Ok(Some(chain))
}

fn roots(tls: &TlsSettings) -> Result<Option<Roots>> {
    let Some(path) = &tls.ca_file else {
        return Ok(None);
    };
    let roots = file::read(path, "CA file")
        .and_then(|pem| Roots::from_pem(&pem).map_err(|error| error.in_context(path.display())));
    roots.map(Some).map_err(|error| at("tls.ca_file", error))
}

/// `error`, about the setting called `setting`.
fn at(setting: &str, error: Error) -> Error {
    error
        .with_details(|details| details.config_path = Some(setting.to_owned()))
        .in_context(setting)
}

fn wrong(setting: &str, problem: &str) -> Error {
    Error::new(
        ErrorCode::Config,
        format!("setting \"{setting}\" {problem}"),
    )
    .with_details(|details| details.config_path = Some(setting.to_owned()))
}
