//! The configuration: found, read, and whom it is open to.

use std::path::Path;

use super::files;
use super::finding::{Check, Finding};
use super::report::Report;
use crate::config::Config;
use crate::error::{Error, ErrorCode};

/// The configuration at `path`, unless it cannot be read or has no client called
/// `only`.
pub(super) fn check(path: &Path, only: Option<&str>, report: &mut Report) -> Option<Config> {
    let read = Config::from_file(path).and_then(|config| {
        match only {
            Some(name) => config.client(name).map(drop),
            None if config.clients.is_empty() => Err(Error::new(
                ErrorCode::Config,
                "the configuration has no clients; add a table [clients.NAME]",
            )),
            None => Ok(()),
        }
        .map(|()| config)
    });
    match read {
        Ok(config) => {
            let names: Vec<_> = config.clients.keys().map(String::as_str).collect();
            let what = format!("{} has {}", path.display(), names.join(", "));
            report.add(None, Finding::ok(Check::Config, what));
            for finding in files::check_config(path, &config) {
                report.add(None, finding);
            }
            Some(config)
        }
        Err(error) => {
            let finding = Finding::failed_with(Check::Config, error)
                .or_remedy("name the file with --config FILE, or put the setting right");
            report.add(None, finding);
            None
        }
    }
}
