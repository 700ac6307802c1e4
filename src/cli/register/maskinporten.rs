//! `segl register maskinporten`

use std::io::{BufRead, IsTerminal, Write};

use clap::Args;
use serde_json::json;

use super::super::client::ClientArguments;
use super::super::output::Output;
use super::check;
use super::client_keys::{self, ClientKey};
use super::table::table;
use crate::apis::{KeyAction, KeyChange, RegisteredKeys, WantedKey};
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::error::{Error, ErrorCode, Result};

#[derive(Args)]
pub(in super::super) struct Arguments {
    #[command(flatten)]
    client: ClientArguments,
    /// The client that may use the administration API; left out, the only one with a
    /// scope idporten:dcr.…
    #[arg(long, value_name = "ADMIN_CLIENT")]
    admin: Option<String>,
    /// One of the client's keys, counted from 0 as in keys[0]; left out, all.
    #[arg(long, value_name = "N")]
    key: Option<usize>,
    /// The kid of the key, instead of the setting or the RFC 7638 thumbprint (one key
    /// only).
    #[arg(long)]
    kid: Option<String>,
    /// Removes this registered key; may be repeated.
    #[arg(long, value_name = "KID", conflicts_with = "check")]
    remove: Vec<String>,
    /// Writes without asking.
    #[arg(long, conflicts_with_all = ["dry_run", "check"])]
    yes: bool,
    /// Shows what would change and writes nothing.
    #[arg(long, conflicts_with = "check")]
    dry_run: bool,
    /// Writes nothing; fails unless every key of the client is registered and none
    /// expires soon.
    #[arg(long)]
    check: bool,
    /// What "soon" means for --check.
    #[arg(long, value_name = "DAYS", default_value_t = 30, requires = "check")]
    warn_days: u32,
    /// Base URL of the administration API, instead of the client's setting or
    /// environment.
    #[arg(long, value_name = "URL")]
    self_service: Option<String>,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let call = arguments.client.call();
    let config = arguments.client.config()?;
    let name = arguments.client.name();
    let client_id = client_keys::client_id(&config, name)?;
    let kid = arguments.kid.as_deref();
    let keys = client_keys::open(&config, name, arguments.key, kid, &call)?;
    let api = client_keys::self_service(
        &config,
        name,
        arguments.admin.as_deref(),
        arguments.self_service.as_deref(),
        &call,
    )?;
    let registered = api.registered_keys(client_id, &call)?;
    let now = SystemClock.now();
    if arguments.check {
        return check::run(name, &keys, &registered, now, arguments.warn_days, output);
    }
    let wanted: Vec<WantedKey> = keys.iter().map(|key| key.wanted.clone()).collect();
    let change = KeyChange::plan(&registered, &wanted, &arguments.remove, now)?;
    if arguments.dry_run {
        return show(name, &change, None, now, output);
    }
    output.note(&format!("{}\n", plan_table(&change, now)));
    if !arguments.yes {
        confirm(output)?;
    }
    // A person may have thought about the answer for longer than a call lasts.
    let call = arguments.client.call();
    api.replace_keys(client_id, change.jwks(), &call)?;
    let after = api.registered_keys(client_id, &call)?;
    require_all(&change, &after)?;
    remarks(name, &keys, &change, output);
    show(name, &change, Some(&after), now, output)
}

/// Asks on the terminal. Whatever is not a yes is a no.
fn confirm(output: &Output) -> Result<()> {
    let stdin = std::io::stdin();
    if output.json || !stdin.is_terminal() {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            "nothing was written, as there is nobody to ask; give --yes, or --dry-run to see what would change",
        ));
    }
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "Register these keys? [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).map_err(|source| {
        Error::new(
            ErrorCode::Io,
            "the answer cannot be read; nothing was written",
        )
        .with_source(source)
    })?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Error::new(ErrorCode::Cancelled, "nothing was written")),
    }
}

/// What was written must be there.
fn require_all(change: &KeyChange, after: &RegisteredKeys) -> Result<()> {
    let missing = change
        .keys()
        .iter()
        .find(|key| (key.action == KeyAction::Removed) == after.find(&key.kid).is_some());
    match missing {
        None => Ok(()),
        Some(key) => Err(Error::new(
            ErrorCode::ApiBadResponse,
            format!(
                "the API took the keys, but shows another set: \"{}\" was to be {}; \
                 look at the client in the self-service",
                key.kid,
                name_of(key.action)
            ),
        )),
    }
}

fn remarks(name: &str, keys: &[ClientKey], change: &KeyChange, output: &Output) {
    let is_new = |key: &crate::apis::ChangedKey| key.action == KeyAction::Added;
    if change.keys().iter().any(is_new) {
        output.note("A new key works after up to two minutes.");
    }
    for key in keys.iter().filter(|key| !key.is_named) {
        output.note(&format!(
            "Set kid = \"{}\" beside {} of client \"{name}\", in the place of a certificate.",
            key.wanted.kid(),
            key.setting
        ));
    }
}

fn plan_table(change: &KeyChange, now: UnixTime) -> String {
    let rows: Vec<_> = change
        .keys()
        .iter()
        .map(|key| {
            let expires = match (key.exp, key.action) {
                (_, KeyAction::Added) => String::new(),
                (Some(exp), KeyAction::Kept) if exp <= now => {
                    format!("{exp}, has passed: it works again unless it is removed")
                }
                (exp, _) => time(exp),
            };
            [key.kid.clone(), name_of(key.action).to_owned(), expires]
        })
        .collect();
    table(["KID", "WHAT HAPPENS", "EXPIRES NOW"], &rows)
}

/// The plan, or, with what is registered `after` it, the result.
fn show(
    name: &str,
    change: &KeyChange,
    after: Option<&RegisteredKeys>,
    now: UnixTime,
    output: &Output,
) -> Result<()> {
    let expiry = |kid: &str, before: Option<UnixTime>| match after {
        Some(after) => after.find(kid).and_then(|key| key.exp),
        None => before,
    };
    let members: Vec<_> = change
        .keys()
        .iter()
        .map(|key| {
            let expires = expiry(&key.kid, key.exp).map(UnixTime::seconds);
            json!({ "kid": key.kid, "action": name_of(key.action), "expires_at": expires })
        })
        .collect();
    let json = json!({ "client": name, "written": after.is_some(), "keys": members });
    let text = match after {
        None => plan_table(change, now),
        Some(after) => {
            let rows = after
                .keys
                .iter()
                .map(|key| [key.kid.clone(), time(key.exp)]);
            table(["KID", "EXPIRES"], &rows.collect::<Vec<_>>())
        }
    };
    output.value(&json, &text)
}

fn name_of(action: KeyAction) -> &'static str {
    match action {
        KeyAction::Added => "added",
        KeyAction::Renewed => "renewed",
        KeyAction::Kept => "kept",
        KeyAction::Removed => "removed",
    }
}

/// A time for people; the API need not tell it.
pub(super) fn time(time: Option<UnixTime>) -> String {
    time.map_or_else(|| "unknown".to_owned(), |time| time.to_string())
}
