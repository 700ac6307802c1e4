//! Many relations at once: from a list, or from a file of any size part by part.

mod begin;
mod check;
mod entries;
mod hash;
mod journal;
mod options;
mod pace;
mod plan;
mod request;
mod wrong_lines;

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use check::{BatchCheck, check_batch};
pub use options::{BatchOptions, Progress, SentPart};
pub use plan::MaxRelations;
pub use wrong_lines::WrongLine;

use self::entries::Entries;
use self::hash::Hash;
use self::journal::Journal;
use self::pace::Pace;
use self::plan::{Part, unreadable};
use self::request::in_doubt;
use super::{BatchForm, Boundary, FormStyle, Kfr};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::log::{self, Level};

/// Of more relations in a day Bits wants to be told before (onboarding, step D-3).
const ANNOUNCED: u64 = 100_000;

/// How often in a row KFR may ask to wait longer than a call lasts.
const MOST_WAITS: u32 = 3;

/// A file on its way to KFR. While it lives no other process can send the file.
pub struct Batch {
    kfr: Kfr,
    path: PathBuf,
    file: File,
    journal: Journal,
    journal_path: PathBuf,
    /// Whether there is a file at `journal_path`, and it is this batch's.
    has_journal: bool,
    pace: Pace,
    style: FormStyle,
}

impl Batch {
    /// How far it has come.
    pub fn progress(&self) -> Progress {
        let plan = &self.journal.plan;
        let accepted = &plan.parts[..self.journal.accepted()];
        Progress {
            parts: plan.parts.len(),
            parts_accepted: accepted.len(),
            relations: plan.relations,
            relations_accepted: accepted.iter().map(|part| part.relations).sum(),
        }
    }

    /// Whether so many relations are still to be sent that Bits wants to be told before:
    /// more than 100,000.
    pub fn should_be_announced(&self) -> bool {
        let progress = self.progress();
        progress.relations - progress.relations_accepted > ANNOUNCED
    }

    /// Where it is written down how far the batch has come.
    pub fn journal(&self) -> &Path {
        &self.journal_path
    }

    /// How long KFR still works on the last part.
    pub fn wait(&self) -> Duration {
        self.pace.wait()
    }

    /// Sends all that is left. `call` makes the bounds of each request; the waits between
    /// them, and those that KFR asks for by `Retry-After` (up to three in a row), end only
    /// when it is cancelled. `on_part` hears of each accepted part.
    ///
    /// # Errors
    /// As [`Batch::send_next`].
    pub fn run(
        &mut self,
        call: impl Fn() -> Call,
        mut on_part: impl FnMut(&SentPart, &Progress),
    ) -> Result<Progress> {
        let mut waits = 0;
        while !self.progress().is_done() {
            let waiting = match call().cancel() {
                Some(cancel) => Call::none().with_cancel(cancel.clone()),
                None => Call::none(),
            };
            waiting.pause(self.wait(), "waiting for KFR to load the last part")?;
            match self.send_next(&call()) {
                Ok(Some(part)) => {
                    waits = 0;
                    on_part(&part, &self.progress());
                }
                Ok(None) => break,
                Err(error) => match error.details().retry_after {
                    Some(wait) if error.retryable() && waits < MOST_WAITS => {
                        waits += 1;
                        log::emit(
                            Level::Warn,
                            "apis",
                            format_args!("KFR asks to wait {} s with a batch", wait.as_secs()),
                        );
                        waiting.pause(wait, "waiting as long as KFR asks")?;
                    }
                    _ => return Err(error),
                },
            }
        }
        Ok(self.progress())
    }

    /// Waits for KFR to load the last part, sends the next one and writes down that KFR
    /// accepted it. `None` when all is accepted.
    ///
    /// # Errors
    /// `TIMEOUT` when less time is left than [`Batch::wait`]; `BATCH_STATE` when the file
    /// was changed meanwhile, or another batch has the journal; `IO` when the journal cannot
    /// be written, before or after the part was accepted; the API numbers of [`crate::ErrorCode`] with KFR's own code,
    /// and those of the token endpoint, with the part's number. Where it is not known
    /// whether KFR accepted a part, the message says so; the part is sent again by the
    /// next call, which is harmless, for KFR keeps a relation that it has as it is.
    pub fn send_next(&mut self, call: &Call) -> Result<Option<SentPart>> {
        let index = self.journal.accepted();
        let Some(part) = self.journal.plan.parts.get(index).cloned() else {
            return Ok(None);
        };
        call.pause(self.wait(), "waiting for KFR to load the last part")?;
        let form = self.read(&part)?;
        if !self.has_journal {
            self.journal.write(&self.journal_path)?;
            self.has_journal = true;
        }
        let name = format!("part {} of {}", index + 1, self.journal.plan.parts.len());
        let correlation_id = self
            .kfr
            .post_batch(&self.journal.institution, form, call)
            .map_err(|error| in_doubt(error, &name))?;
        self.pace.accepted(part.relations);
        self.journal.correlation_ids.push(correlation_id);
        self.journal.accepted_at = Some(self.kfr.service.clock().now());
        self.journal.write(&self.journal_path).map_err(|error| {
            error.in_context(format_args!(
                "{name} was accepted (correlation id {correlation_id}), but not written down; the next run sends it \
                 again, which does no harm"
            ))
        })?;
        if self.journal.accepted() == self.journal.plan.parts.len() && !self.has_its_size()? {
            return Err(Error::new(
                ErrorCode::BatchState,
                format!(
                    "{name} was accepted (correlation id {correlation_id}), and all before it, but {} has another size \
                     by now; what was added is not sent: send it as a file of its own",
                    self.path.display()
                ),
            ));
        }
        Ok(Some(SentPart {
            relations: part.relations,
            correlation_id,
        }))
    }

    /// The second pass, over one part.
    fn read(&mut self, part: &Part) -> Result<BatchForm> {
        if !self.has_its_size()? {
            return Err(self.changed());
        }
        let failed = |error| unreadable(&self.path, error);
        self.file
            .seek(SeekFrom::Start(part.offset))
            .map_err(failed)?;
        let room = usize::try_from(part.relations).unwrap_or_default();
        let room = room.min(self.journal.max_relations.get());
        let mut form = BatchForm::new(Boundary::new(), self.style, room);
        let mut entries = Entries::new((&self.file).take(part.length));
        let mut relations = 0;
        while let Some(entry) = entries.next().map_err(failed)? {
            relations += 1;
            match entry.relation {
                Ok(relation) if relations <= part.relations => form.push(&relation),
                _ => return Err(self.changed()),
            }
        }
        match Hash::new(openssl::sha::sha256(form.customers())) == part.sha256 {
            true => Ok(form),
            false => Err(self.changed()),
        }
    }

    /// Lines that somebody still adds would be left out unsaid.
    fn has_its_size(&self) -> Result<bool> {
        let metadata = self.file.metadata();
        let metadata = metadata.map_err(|error| unreadable(&self.path, error))?;
        Ok(metadata.len() == self.journal.plan.size)
    }

    fn changed(&self) -> Error {
        Error::new(
            ErrorCode::BatchState,
            format!(
                "{} was changed while it was sent; put it back as it was and go on, or move {} away and begin again",
                self.path.display(),
                self.journal_path.display()
            ),
        )
    }
}

/// Without the relations.
impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("path", &self.path)
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}
