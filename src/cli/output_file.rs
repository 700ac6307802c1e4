//! Files that commands write. One that cannot be written whole is not left behind.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::error::{Error, ErrorCode, Result};

/// Writes a file that does not exist yet, for everybody to read.
pub(super) fn write_new(path: &Path, content: &[u8]) -> Result<()> {
    create(path, content, OpenOptions::new()).map_err(|source| {
        let remedy = "; name a file that does not exist yet";
        not_written(path, remedy, source)
    })
}

/// Writes a file for this user only, in the place of the one that may be there: that
/// stays as it is until the new one is whole. What is no file, as a terminal, a pipe or
/// /dev/null, is written to.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let written = match fs::metadata(path) {
        Ok(there) if !there.is_file() => {
            let opened = OpenOptions::new().write(true).open(path);
            opened.and_then(|mut file| file.write_all(content))
        }
        // Of a symbolic link, what it leads to.
        Ok(_) => fs::canonicalize(path).and_then(|path| put_in_place(&path, content)),
        Err(_) => put_in_place(path, content),
    };
    written.map_err(|source| not_written(path, "", source))
}

fn put_in_place(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = beside(path);
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    create(&new, content, options)?;
    fs::rename(&new, path).inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })
}

/// A name that nobody has, in the folder of `path`.
fn beside(path: &Path) -> PathBuf {
    path.with_file_name(format!(".segl-{}", Uuid::new_v4().simple()))
}

fn create(path: &Path, content: &[u8], mut options: OpenOptions) -> io::Result<()> {
    let mut file = options.write(true).create_new(true).open(path)?;
    file.write_all(content).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

fn not_written(path: &Path, remedy: &str, source: io::Error) -> Error {
    let problem = format!("{} cannot be written: {source}{remedy}", path.display());
    Error::new(ErrorCode::Io, problem).with_source(source)
}
