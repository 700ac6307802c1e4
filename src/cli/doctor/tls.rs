//! The client certificate of TLS: that it is the key's, how long it lasts, and that
//! the key signs.

use std::sync::Arc;
use std::time::Duration;

use super::client::Client;
use super::finding::{Check, Finding};
use super::report::Report;
use crate::clock::{Clock, SystemClock};
use crate::error::Result;
use crate::http::ClientCertificate;
use crate::keys::TlsCertificate;
use crate::profiles::TlsSettings;
use crate::token::expiry::DEFAULT_WARN_DAYS;
use crate::token::{Expiring, Expiry, transport};

/// One finding, if the client has a key for TLS.
pub(super) fn check(client: &Client<'_>, report: &mut Report) {
    let tls = match &client.settings.tls {
        Some(tls) if tls.key.is_some() || tls.certificate.is_some() => tls,
        _ => return,
    };
    match finding(client, tls) {
        Ok(finding) => report.add(Some(client.name), finding),
        Err(error) => report.add_failure(client.name, Check::TlsCertificate, error),
    }
}

fn finding(client: &Client<'_>, tls: &TlsSettings) -> Result<Finding> {
    let step = client.step("opening tls.key");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (opened, _) = client.steps.run(&step, |call| {
        transport::certificate(tls, &**client.keys, None, &clock, call)
    });
    let Some(certificate) = opened? else {
        return Ok(Finding::skipped(Check::TlsCertificate, "there is none"));
    };
    let step = client.step("signing with tls.key");
    let (signed, took) = client
        .steps
        .run(&step, |call| certificate.signer().probe(call));
    signed.map_err(|error| error.in_context("tls.key"))?;
    Ok(about(client, &certificate, clock.as_ref(), took))
}

fn about(
    client: &Client<'_>,
    certificate: &TlsCertificate,
    clock: &dyn Clock,
    took: Duration,
) -> Finding {
    let leaf = certificate.leaf();
    if let Some(lacking) = leaf.lacks_for_tls_client() {
        let what = format!(
            "{} is not for clients, as it lacks {lacking}",
            leaf.subject()
        );
        let remedy =
            "get a certificate for client authentication; most servers will refuse this one";
        return Finding::warning(Check::TlsCertificate, what, remedy).taking(took);
    }
    let versions = match certificate.schemes().iter().any(|s| s.is_for_tls13()) {
        true => "TLS 1.2 and 1.3",
        false => "TLS 1.2 only",
    };
    let what = format!(
        "{}, issued by {}, is the key's, which signs for {versions}",
        leaf.subject(),
        leaf.issuer()
    );
    let Some(end) = leaf.not_after() else {
        return Finding::ok(Check::TlsCertificate, what).taking(took);
    };
    let now = clock.now();
    let expiry = Expiry::new(Expiring::TlsCertificate, "tls.key", end);
    let what = format!(
        "{what}, valid until {end}, {} days left",
        expiry.days_left(now)
    );
    let warn_days = client.settings.warn_days.unwrap_or(DEFAULT_WARN_DAYS);
    Finding::of_end(Check::TlsCertificate, what, &expiry, now, warn_days).taking(took)
}
