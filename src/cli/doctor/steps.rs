//! The bounds of each step, and a word on standard error while one lasts.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::call::Call;

/// A step that lasts longer is told of.
const LONG: Duration = Duration::from_secs(2);

/// How steps are run.
pub(super) struct Steps {
    /// The most that one may take.
    pub(super) timeout: Duration,
    /// Says nothing on standard error.
    pub(super) is_quiet: bool,
}

impl Steps {
    /// What `work` makes, and how long it took. `what` is told when it takes long.
    pub(super) fn run<T>(&self, what: &str, work: impl FnOnce(&Call) -> T) -> (T, Duration) {
        let (done, is_done) = channel::<()>();
        if !self.is_quiet {
            let what = what.to_owned();
            // Without a thread it is done in silence.
            let _ = thread::Builder::new().spawn(move || {
                if is_done.recv_timeout(LONG) == Err(RecvTimeoutError::Timeout) {
                    eprintln!("segl: {what} …");
                }
            });
        }
        let start = Instant::now();
        let made = work(&Call::within(self.timeout));
        let took = start.elapsed();
        drop(done);
        (made, took)
    }
}
