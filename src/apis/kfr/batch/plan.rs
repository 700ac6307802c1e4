//! The first pass over a file: every line is read, and the file is cut into parts.

use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;

use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};

use super::entries::{Entries, Entry};
use super::hash::Hash;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};

/// The most parts of a batch, so that what is known of them is small (a journal of less
/// than a mebibyte, which is the most that is read).
const MOST_PARTS: usize = 4_000;

/// The most lines that an error names.
const MOST_NAMED: usize = 10;

/// How often the call is looked at, in relations.
const CHECK_EVERY: u64 = 4_096;

/// The most relations of one request. A form with so many is at most 400,000 × 23 bytes
/// and its frame, which is under the 10 MB that KFR takes (onboarding, step D-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct MaxRelations(u32);

impl MaxRelations {
    /// The largest: 400,000.
    pub fn largest() -> Self {
        Self(400_000)
    }

    /// The number.
    pub fn get(self) -> usize {
        self.0 as usize
    }
}

impl Default for MaxRelations {
    /// 10,000: 40 seconds of KFR's work.
    fn default() -> Self {
        Self(10_000)
    }
}

impl TryFrom<u32> for MaxRelations {
    type Error = Error;

    /// # Errors
    /// `INVALID_ARGUMENT` for none, or more than [`MaxRelations::largest`].
    fn try_from(number: u32) -> Result<Self> {
        match number {
            1..=400_000 => Ok(Self(number)),
            _ => Err(Error::new(
                ErrorCode::InvalidArgument,
                "a request has 1 to 400000 relations (KFR takes 10 MB); the usual number is 10000",
            )),
        }
    }
}

impl From<MaxRelations> for u32 {
    fn from(number: MaxRelations) -> Self {
        number.0
    }
}

/// A file and its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    /// In bytes.
    pub(super) size: u64,
    pub(super) sha256: Hash,
    pub(super) relations: u64,
    pub(super) parts: Vec<Part>,
}

/// What goes in one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// In bytes, from the beginning of the file.
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) relations: u64,
    /// Of the line of customers as it is sent.
    pub(super) sha256: Hash,
}

impl Plan {
    /// Reads the whole file.
    ///
    /// # Errors
    /// `BATCH_LINE` with the numbers of wrong lines; `IO`; `INVALID_ARGUMENT` when there
    /// would be too many parts; what ends the call.
    pub(super) fn of(path: &Path, file: &File, max: MaxRelations, call: &Call) -> Result<Self> {
        let mut entries = Entries::new(file);
        let mut wrong = Wrong::default();
        let mut parts = Vec::new();
        let mut open: Option<Open> = None;
        let mut relations = 0;
        while let Some(entry) = entries.next().map_err(|error| unreadable(path, error))? {
            if relations % CHECK_EVERY == 0 {
                call.check("reading the relations")?;
            }
            relations += 1;
            let part = open.get_or_insert_with(|| Open::at(entry.start));
            part.add(&entry, &mut wrong);
            if part.relations == max.get() as u64 {
                parts.extend(open.take().map(Open::close));
                if parts.len() > MOST_PARTS {
                    return Err(too_many_parts(path));
                }
            }
        }
        parts.extend(open.take().map(Open::close));
        wrong.refuse(path)?;
        if parts.is_empty() {
            return Err(Error::new(
                ErrorCode::BatchLine,
                format!(
                    "{} has no relation in it; is it the right file?",
                    path.display()
                ),
            ));
        }
        let (size, sha256) = entries.finish();
        Ok(Self {
            size,
            sha256: Hash::new(sha256),
            relations,
            parts,
        })
    }
}

/// `IO`: the file of relations cannot be read.
pub(super) fn unreadable(path: &Path, source: std::io::Error) -> Error {
    Error::new(
        ErrorCode::Io,
        format!(
            "the relations in {} cannot be read: {source}",
            path.display()
        ),
    )
    .with_source(source)
}

fn too_many_parts(path: &Path) -> Error {
    Error::new(
        ErrorCode::InvalidArgument,
        format!(
            "{} would make more than {MOST_PARTS} requests; allow more relations in each (max_relations), or divide \
             the file",
            path.display()
        ),
    )
}

/// A part that is being read.
struct Open {
    offset: u64,
    end: u64,
    relations: u64,
    hash: Sha256,
}

impl Open {
    fn at(offset: u64) -> Self {
        Self {
            offset,
            end: offset,
            relations: 0,
            hash: Sha256::new(),
        }
    }

    fn add(&mut self, entry: &Entry, wrong: &mut Wrong) {
        if self.relations > 0 {
            self.hash.update(b",");
        }
        match &entry.relation {
            Ok(relation) => {
                let mut text = zeroize::Zeroizing::new(Vec::with_capacity(32));
                relation.write(&mut text);
                self.hash.update(&text);
            }
            Err(error) => wrong.add(entry.line, error),
        }
        self.relations += 1;
        self.end = entry.end;
    }

    fn close(self) -> Part {
        Part {
            offset: self.offset,
            length: self.end - self.offset,
            relations: self.relations,
            sha256: Hash::new(self.hash.finish()),
        }
    }
}

/// The lines that are wrong.
#[derive(Default)]
struct Wrong {
    named: Vec<(u64, String)>,
    lines: u64,
    last: Option<u64>,
}

impl Wrong {
    fn add(&mut self, line: u64, error: &Error) {
        if self.last.replace(line) == Some(line) {
            return;
        }
        self.lines += 1;
        if self.named.len() < MOST_NAMED {
            self.named.push((line, error.message().to_owned()));
        }
    }

    fn refuse(&self, path: &Path) -> Result<()> {
        if self.lines == 0 {
            return Ok(());
        }
        let mut message = match self.lines {
            1 => format!("a line of {} is wrong", path.display()),
            lines => format!("{lines} lines of {} are wrong", path.display()),
        };
        message.push_str(", and nothing was sent");
        for (line, problem) in &self.named {
            let _ = write!(message, "; line {line}: {problem}");
        }
        let more = self.lines - self.named.len() as u64;
        if more > 0 {
            let _ = write!(message, "; and {more} more");
        }
        message.push_str(". Correct them and begin again");
        Err(Error::new(ErrorCode::BatchLine, message))
    }
}
