//! Reading a PIN, a passphrase or another secret from where it is kept.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::mem;
use std::path::Path;
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::pin_source::refusal;
use crate::error::Result;
use crate::secret::Secret;

/// The most a file or a command may give, in bytes.
const MAX_LEN: usize = 4096;

/// The secret in a file. Errors speak of it as `what`.
pub(super) fn file(path: &Path, what: &str) -> Result<Secret> {
    let unreadable = |source: io::Error| {
        refusal(format!(
            "the file cannot be read ({}); check that it exists and that this user may read it",
            source.kind()
        ))
        .with_source(source)
    };
    // Opening a FIFO would wait for a writer, so this is asked before.
    require_private_file(&fs::metadata(path).map_err(unreadable)?, what)?;
    let file = File::open(path).map_err(unreadable)?;
    require_private_file(&file.metadata().map_err(unreadable)?, what)?;
    match read_limited(file).map_err(unreadable)? {
        Some(bytes) => without_newline(bytes, || {
            format!("the file is empty; write the {what} into it")
        }),
        None => Err(refusal(format!(
            "the file holds more than {MAX_LEN} bytes; it must hold the {what} alone"
        ))),
    }
}

/// The secret in an environment variable, as it is. Errors speak of it as `what`.
pub(super) fn variable(name: &str, what: &str) -> Result<Secret> {
    let value = env::var_os(name).ok_or_else(|| {
        refusal(format!(
            "the environment variable is not set; set it to the {what}"
        ))
    })?;
    let bytes = into_bytes(value)?;
    if bytes.is_empty() {
        return Err(refusal(format!(
            "the environment variable is empty; set it to the {what}"
        )));
    }
    Ok(Secret::new(bytes))
}

/// The secret that a shell command prints. Errors speak of it as `what`.
pub(super) fn command(command: &str, what: &str) -> Result<Secret> {
    let unusable = |source: io::Error| {
        refusal(format!(
            "the command cannot be run with sh ({}); use another {what} source",
            source.kind()
        ))
        .with_source(source)
    };
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(unusable)?;
    let output = match child.stdout.take() {
        Some(stdout) => read_limited(stdout),
        None => Ok(None),
    };
    let complete = matches!(output, Ok(Some(_)));
    if !complete {
        // It may already be gone, which is as good.
        let _ = child.kill();
    }
    let status = child.wait().map_err(unusable)?;
    let Some(bytes) = output.map_err(unusable)? else {
        return Err(refusal(format!(
            "the command printed more than {MAX_LEN} bytes; it must print the {what} alone"
        )));
    };
    if !status.success() {
        return Err(refusal(format!(
            "the command failed ({status}); run it by hand to see why, its messages are not shown here"
        )));
    }
    without_newline(bytes, || {
        format!("the command printed nothing; it must print the {what}")
    })
}

fn require_private_file(metadata: &Metadata, what: &str) -> Result<()> {
    if !metadata.is_file() {
        return Err(refusal(format!(
            "it is not a regular file; name a file that holds the {what} alone"
        )));
    }
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        if mode & 0o007 != 0 {
            return Err(refusal(format!(
                "every user of this machine can get at the file (mode {:04o}); chmod it to 0400, or set that mode \
                 on the secret (Kubernetes: defaultMode, Docker: mode)",
                mode & 0o7777
            )));
        }
    }
    Ok(())
}

/// Everything up to [`MAX_LEN`] bytes in a buffer that never moves; `None` when
/// there is more.
fn read_limited(mut from: impl Read) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut bytes = Zeroizing::new(vec![0; MAX_LEN + 1]);
    let mut len = 0;
    while len < bytes.len() {
        match from.read(&mut bytes[len..]) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(len);
    Ok((len <= MAX_LEN).then_some(bytes))
}

/// Strips one `\n` or `\r\n` from the end; `if_empty` is the error when nothing
/// is left.
fn without_newline(
    mut bytes: Zeroizing<Vec<u8>>,
    if_empty: impl FnOnce() -> String,
) -> Result<Secret> {
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    if bytes.is_empty() {
        return Err(refusal(if_empty()));
    }
    Ok(Secret::new(mem::take(&mut *bytes)))
}

#[cfg(unix)]
fn into_bytes(value: OsString) -> Result<Vec<u8>> {
    Ok(std::os::unix::ffi::OsStringExt::into_vec(value))
}

#[cfg(not(unix))]
fn into_bytes(value: OsString) -> Result<Vec<u8>> {
    value
        .into_string()
        .map(String::into_bytes)
        .map_err(|_| refusal("the environment variable is not Unicode; use a file"))
}
