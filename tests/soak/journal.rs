//! What segl logged of late, to be shown when something took long or went wrong. A
//! call's records come when it is over.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use segl::log::{Level, Sink, set_sink};

const LINES: usize = 400;

#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<VecDeque<(Instant, String)>>>);

impl Journal {
    /// One that segl writes to from now on.
    pub fn start() -> Self {
        let journal = Self::default();
        set_sink(Some(Box::new(journal.clone())), Level::Info);
        journal
    }

    /// Shows what was written since `begin`.
    pub fn show(&self, begin: Instant) {
        for (at, line) in self.0.lock().unwrap().iter() {
            if let Some(after) = at.checked_duration_since(begin) {
                println!("  {} ms: {line}", after.as_millis());
            }
        }
    }
}

impl Sink for Journal {
    fn log(&self, _level: Level, _target: &'static str, message: &str) {
        let mut lines = self.0.lock().unwrap();
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back((Instant::now(), message.to_owned()));
    }
}
