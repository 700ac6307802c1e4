//! What a file would be as a batch, found out without sending anything.

use std::path::Path;

use serde::Serialize;

use super::begin::open;
use super::plan::Read;
use super::wrong_lines::WrongLine;
use super::{ANNOUNCED, BatchOptions};
use crate::apis::kfr::{BatchForm, Boundary};
use crate::call::Call;
use crate::error::Result;

/// The most lines that a check names.
const MOST_NAMED: usize = 100;

/// What [`check_batch`] found in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BatchCheck {
    /// The relations that are right.
    pub relations: u64,
    /// How many requests they would take.
    pub parts: usize,
    /// The bytes of all these requests' bodies.
    pub bytes: u64,
    /// Whether there are so many relations that Bits wants to be told before: more than
    /// 100,000.
    pub should_be_announced: bool,
    /// How many lines are wrong. With one of them nothing of the file would be sent.
    pub wrong_lines: u64,
    /// The first 100 of them.
    pub first_wrong_lines: Vec<WrongLine>,
}

/// Reads the whole of `file` as [`Kfr::batch`](crate::apis::Kfr::batch) does, in constant
/// memory, and tells what would be sent and which lines are wrong. Needs no token, key,
/// journal or network, and sends nothing. Of `options`, `max_relations` and `form` count.
///
/// # Errors
/// `BATCH_LINE` when the file is empty; `IO`; `INVALID_ARGUMENT` when there would be too
/// many parts; what ends the call. Wrong lines are no error.
pub fn check_batch(file: &Path, options: &BatchOptions, call: &Call) -> Result<BatchCheck> {
    let max_relations = options.max_relations.unwrap_or_default();
    let read = Read::of(file, &open(file)?, max_relations, MOST_NAMED, call)?;
    let parts = read.plan.parts.len();
    // Each boundary is as long as the others.
    let (_, frame) = BatchForm::new(Boundary::new(), options.form, 0).finish();
    Ok(BatchCheck {
        relations: read.plan.relations,
        parts,
        bytes: read.bytes + parts as u64 * frame.len() as u64,
        should_be_announced: read.plan.relations > ANNOUNCED,
        wrong_lines: read.wrong.count,
        first_wrong_lines: read.wrong.named,
    })
}
