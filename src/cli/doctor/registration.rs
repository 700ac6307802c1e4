//! How long the service takes the keys that are registered with it.

use std::sync::Arc;

use super::super::register::{KeyState, admin_of};
use super::client::Client;
use super::finding::{Check, Finding};
use super::key::CheckedKey;
use super::report::Report;
use crate::apis::{RegisteredKeys, SelfService};
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorCode, Result};
use crate::profiles::{EndTime, ProfileName};
use crate::token::expiry::DEFAULT_WARN_DAYS;
use crate::token::{Expiring, Expiry};

const DAY: i64 = 86_400;

/// One finding a key.
pub(super) fn check(client: &Client<'_>, keys: &[CheckedKey], report: &mut Report) {
    let is_asked = client.settings.profile == ProfileName::Maskinporten
        && keys.iter().any(|key| key.settings.kid.is_some());
    let registered = match client.admin {
        Some(admin) if is_asked => match registered(client, admin) {
            Ok(registered) => Some(registered),
            Err(error) => return report.add_failure(client.name, Check::Registration, error),
        },
        _ => None,
    };
    for key in keys {
        let finding = finding(client, key, registered.as_ref());
        let finding = finding.of_key(key.shown.as_deref());
        report.add(Some(client.name), finding);
    }
}

/// What the administration API shows.
fn registered(client: &Client<'_>, admin: &str) -> Result<RegisteredKeys> {
    let (base, admin) = admin_of(client.config, client.name, Some(admin), None)?;
    let client_id = client
        .settings
        .client_id
        .as_ref()
        .ok_or_else(|| Error::new(ErrorCode::Config, "setting \"client_id\" is missing"))?;
    let step = client.step("asking for the registered keys");
    let (registered, _) = client.steps.run(&step, |call| {
        let admin = client
            .open(admin, call)
            .map_err(|error| error.in_client(admin))?;
        SelfService::new(Arc::new(admin), &base).registered_keys(client_id, call)
    });
    registered
}

fn finding(client: &Client<'_>, key: &CheckedKey, registered: Option<&RegisteredKeys>) -> Finding {
    let settings = &key.settings;
    let is_registered = settings.kid.is_some() || settings.profile == ProfileName::Dnb;
    if !is_registered {
        let reason = "assertions name the key by its certificate, if at all";
        return Finding::skipped(Check::Registration, reason);
    }
    match (registered, settings.registered_until) {
        (Some(registered), _) => shown(key, registered),
        (None, Some(until)) => dated(key, until),
        (None, None) => {
            let remedy = match (settings.profile, client.admin) {
                (ProfileName::Maskinporten, None) => {
                    "set \"registered_until\", or give an admin client with --admin"
                }
                _ => "set \"registered_until\", if the service ends registrations",
            };
            let what = "nothing here tells when the key's registration ends";
            Finding::note(Check::Registration, what, remedy)
        }
    }
}

/// By what the service shows.
fn shown(key: &CheckedKey, registered: &RegisteredKeys) -> Finding {
    let Some(signer) = &key.signer else {
        return Finding::skipped(Check::Registration, "the key is not open");
    };
    let kid = key.settings.kid.as_deref().unwrap_or_default();
    let found = registered.find(kid);
    let now = SystemClock.now();
    let soon = now.plus(i64::from(warn_days(key)) * DAY);
    let state = KeyState::of(signer.public_key(), found, now, soon);
    let end = found.and_then(|found| found.exp);
    let end = end.map_or_else(String::new, |end| {
        let left = end.seconds().saturating_sub(now.seconds()).div_euclid(DAY);
        format!(", until {end}, {left} days left")
    });
    let what = format!("kid {} {}{end}", kid.escape_debug(), state.words());
    let again = "register the client's keys again with \"segl register maskinporten\", which gives each another year";
    match state {
        KeyState::Registered => Finding::ok(Check::Registration, what),
        KeyState::ExpiresSoon | KeyState::ExpiryUnknown => {
            Finding::warning(Check::Registration, what, again)
        }
        KeyState::Expired | KeyState::OtherKey | KeyState::NotRegistered => {
            let message = format!("{what}; {again}");
            let error = Error::new(ErrorCode::KeyRegistration, message);
            Finding::failed_with(Check::Registration, error)
        }
    }
}

/// By what the settings say.
fn dated(key: &CheckedKey, until: EndTime) -> Finding {
    let now = SystemClock.now();
    let expiry = Expiry::new(Expiring::RegisteredKey, &key.setting, until.time());
    let what = match expiry.days_left(now) {
        ..0 => format!("ended at {}, as the settings say", until.time()),
        left => format!(
            "until {}, {left} days left, as the settings say",
            until.time()
        ),
    };
    Finding::of_end(Check::Registration, what, &expiry, now, warn_days(key))
}

fn warn_days(key: &CheckedKey) -> u32 {
    key.settings.warn_days.unwrap_or(DEFAULT_WARN_DAYS)
}
