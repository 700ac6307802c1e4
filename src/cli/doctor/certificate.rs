//! The certificates of the client's keys.

use super::client::Client;
use super::finding::{Check, Finding};
use super::key::CheckedKey;
use super::report::Report;
use crate::clock::{Clock, SystemClock};
use crate::error::Result;
use crate::keys::Certificate;
use crate::keys::x509::order_chain;
use crate::profiles::{self, ClientSettings, Environment, ProfileName, X5cForm};
use crate::token::expiry::DEFAULT_WARN_DAYS;
use crate::token::{Expiring, Expiry};

/// One finding a key.
pub(super) fn check(client: &Client<'_>, keys: &[CheckedKey], report: &mut Report) {
    for key in keys {
        match finding(key) {
            Ok(finding) => {
                let finding = finding.of_key(key.shown.as_deref());
                report.add(Some(client.name), finding);
            }
            Err(error) => report.add_failure(client.name, Check::Certificate, key.named(error)),
        }
    }
}

fn finding(key: &CheckedKey) -> Result<Finding> {
    let settings = &key.settings;
    if settings.profile == ProfileName::Dnb {
        return Ok(skipped("DNB's assertions name their key by kid"));
    }
    if settings.x5c == Some(X5cForm::None) {
        return Ok(skipped("x5c = \"none\" leaves it out"));
    }
    let named = profiles::certificates(settings)?;
    let signer = key.signer.as_deref();
    let found = match (named, signer) {
        (Some(named), _) => named,
        (None, Some(signer)) => signer.certificates().to_vec(),
        (None, None) => return Ok(skipped("the key is not open")),
    };
    if settings.kid.is_some() {
        return Ok(match found.first() {
            None => skipped("there is none; assertions name the key by kid"),
            Some(leaf) => Finding::note(
                Check::Certificate,
                format!("not sent, as \"kid\" is set: {}", text(leaf)),
                "leave \"kid\" out to send it",
            ),
        });
    }
    let chain = match signer {
        Some(signer) => order_chain(signer.public_key(), found)?,
        None => found,
    };
    let Some(leaf) = chain.first() else {
        return Ok(skipped("neither in the settings nor beside the key"));
    };
    let now = SystemClock.now();
    leaf.require_valid(now)?;
    let matches = match signer {
        Some(_) => "is the key's",
        None => "not compared with the key, which is not open",
    };
    let what = format!("{}, {matches}", text(leaf));
    if is_for_production_in_test(leaf, settings) {
        return Ok(Finding::warning(
            Check::Certificate,
            format!("{what}; the client is in test, where such are refused (MP-120)"),
            "use a certificate for test, or set environment = \"prod\"",
        ));
    }
    let Some(end) = leaf.not_after() else {
        return Ok(Finding::ok(Check::Certificate, what));
    };
    let expiry = Expiry::new(Expiring::Certificate, &key.setting, end);
    let what = format!("{what}, {} days left", expiry.days_left(now));
    let warn_days = settings.warn_days.unwrap_or(DEFAULT_WARN_DAYS);
    Ok(Finding::of_end(
        Check::Certificate,
        what,
        &expiry,
        now,
        warn_days,
    ))
}

/// The other way round the client cannot be made.
fn is_for_production_in_test(leaf: &Certificate, settings: &ClientSettings) -> bool {
    let is_digdirs = matches!(
        settings.profile,
        ProfileName::Maskinporten | ProfileName::Skyporten | ProfileName::Idporten
    );
    is_digdirs
        && settings.environment == Some(Environment::Test)
        && profiles::certificate_environment(leaf) == Some(Environment::Prod)
}

fn skipped(reason: &str) -> Finding {
    Finding::skipped(Check::Certificate, reason)
}

fn text(leaf: &Certificate) -> String {
    let orgno = leaf.org_number().map(|orgno| format!(", orgno {orgno}"));
    let environment = match profiles::certificate_environment(leaf) {
        Some(Environment::Test) => ", for test",
        Some(Environment::Prod) => ", for production",
        None => "",
    };
    let end = leaf.not_after();
    let end = end.map(|end| format!(", valid until {end}"));
    format!(
        "{}{}, issued by {}{environment}{}",
        leaf.subject(),
        orgno.unwrap_or_default(),
        leaf.issuer(),
        end.unwrap_or_default()
    )
}
