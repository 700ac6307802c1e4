//! How a batch is sent, and how far it has come.

use std::path::PathBuf;

use super::plan::MaxRelations;
use crate::apis::kfr::{CorrelationId, FormStyle};

/// How a file is sent. The default is what most need.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct BatchOptions {
    /// The most relations of a request. A batch that goes on keeps to the number that it
    /// began with.
    pub max_relations: Option<MaxRelations>,
    /// How many relations go in a second, on average; 0 is as fast as it goes. Default
    /// 250, which is what KFR loads.
    pub relations_per_second: Option<u32>,
    /// Where it is written down how far the batch has come. Default: the file's name with
    /// `.kfr-state`.
    pub journal: Option<PathBuf>,
    /// Goes on where an interrupted batch stopped. Without a journal it begins.
    pub resume: bool,
    /// How the form is written.
    pub form: FormStyle,
}

/// How far a batch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Requests in all.
    pub parts: usize,
    /// Those that KFR accepted, earlier runs included.
    pub parts_accepted: usize,
    /// Relations in all.
    pub relations: u64,
    /// Those in accepted parts.
    pub relations_accepted: u64,
}

impl Progress {
    /// Whether all is accepted.
    pub fn is_done(&self) -> bool {
        self.parts_accepted == self.parts
    }
}

/// A part that KFR accepted: its request and its data are valid. Loading them comes
/// later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentPart {
    /// How many relations it has.
    pub relations: u64,
    /// What KFR calls the request.
    pub correlation_id: CorrelationId,
}
