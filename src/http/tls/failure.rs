//! What a failure of TLS means, and what to do about it.

use std::sync::Arc;

use rustls::{AlertDescription, CertificateError, PeerIncompatible};

use super::client_certificate::names;
use super::{ClientCertificate, TlsOptions, TlsVersion};
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode};

/// What is known of a connection that failed.
#[derive(Debug, Clone)]
pub(super) struct Situation {
    options: Arc<TlsOptions>,
    host: String,
    is_proxy: bool,
    /// The server asked for a certificate.
    pub(super) was_asked: bool,
    /// It was given one.
    pub(super) has_sent: bool,
    /// The session is that of an earlier connection, with its certificate.
    pub(super) was_resumed: bool,
}

impl Situation {
    /// Nothing is known yet. `is_proxy` when `host` is one, and no server.
    pub(super) fn new(options: Arc<TlsOptions>, host: &str, is_proxy: bool) -> Self {
        Self {
            options,
            host: host.to_owned(),
            is_proxy,
            was_asked: false,
            has_sent: false,
            was_resumed: false,
        }
    }

    /// Who is at the other end.
    fn peer(&self) -> &'static str {
        match self.is_proxy {
            true => "proxy",
            false => "server",
        }
    }

    fn certificate(&self) -> Option<&dyn ClientCertificate> {
        self.options.client_certificate.as_deref()
    }

    /// The server knows the certificate, from this connection or an earlier one.
    fn is_shown(&self) -> bool {
        self.has_sent || (self.was_resumed && self.certificate().is_some())
    }

    /// The certificate, for messages.
    fn name(&self) -> String {
        self.certificate()
            .map_or_else(|| "none".to_owned(), ClientCertificate::name)
    }
}

/// `error`, of a connection that is in this situation.
pub(super) fn explain(error: rustls::Error, situation: &Situation) -> Error {
    let explained = match &error {
        rustls::Error::AlertReceived(alert) => of_alert(*alert, situation),
        rustls::Error::InvalidCertificate(problem) => of_server_certificate(problem, situation),
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => of_version(situation),
        rustls::Error::PeerIncompatible(
            PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon,
        ) => Error::new(
            ErrorCode::ClientCertificateRequired,
            "the server asks for a client certificate with kinds of signatures that segl does not make; \
             ask who runs it for ECDSA P-256, P-384 or RSA",
        ),
        rustls::Error::InvalidMessage(_) => Error::new(
            ErrorCode::Tls,
            format!(
                "what the server sent is no TLS ({error}); check host, port and whether the URL should be https"
            ),
        ),
        other => Error::new(
            ErrorCode::Tls,
            format!(
                "TLS failed ({other}); look for a proxy in between, or for a fault of the server"
            ),
        ),
    };
    explained.with_source(error)
}

/// The server closed the connection without a word.
pub(super) fn cut(situation: &Situation, has_answered: bool) -> Error {
    let what = match (situation.was_asked, situation.has_sent) {
        _ if has_answered => {
            "the connection ended before the server closed TLS, so the answer may be cut short; check the network and the proxy"
                .to_owned()
        }
        (false, _) => "the server closed the connection without an answer; check host, port and the proxy".to_owned(),
        (true, true) => format!(
            "the server closed the connection without a reason after it was given the client certificate {}; \
             it may not take it, ask who runs it",
            situation.name()
        ),
        (true, false) => "the server closed the connection without a reason after it asked for a client certificate and was given none; \
             it may insist on one"
            .to_owned(),
    };
    Error::new(ErrorCode::Network, what).with_retryable(true)
}

fn of_alert(alert: AlertDescription, situation: &Situation) -> Error {
    use AlertDescription::*;
    if alert == ProtocolVersion {
        return of_version(situation);
    }
    let about_certificates = matches!(
        alert,
        AccessDenied
            | BadCertificate
            | CertificateExpired
            | CertificateRequired
            | CertificateRevoked
            | CertificateUnknown
            | CertificateUnobtainable
            | DecryptError
            | HandshakeFailure
            | NoCertificate
            | UnknownCA
            | UnsupportedCertificate
    );
    if about_certificates && situation.is_shown() && alert != CertificateRequired {
        return refused(alert, situation);
    }
    if alert == CertificateRequired || (about_certificates && situation.was_asked) {
        return required(situation);
    }
    let problem = match alert {
        HandshakeFailure | InsufficientSecurity => {
            "it shares no cipher suite, curve or signature with segl, which takes those of TLS 1.2 with ECDHE and AEAD, and of TLS 1.3; \
             the server must be updated"
        }
        UnrecognisedName => "it knows no host of this name; check the URL",
        InternalError => "it has a fault of its own; try later, or ask who runs it",
        _ => "look for a proxy in between, or ask who runs it",
    };
    Error::new(
        ErrorCode::Tls,
        format!(
            "the {} ended TLS with {}: {problem}",
            situation.peer(),
            text(alert)
        ),
    )
}

/// The server wants a certificate and got none.
fn required(situation: &Situation) -> Error {
    if situation.is_proxy {
        return Error::new(
            ErrorCode::Tls,
            "the proxy wants a client certificate, and segl shows none to proxies; use one that lets it in without",
        );
    }
    let problem = match situation.certificate() {
        None => "the server wants a client certificate, and this client has none; \
             give it the key and certificate that the service knows"
            .to_owned(),
        Some(certificate) => format!(
            "the server wants a client certificate, and takes no signature that the key of {} makes ({}); \
             use a key of another kind or size",
            certificate.name(),
            names(certificate.schemes())
        ),
    };
    Error::new(ErrorCode::ClientCertificateRequired, problem)
}

/// The server got a certificate and does not take it.
fn refused(alert: AlertDescription, situation: &Situation) -> Error {
    use AlertDescription::*;
    let problem = match alert {
        UnknownCA => {
            "it does not know who issued it; send the issuers' certificates with it, or use one from an authority that the service takes"
        }
        CertificateExpired => {
            "it says that it is not valid now; renew it, and check the clocks of both sides"
        }
        CertificateRevoked => "it says that it was revoked; get a new one",
        UnsupportedCertificate => {
            "it does not take certificates of this kind; look at its key usage and its algorithm"
        }
        DecryptError => {
            "it could not verify the signature, so the key is not the certificate's, or what makes the signatures is at fault; \
             use the certificate that was issued for this key"
        }
        AccessDenied => "it is not let in; have it registered at the service",
        _ => {
            "it gives no reason; it may not be registered at the service, lack its issuers, or be for another purpose or environment"
        }
    };
    Error::new(
        ErrorCode::ClientCertificateRefused,
        format!(
            "the server refused the client certificate {} with {}: {problem}",
            situation.name(),
            text(alert)
        ),
    )
}

fn of_version(situation: &Situation) -> Error {
    let options = &situation.options;
    let problem = match situation.certificate() {
        Some(certificate) if options.is_key_for_tls12_only() => format!(
            "the server wants TLS 1.3, and the key of the client certificate {} can sign for TLS 1.2 only: \
             its home makes PKCS#1 v1.5 signatures ({}) and no RSA-PSS; \
             use a token with RSA-PSS mechanisms or an EC key, or ask for TLS 1.2 at the server",
            certificate.name(),
            names(certificate.schemes())
        ),
        _ if options.min_version == TlsVersion::Tls13 => {
            "the server does not speak TLS 1.3, and older versions are not allowed; allow TLS 1.2, or have the server updated"
                .to_owned()
        }
        _ => "the server speaks neither TLS 1.2 nor 1.3; have it updated".to_owned(),
    };
    Error::new(ErrorCode::TlsVersion, problem)
}

fn of_server_certificate(problem: &CertificateError, situation: &Situation) -> Error {
    let host = &situation.host;
    let roots = match situation.options.roots {
        Some(_) => "the authorities that the client was given",
        None => "those that the operating system trusts",
    };
    let time = |time: &rustls::pki_types::UnixTime| {
        UnixTime::from_seconds(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
    };
    let what = match problem {
        CertificateError::Expired => {
            "has expired; have it renewed, and check this machine's clock".to_owned()
        }
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "expired at {}; have it renewed, and check this machine's clock",
            time(not_after)
        ),
        CertificateError::NotValidYet => "is not valid yet; check this machine's clock".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "is not valid before {}; check this machine's clock",
            time(not_before)
        ),
        CertificateError::UnknownIssuer => format!(
            "was issued by none of {roots}; if the server is the right one, add its authority to {}",
            match situation.options.roots {
                None if situation.is_proxy => "the operating system's trust store",
                None => "the operating system's trust store, or to the client's \"ca_file\"",
                Some(_) => "those",
            }
        ),
        CertificateError::NotValidForName => "is for another host; check the URL".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("is for {}; check the URL", presented.join(", "))
        }
        CertificateError::Revoked => "was revoked; do not use the server".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is not one for servers; have it replaced".to_owned()
        }
        other => format!("cannot be trusted ({other}); it must be issued by one of {roots}"),
    };
    Error::new(
        ErrorCode::Tls,
        format!("the certificate of the {} {host} {what}", situation.peer()),
    )
}

/// The alert's number and name, as in RFC 8446 section 6.
fn text(alert: AlertDescription) -> String {
    format!("alert {} ({alert:?})", u8::from(alert))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Named;

    impl ClientCertificate for Named {
        fn chain(&self) -> &[Vec<u8>] {
            &[]
        }
        fn public_key(&self) -> &[u8] {
            &[]
        }
        fn schemes(&self) -> &[super::super::SignatureScheme] {
            &[]
        }
        fn require_valid(&self) -> crate::error::Result<()> {
            Ok(())
        }
        fn sign(
            &self,
            _: super::super::SignatureScheme,
            _: &[u8],
            _: &crate::call::Call,
        ) -> crate::error::Result<Vec<u8>> {
            Ok(Vec::new())
        }
        fn name(&self) -> String {
            "\"CN=named\"".to_owned()
        }
    }

    /// No server at hand refuses a certificate when a session is resumed.
    #[test]
    fn a_refusal_after_resumption_is_about_the_certificate() {
        let options = TlsOptions {
            client_certificate: Some(Arc::new(Named)),
            ..TlsOptions::default()
        };
        let alert = || rustls::Error::AlertReceived(AlertDescription::CertificateRevoked);
        let mut situation = Situation::new(Arc::new(options), "host", false);
        assert_eq!(explain(alert(), &situation).code(), ErrorCode::Tls);
        situation.was_resumed = true;
        let error = explain(alert(), &situation);
        assert_eq!(error.code(), ErrorCode::ClientCertificateRefused);
        assert!(error.message().contains("CN=named"), "{error}");
        // Not so when the server says that it was given none.
        let alert_of_none = rustls::Error::AlertReceived(AlertDescription::CertificateRequired);
        let code = explain(alert_of_none, &situation).code();
        assert_eq!(code, ErrorCode::ClientCertificateRequired);
        let mut without = Situation::new(Arc::default(), "host", false);
        without.was_resumed = true;
        assert_eq!(explain(alert(), &without).code(), ErrorCode::Tls);
    }
}
