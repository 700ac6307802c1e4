//! Reading the small files that segl is given: keys, certificates, configuration.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};

/// The most that a key, certificate or configuration file may hold, in bytes.
const MAX_LEN: u64 = 1024 * 1024;

/// Reads a whole regular file of at most one mebibyte; `what` names it in errors.
/// The buffer wipes itself, as the file may hold a key.
pub(crate) fn read(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>> {
    let fail = |problem: String| {
        Error::new(
            ErrorCode::Io,
            format!("{what} {}: {problem}", path.display()),
        )
    };
    let failed = |error: std::io::Error| {
        let remedy = match error.kind() {
            std::io::ErrorKind::NotFound => "; correct the path",
            std::io::ErrorKind::PermissionDenied => "; let this user read it",
            _ => "",
        };
        fail(format!("{error}{remedy}")).with_source(error)
    };
    // Before it is opened: opening a FIFO waits for its writer.
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(fail("is not a regular file".into()));
    }
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(
        usize::try_from(metadata.len().min(MAX_LEN)).unwrap_or(0) + 1,
    ));
    file.take(MAX_LEN + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_LEN {
        return Err(fail("is larger than 1 MiB; is it the right file?".into()));
    }
    Ok(bytes)
}

/// As [`read`], as UTF-8 text.
pub(crate) fn read_text(path: &Path, what: &str) -> Result<Zeroizing<String>> {
    let bytes = read(path, what)?;
    let text = std::str::from_utf8(&bytes).map_err(|source| {
        Error::new(
            ErrorCode::InvalidUtf8,
            format!("{what} {} is not UTF-8 text", path.display()),
        )
        .with_source(source)
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}
