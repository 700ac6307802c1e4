//! `file:` URIs.

use std::fmt;
use std::path::{Path, PathBuf};

use super::grammar::{self, Attribute, Place};
use super::percent;
use super::{PinPolicy, PinSource};
use crate::error::Result;

/// `file:/etc/segl/key.pem?pin-source=…`; a path without leading `/` is
/// relative to the working directory.
#[derive(Debug, Clone)]
pub struct FileUri {
    pub(super) path: PathBuf,
    pub(super) pin_source: Option<PinSource>,
}

impl FileUri {
    /// Parses what follows `file:`, which is at character `start` of the URI.
    pub(super) fn parse(rest: &str, start: usize, policy: PinPolicy) -> Result<Self> {
        if let Some(at) = rest.find('#') {
            return Err(grammar::refusal(format_args!(
                "the \"#\" at character {} begins a fragment, which a key file has not; write a literal \"#\" as %23",
                start + at
            )));
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Self {
            path: read_path(path, start)?,
            pin_source: None,
        };
        for attribute in grammar::attributes(query, Place::Query, start + path.len() + 1) {
            uri.set(&attribute?, policy)?;
        }
        Ok(uri)
    }

    /// The URI of the file at `path`, without a PIN source.
    pub fn of(path: &Path) -> Self {
        Self {
            path: path.into(),
            pin_source: None,
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the passphrase comes from.
    pub fn pin_source(&self) -> Option<&PinSource> {
        self.pin_source.as_ref()
    }

    fn set(&mut self, attribute: &Attribute<'_>, policy: PinPolicy) -> Result<()> {
        match attribute.name() {
            "pin-source" | "pin-value" => {
                PinSource::set(&mut self.pin_source, attribute, policy)
            }
            _ => Err(attribute.refuse(
                "is not known in file: URIs; remove it or write pin-source, the only one of use here",
            )),
        }
    }
}

/// The URI in canonical form, without any secret.
impl fmt::Display for FileUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file:{}", encode(&self.path))?;
        match &self.pin_source {
            Some(source) => write!(f, "?{}", source.as_attribute()),
            None => Ok(()),
        }
    }
}

/// What stands after `file:` for `path`, percent-encoded.
pub(super) fn encode(path: &Path) -> String {
    percent::encode_location(&literal(path)).to_string()
}

/// What stands after `file:` for `path`, not encoded.
pub(super) fn literal(path: &Path) -> String {
    let path = path.to_string_lossy();
    // Two slashes would announce a host; an empty one goes before them.
    let authority = if path.starts_with("//") { "//" } else { "" };
    format!("{authority}{path}")
}

/// The path after `file:`: `/a`, `///a` and `a`, not `//host/a`, which is `None`.
pub(super) fn without_authority(rest: &str) -> Option<&str> {
    match rest.strip_prefix("//") {
        Some(path) => path.starts_with('/').then_some(path),
        None => Some(rest),
    }
}

fn read_path(encoded: &str, start: usize) -> Result<PathBuf> {
    let refuse = |problem: &str| Err(grammar::refusal(format_args!("the file's path {problem}")));
    let Some(path) = without_authority(encoded) else {
        return refuse("begins with a host; key files are local, so write file:/PATH");
    };
    if path.is_empty() {
        return refuse("is empty; write file:PATH");
    }
    if let Err((offset, problem)) = percent::check(path, percent::is_file_pchar) {
        let at = start + encoded.len() - path.len() + offset;
        return refuse(&format!("is wrong: character {at} {problem}"));
    }
    if grammar::hides_pin(path) {
        return refuse(grammar::MISTYPED_DELIMITER);
    }
    match String::from_utf8(percent::decode(path)) {
        Ok(path) if path.contains('\0') => refuse("holds a NUL (%00), which no file name can"),
        Ok(path) => Ok(path.into()),
        Err(_) => refuse("is not UTF-8 once percent-decoded; encode its UTF-8 bytes"),
    }
}
