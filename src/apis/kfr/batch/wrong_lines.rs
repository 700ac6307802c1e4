//! The lines of a file that are wrong.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, ErrorCode};

/// A line that is wrong, without what stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WrongLine {
    /// Its number, counted from 1.
    pub line: u64,
    /// What is wrong with the first relation in it that is wrong.
    pub problem: String,
}

/// All of them are counted, and the first ones kept.
pub(super) struct WrongLines {
    pub(super) named: Vec<WrongLine>,
    pub(super) count: u64,
    most: usize,
    last: Option<u64>,
}

impl WrongLines {
    /// None yet, with room for so many.
    pub(super) fn new(most: usize) -> Self {
        Self {
            named: Vec::new(),
            count: 0,
            most,
            last: None,
        }
    }

    pub(super) fn add(&mut self, line: u64, error: &Error) {
        if self.last.replace(line) == Some(line) {
            return;
        }
        self.count += 1;
        if self.named.len() < self.most {
            self.named.push(WrongLine {
                line,
                problem: error.message().to_owned(),
            });
        }
    }

    /// `BATCH_LINE` naming them, if there are any.
    pub(super) fn error(&self, path: &Path) -> Option<Error> {
        if self.count == 0 {
            return None;
        }
        let mut message = match self.count {
            1 => format!("a line of {} is wrong", path.display()),
            lines => format!("{lines} lines of {} are wrong", path.display()),
        };
        message.push_str(", and nothing was sent");
        for WrongLine { line, problem } in &self.named {
            let _ = write!(message, "; line {line}: {problem}");
        }
        let more = self.count - self.named.len() as u64;
        if more > 0 {
            let _ = write!(message, "; and {more} more");
        }
        message.push_str(". Correct them and begin again");
        Some(Error::new(ErrorCode::BatchLine, message))
    }
}
