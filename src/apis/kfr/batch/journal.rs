//! What is known of a batch that may be interrupted: a file beside its relations, without
//! any identifier of a customer.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::plan::{MaxRelations, Plan};
use crate::apis::kfr::CorrelationId;
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::json::{self, Problem};
use crate::keys::OrgNumber;

const VERSION: u32 = 1;

/// What a batch is and how far it has come. Its parts are accepted in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Journal {
    pub(super) institution: OrgNumber,
    pub(super) base_url: String,
    pub(super) max_relations: MaxRelations,
    pub(super) plan: Plan,
    /// Of the accepted parts.
    pub(super) correlation_ids: Vec<CorrelationId>,
    /// When the last of them was accepted.
    pub(super) accepted_at: Option<UnixTime>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u32,
    institution: String,
    base_url: String,
    max_relations: MaxRelations,
    file: Plan,
    correlation_ids: Vec<CorrelationId>,
    accepted_at: Option<i64>,
}

impl Journal {
    /// Reads the journal at `path`; `None` when there is none.
    ///
    /// # Errors
    /// `BATCH_STATE` when it is no journal, or one that contradicts itself; `IO`.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        if let Err(error) = fs::symlink_metadata(path)
            && error.kind() == io::ErrorKind::NotFound
        {
            return Ok(None);
        }
        let text = crate::file::read_text(path, "the journal")?;
        Self::parse(&text).map(Some).map_err(|problem| {
            Error::new(
                ErrorCode::BatchState,
                format!(
                    "{} is no journal of a batch: {problem}; name the right one, or move it away to begin again",
                    path.display()
                ),
            )
        })
    }

    /// Puts it at `path` for this user only, whole or not at all: in the place of the one
    /// of this batch, or where there is none yet.
    ///
    /// # Errors
    /// `BATCH_STATE` when another batch has begun with this journal; `IO`.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let put = match self.accepted() {
            0 => put_new,
            _ => put_over,
        };
        let written = serde_json::to_vec(&self.wire())
            .map_err(io::Error::other)
            .and_then(|json| write(path, &json, put));
        written.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => Error::new(
                ErrorCode::BatchState,
                format!(
                    "another batch has begun with the journal {} meanwhile; name another journal for this one",
                    path.display()
                ),
            ),
            _ => Error::new(
                ErrorCode::Io,
                format!("the journal {} cannot be written: {source}", path.display()),
            )
            .with_source(source),
        })
    }

    /// How many parts are accepted.
    pub(super) fn accepted(&self) -> usize {
        self.correlation_ids.len()
    }

    fn parse(text: &str) -> std::result::Result<Self, String> {
        let wire: Wire = json::from_object(text).map_err(|problem| match problem {
            Problem::Syntax { what, .. } => what,
            Problem::Member { path, what } => format!("\"{path}\": {what}"),
        })?;
        if wire.version != VERSION {
            return Err(format!("it has version {}, not {VERSION}", wire.version));
        }
        let message = |error: Error| error.message().to_owned();
        let journal = Self {
            institution: wire.institution.parse().map_err(message)?,
            base_url: wire.base_url,
            max_relations: wire.max_relations,
            correlation_ids: wire.correlation_ids,
            accepted_at: wire.accepted_at.map(UnixTime::from_seconds),
            plan: wire.file,
        };
        if journal.accepted() > journal.plan.parts.len() {
            return Err("it has more accepted parts than parts".to_owned());
        }
        Ok(journal)
    }

    fn wire(&self) -> Wire {
        Wire {
            version: VERSION,
            institution: self.institution.as_str().to_owned(),
            base_url: self.base_url.clone(),
            max_relations: self.max_relations,
            file: self.plan.clone(),
            correlation_ids: self.correlation_ids.clone(),
            accepted_at: self.accepted_at.map(UnixTime::seconds),
        }
    }
}

/// The file is there whole after a crash at any moment, or as it was before.
fn write(path: &Path, content: &[u8], put: fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    // A name that nobody has.
    let new = with_suffix(path, &format!(".{}", Uuid::new_v4().simple()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    let done = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| put(&new, path));
    if done.is_err() {
        let _ = fs::remove_file(&new);
        return done;
    }
    sync_folder(path)
}

/// Gives a file its name, also where another one has it.
fn put_over(new: &Path, path: &Path) -> io::Result<()> {
    fs::rename(new, path)
}

/// Gives a file its name, if none has it.
fn put_new(new: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(new, path) {
        Ok(()) => fs::remove_file(new),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Some file systems have no links.
        Err(_) if fs::symlink_metadata(path).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(new, path),
    }
}

/// The new name is on the disk too.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// `path` with more at the end of its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::hash::Hash;
    use super::super::plan::Part;
    use super::*;

    fn any_journal() -> impl Strategy<Value = Journal> {
        let part = (any::<u64>(), any::<u64>(), any::<u64>(), any::<[u8; 32]>()).prop_map(
            |(offset, length, relations, hash)| Part {
                offset,
                length,
                relations,
                sha256: Hash::new(hash),
            },
        );
        (
            proptest::collection::vec(part, 1..6),
            any::<u64>(),
            any::<[u8; 32]>(),
            1_u32..=400_000,
            any::<u8>(),
            proptest::option::of(any::<i64>()),
        )
            .prop_map(|(parts, size, hash, max, accepted, at)| Journal {
                institution: "916960190".parse().unwrap(),
                base_url: "https://api.bits.no/kar-ws/api/v1".to_owned(),
                max_relations: max.try_into().unwrap(),
                correlation_ids: (0..usize::from(accepted) % (parts.len() + 1))
                    .map(|_| CorrelationId::random())
                    .collect(),
                plan: Plan {
                    size,
                    sha256: Hash::new(hash),
                    relations: parts.len() as u64,
                    parts,
                },
                accepted_at: at.map(UnixTime::from_seconds),
            })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(journal in any_journal()) {
            let text = serde_json::to_string(&journal.wire()).unwrap();
            prop_assert_eq!(Journal::parse(&text), Ok(journal));
        }

        #[test]
        fn a_damaged_one_is_refused_or_read_and_never_panics(
            journal in any_journal(),
            at in any::<proptest::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = serde_json::to_vec(&journal.wire()).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = Journal::parse(&String::from_utf8_lossy(&bytes));
            bytes.truncate(at);
            prop_assert!(Journal::parse(&String::from_utf8_lossy(&bytes)).is_err());
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_this_user_may_read_it_and_nothing_else_is_left() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.kfr-state");
        write(&path, b"one", put_new).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        write(&path, b"two", put_over).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        let error = write(&path, b"three", put_new).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
