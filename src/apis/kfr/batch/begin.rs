//! A batch from a file begins, or goes on where it stopped.

use std::fs::{File, TryLockError};
use std::num::NonZeroU32;
use std::path::Path;

use super::journal::{Journal, with_suffix};
use super::pace::{self, Pace};
use super::plan::{Plan, unreadable};
use super::{ANNOUNCED, Batch, BatchOptions};
use crate::apis::kfr::Kfr;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::OrgNumber;
use crate::log::{self, Level};

impl Kfr {
    /// Reads and checks the whole of `file`, which has a relation a line, or several
    /// between commas, as `ID` or `ID#YYYY-MM-DD`. Nothing is sent yet: that is
    /// [`Batch::run`] or [`Batch::send_next`].
    ///
    /// # Errors
    /// `BATCH_LINE` with the numbers of wrong lines; `BATCH_STATE` when there is a
    /// journal and `resume` is not set, when it belongs to another file, institution or
    /// environment, or when another process sends the file; `IO`; what ends the call.
    pub fn batch(
        &self,
        institution: &OrgNumber,
        file: &Path,
        options: &BatchOptions,
        call: &Call,
    ) -> Result<Batch> {
        let opened = open(file)?;
        lock(&opened, file)?;
        let journal_path = match &options.journal {
            Some(path) => path.clone(),
            None => with_suffix(file, ".kfr-state"),
        };
        let known = Journal::read(&journal_path)?;
        if let Some(known) = &known {
            may_go_on(known, &journal_path, self, institution, options)?;
        }
        let max_relations = match &known {
            Some(known) => known.max_relations,
            None => options.max_relations.unwrap_or_default(),
        };
        let has_journal = known.is_some();
        let plan = Plan::of(file, &opened, max_relations, call).map_err(|error| {
            // The file that the batch began with had no such fault.
            match error.code() {
                ErrorCode::BatchLine if has_journal => state(
                    &journal_path,
                    "belongs to another file, or the file was changed since: it has wrong lines, which segl kfr check \
                     (check_batch) names; send the file as it was, or move the journal away to begin again",
                ),
                ErrorCode::InvalidArgument if has_journal => other_file(&journal_path),
                _ => error,
            }
        })?;
        let journal = match known {
            Some(known) if known.plan == plan => known,
            Some(_) => return Err(other_file(&journal_path)),
            None => Journal {
                institution: institution.clone(),
                base_url: self.base_url()?,
                max_relations,
                plan,
                correlation_ids: Vec::new(),
                accepted_at: None,
            },
        };
        let rate = options.relations_per_second.unwrap_or(pace::USUAL);
        let mut pace = Pace::new(self.service.clock().clone(), NonZeroU32::new(rate));
        if let (Some(time), Some(last)) = (journal.accepted_at, journal.accepted().checked_sub(1)) {
            pace.accepted_at(time, journal.plan.parts[last].relations);
        }
        let batch = Batch {
            kfr: Self {
                correlation_id: None,
                ..self.clone()
            },
            path: file.to_owned(),
            file: opened,
            journal,
            journal_path,
            has_journal,
            pace,
            style: options.form,
        };
        if batch.should_be_announced() {
            log::emit(
                Level::Warn,
                "apis",
                format_args!(
                    "more than {ANNOUNCED} relations are to be sent to KFR; Bits (DSOP@bits.no) wants to know before"
                ),
            );
        }
        Ok(batch)
    }

    fn base_url(&self) -> Result<String> {
        Ok(self.service.url(&[], &[])?.as_str().to_owned())
    }
}

/// A regular file of relations, to be read.
///
/// # Errors
/// `IO`.
pub(super) fn open(path: &Path) -> Result<File> {
    let failed = |error| unreadable(path, error);
    // Before it is opened: opening a FIFO waits for its writer.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Error::new(
            ErrorCode::Io,
            format!(
                "{} is not a regular file; write the relations into one",
                path.display()
            ),
        ));
    }
    File::open(path).map_err(failed)
}

/// Lets nobody else send the file meanwhile.
fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::new(
            ErrorCode::BatchState,
            format!(
                "{} is being sent by another process; wait for it to end",
                path.display()
            ),
        )),
        // Some file systems have no locks.
        _ => Ok(()),
    }
}

/// Whether the batch that `known` is about may go on with this institution and options.
fn may_go_on(
    known: &Journal,
    path: &Path,
    kfr: &Kfr,
    institution: &OrgNumber,
    options: &BatchOptions,
) -> Result<()> {
    if !options.resume {
        let (accepted, parts) = (known.accepted(), known.plan.parts.len());
        let problem = match accepted == parts {
            true => "is of a batch that is done; move it away, or name another, to send this file"
                .to_owned(),
            false => format!(
                "says that {accepted} of {parts} parts were accepted; resume (--resume) goes on, or move the journal \
                 away to send everything again"
            ),
        };
        return Err(state(path, &problem));
    }
    if known.institution != *institution {
        return Err(state(
            path,
            "belongs to another institution's batch; name the right one",
        ));
    }
    if known.base_url != kfr.base_url()? {
        return Err(state(
            path,
            "belongs to a batch to another environment; use the client that it was begun with",
        ));
    }
    if options
        .max_relations
        .is_some_and(|max| max != known.max_relations)
    {
        return Err(state(
            path,
            &format!(
                "belongs to a batch with {} relations in a part; leave max_relations out",
                known.max_relations.get()
            ),
        ));
    }
    Ok(())
}

fn other_file(journal: &Path) -> Error {
    state(
        journal,
        "belongs to another file, or the file was changed since; send the file as it was, or move the journal away to \
         begin again",
    )
}

fn state(journal: &Path, problem: &str) -> Error {
    Error::new(
        ErrorCode::BatchState,
        format!("the journal {} {problem}", journal.display()),
    )
}
