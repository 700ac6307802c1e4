//! Whom the files are open to that hold secrets, or decide over keys.

use std::fs;
use std::path::{Path, PathBuf};

use super::client::Client;
use super::finding::{Check, Finding};
use crate::config::Config;
use crate::keys::KeyUri;
use crate::keys::uri::{PinPolicy, PinSource};
use crate::profiles::{ClientSettings, KeySetting};

/// Of the configuration itself; nothing when others can neither read nor write it.
pub(super) fn check_config(path: &Path, config: &Config) -> Vec<Finding> {
    let Some(mode) = mode(path) else {
        return Vec::new();
    };
    let shown = path.display();
    let chmod = format!("chmod 0640 {shown}");
    let policy = config.pin_policy();
    let holds_secret = config.clients.values().any(|c| holds_secret(c, policy));
    let finding = match (mode & 0o002 != 0, mode & 0o004 != 0) {
        (true, _) => Finding::warning(
            Check::Files,
            format!(
                "every user of this machine can write {shown} (mode {mode:04o}), which names the code that handles the keys"
            ),
            &chmod,
        ),
        (_, true) if holds_secret => Finding::warning(
            Check::Files,
            format!(
                "every user of this machine can read {shown} (mode {mode:04o}), and it holds a secret"
            ),
            &format!("{chmod}, or move the secret into a file of its own"),
        ),
        (_, true) => Finding::note(
            Check::Files,
            format!(
                "every user of this machine can read {shown} (mode {mode:04o}); it holds no secret"
            ),
            &format!("{chmod}, unless others are to read it"),
        ),
        _ => return Vec::new(),
    };
    vec![finding]
}

/// Of the files that the client's settings name for keys, PINs and passwords.
pub(super) fn check_client(client: &Client<'_>) -> Vec<Finding> {
    let named = secret_files(client.settings, client.config.pin_policy());
    let mut are_closed = 0;
    let mut findings = Vec::new();
    for path in &named {
        match mode(path) {
            Some(mode) if mode & 0o006 != 0 => findings.push(Finding::warning(
                Check::Files,
                format!(
                    "every user of this machine can {} {} (mode {mode:04o}), which holds a secret",
                    if mode & 0o004 != 0 { "read" } else { "write" },
                    path.display()
                ),
                "chmod it to 0400, owned by the user that the service runs as",
            )),
            Some(_) => are_closed += 1,
            // Whoever needs the file says what is wrong with it.
            None => {}
        }
    }
    if findings.is_empty() && are_closed > 0 {
        let what =
            format!("files with a key, PIN or password: {are_closed}, none open to other users");
        findings.push(Finding::ok(Check::Files, what));
    }
    findings
}

/// The permission bits; `None` for what is not there, or where there are none.
#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::metadata(path).ok()?;
    Some(metadata.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

fn secret_files(settings: &ClientSettings, policy: PinPolicy) -> Vec<PathBuf> {
    let uris = key_uris(settings, policy);
    let mut files: Vec<PathBuf> = Vec::new();
    for uri in &uris {
        if let KeyUri::File(file) = uri {
            files.push(file.path().to_owned());
        }
        if let Some(PinSource::File(path)) = pin_source(uri) {
            files.push(path.clone());
        }
    }
    if let Some(shared) = &settings.shared_cache {
        let sources = [&shared.key, &shared.password].into_iter().flatten();
        for source in sources.chain(&shared.keys) {
            if let Ok(PinSource::File(path)) = PinSource::parse(source.expose(), policy) {
                files.push(path);
            }
        }
    }
    files.sort();
    files.dedup();
    files
}

/// True when a PIN, a command, a module's configuration or a password stands in
/// the settings themselves.
fn holds_secret(settings: &ClientSettings, policy: PinPolicy) -> bool {
    let is_secret = |uri: &KeyUri| {
        let reserved = match uri {
            KeyUri::Pkcs11(uri) => uri.settings().init_reserved.is_some(),
            KeyUri::File(_) | KeyUri::AwsKms(_) => false,
        };
        reserved
            || matches!(
                pin_source(uri),
                Some(PinSource::Value(_) | PinSource::Command(_))
            )
    };
    let url = settings.shared_cache.as_ref().and_then(|c| c.url.as_ref());
    let url = url.and_then(|url| url::Url::parse(url.expose()).ok());
    url.is_some_and(|url| url.password().is_some())
        || key_uris(settings, policy).iter().any(is_secret)
}

/// Those that can be read; the others' problem is told where they are opened.
fn key_uris(settings: &ClientSettings, policy: PinPolicy) -> Vec<KeyUri> {
    let several = settings.keys.iter().map(|key| &key.key);
    let tls = settings.tls.iter().filter_map(|tls| tls.key.as_ref());
    let dpop = settings.dpop.iter().filter_map(|dpop| dpop.key.as_ref());
    let own = settings.key.iter().chain(several);
    let settings = own.chain(tls).chain(dpop);
    let parse = |uri: &KeySetting| KeyUri::parse(uri.expose(), policy).ok();
    settings.filter_map(parse).collect()
}

fn pin_source(uri: &KeyUri) -> Option<&PinSource> {
    match uri {
        KeyUri::File(uri) => uri.pin_source(),
        KeyUri::Pkcs11(uri) => uri.pin_source(),
        KeyUri::AwsKms(_) => None,
    }
}
