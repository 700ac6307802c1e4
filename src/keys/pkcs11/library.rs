//! Which files may be loaded as a PKCS#11 module. A module sees the PIN, so not
//! everybody may be able to change it.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorCode, Result};
use crate::log::{self, Level};

/// What makes two paths the same library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileId {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
    #[cfg(not(unix))]
    path: PathBuf,
}

/// The canonical path of the module at `path`.
///
/// # Errors
/// `MODULE_LOAD` when there is no such file, or others can write to it.
pub(super) fn check(path: &Path) -> Result<(PathBuf, FileId)> {
    let refuse = |why: &str| {
        Error::new(
            ErrorCode::ModuleLoad,
            format!("the PKCS#11 module {} {why}", path.display()),
        )
    };
    if !path.is_absolute() {
        return Err(refuse("is not an absolute path; give module-path in full"));
    }
    let unreadable = |source: std::io::Error| {
        refuse(&format!("cannot be read ({source}); check module-path")).with_source(source)
    };
    let canonical = fs::canonicalize(path).map_err(unreadable)?;
    let metadata = fs::metadata(&canonical).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(refuse(
            "is not a file; module-path must name the library itself",
        ));
    }
    if others_can_write(&metadata) {
        return Err(refuse(
            "can be changed by other users, who could read the PIN with it; \
             take write permission from group and others (chmod go-w)",
        ));
    }
    if is_owned_by_another(&metadata) {
        log::emit(
            Level::Warn,
            "pkcs11",
            format_args!(
                "{} is owned by a user who is neither root nor this process's; that user can read the PIN",
                canonical.display()
            ),
        );
    }
    let id = file_id(&canonical, &metadata);
    Ok((canonical, id))
}

/// True for a library in which calls hang for ever unless they come one at a time.
///
/// When the connection of p11-kit's client is lost, a thread that waits for another
/// one to read its answer is not woken (p11-kit 0.24, `rpc_socket_read` in
/// `rpc-transport.c`; seen with 0.24.1). There is one connection anyway.
pub(super) fn needs_serial_calls(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with("p11-kit-client"))
}

#[cfg(unix)]
fn file_id(_path: &Path, metadata: &Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    FileId {
        device_and_inode: (metadata.dev(), metadata.ino()),
    }
}

#[cfg(not(unix))]
fn file_id(path: &Path, _metadata: &Metadata) -> FileId {
    FileId { path: path.into() }
}

#[cfg(unix)]
fn others_can_write(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let trusted_group = metadata.gid() == 0 || own(|own| own.gid() == metadata.gid());
    metadata.mode() & 0o002 != 0 || metadata.mode() & 0o020 != 0 && !trusted_group
}

#[cfg(unix)]
fn is_owned_by_another(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.uid() != 0 && !own(|own| own.uid() == metadata.uid())
}

/// Asks something about the process's own user and group, who own /proc/self.
/// False where there is no /proc.
#[cfg(unix)]
fn own(question: impl FnOnce(&Metadata) -> bool) -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| question(&own))
}

#[cfg(not(unix))]
fn others_can_write(_metadata: &Metadata) -> bool {
    false
}

#[cfg(not(unix))]
fn is_owned_by_another(_metadata: &Metadata) -> bool {
    false
}
