//! The first pass over a file: every line is read, and the file is cut into parts.

use std::fs::File;
use std::path::Path;

use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::relation::{MAX_LEN, Relation};
use super::entries::Entries;
use super::hash::Hash;
use super::wrong_lines::WrongLines;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};

/// The most parts of a batch, so that what is known of them is small (a journal of less
/// than a mebibyte, which is the most that is read).
const MOST_PARTS: usize = 4_000;

/// The most lines that an error names.
const MOST_NAMED: usize = 10;

/// How often the call is looked at, in entries.
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
        let read = Read::of(path, file, max, MOST_NAMED, call)?;
        match read.wrong.error(path) {
            Some(error) => Err(error),
            None => Ok(read.plan),
        }
    }
}

/// What the first pass found.
pub(super) struct Read {
    /// Of the relations that are right.
    pub(super) plan: Plan,
    pub(super) wrong: WrongLines,
    /// Of the lines of customers as they are sent.
    pub(super) bytes: u64,
}

impl Read {
    /// Reads the whole file, and keeps what is wrong with so many lines.
    ///
    /// # Errors
    /// `BATCH_LINE` when the file has nothing in it; otherwise as [`Plan::of`], without
    /// wrong lines.
    pub(super) fn of(
        path: &Path,
        file: &File,
        max: MaxRelations,
        most_named: usize,
        call: &Call,
    ) -> Result<Self> {
        let mut entries = Entries::new(file);
        let mut wrong = WrongLines::new(most_named);
        let mut parts = Vec::new();
        let mut open: Option<Open> = None;
        let (mut seen, mut relations, mut bytes) = (0_u64, 0, 0);
        while let Some(entry) = entries.next().map_err(|error| unreadable(path, error))? {
            if seen.is_multiple_of(CHECK_EVERY) {
                call.check("reading the relations")?;
            }
            seen += 1;
            let relation = match &entry.relation {
                Ok(relation) => relation,
                Err(error) => {
                    wrong.add(entry.line, error);
                    continue;
                }
            };
            relations += 1;
            let part = match &mut open {
                Some(part) => part,
                None if parts.len() == MOST_PARTS => return Err(too_many_parts(path)),
                None => open.insert(Open::at(entry.start)),
            };
            bytes += part.add(relation, entry.end);
            if part.relations == max.get() as u64 {
                parts.extend(open.take().map(Open::close));
            }
        }
        parts.extend(open.take().map(Open::close));
        if seen == 0 {
            return Err(Error::new(
                ErrorCode::BatchLine,
                format!(
                    "{} has no relation in it; is it the right file?",
                    path.display()
                ),
            ));
        }
        let (size, sha256) = entries.finish();
        let plan = Plan {
            size,
            sha256: Hash::new(sha256),
            relations,
            parts,
        };
        Ok(Self { plan, wrong, bytes })
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

    /// Gives back how many bytes of the line of customers it takes.
    fn add(&mut self, relation: &Relation, end: u64) -> u64 {
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_LEN + 1));
        if self.relations > 0 {
            text.push(b',');
        }
        relation.write(&mut text);
        self.hash.update(&text);
        self.relations += 1;
        self.end = end;
        text.len() as u64
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
