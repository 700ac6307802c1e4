//! The key of a client's TLS: how it is doing, and when its certificate ends.

use std::sync::Arc;

use super::expiry::{DEFAULT_WARN_DAYS, Expiring, Expiry, Watch};
use super::health::KeyHealth;
use crate::clock::UnixTime;
use crate::keys::{Signer, TlsCertificate};
use crate::log;
use crate::profiles::ClientSettings;

/// What the built-in transport shows to servers.
#[derive(Debug)]
pub(super) struct TlsKey {
    name: &'static str,
    certificate: Arc<TlsCertificate>,
    thumbprint: String,
    warn_days: u32,
    watch: Watch,
}

impl TlsKey {
    /// The key of `certificate`, which the program gave itself or the settings name.
    pub(super) fn new(
        certificate: Arc<TlsCertificate>,
        is_given: bool,
        settings: &ClientSettings,
    ) -> Self {
        if let Some(warning) = certificate.warning() {
            log::emit(log::Level::Warn, "token", format_args!("{warning}"));
        }
        Self {
            name: match is_given {
                true => "tls_signer",
                false => "tls.key",
            },
            thumbprint: certificate.leaf().to_x5t_s256(),
            warn_days: settings.warn_days.unwrap_or(DEFAULT_WARN_DAYS),
            certificate,
            watch: Watch::default(),
        }
    }

    /// What errors and its health call it.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The key.
    pub(super) fn signer(&self) -> &Arc<dyn Signer> {
        self.certificate.signer()
    }

    /// `x5t#S256` of the certificate, by which tokens are bound to it (RFC 8705
    /// section 3.1).
    pub(super) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// When the certificate ends.
    pub(super) fn expiry(&self) -> Option<Expiry> {
        let end = self.certificate.leaf().not_after()?;
        Some(Expiry::new(Expiring::TlsCertificate, self.name, end))
    }

    /// Logs that it ends soon, once a day.
    pub(super) fn warn_of_expiry(&self, now: UnixTime) {
        if !self.watch.is_due(Expiring::TlsCertificate, now) {
            return;
        }
        let expiry = self.expiry();
        let warning = expiry
            .as_ref()
            .and_then(|expiry| Some((expiry.level(now), expiry.warning(now, self.warn_days)?)));
        if let Some((level, warning)) = warning {
            log::emit(level, "token", format_args!("{warning}"));
        }
    }

    pub(super) fn health(&self, now: UnixTime) -> KeyHealth {
        let expiry = self.expiry();
        let ends = expiry
            .as_ref()
            .and_then(|expiry| expiry.warning(now, self.warn_days));
        KeyHealth {
            name: self.name.to_owned(),
            opened: true,
            certificate_not_after: expiry.map(|expiry| expiry.not_after.seconds()),
            registered_until: None,
            warnings: self.certificate.warning().into_iter().chain(ends).collect(),
            refusal: None,
            health: self.certificate.signer().health(),
        }
    }
}
