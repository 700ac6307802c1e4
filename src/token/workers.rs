//! Threads that fetch tokens, so that no caller's end ends another's fetch.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::fork::PerProcess;

/// So many fetches of one client run at once; others wait for their turn.
const MAX_THREADS: usize = 64;

type Job = Box<dyn FnOnce() + Send>;

/// Starts a thread for each fetch, up to a bound. A forked child has none of its
/// parent's and starts its own.
#[derive(Debug, Default)]
pub(super) struct Workers(PerProcess<Arc<Crew>>);

#[derive(Default)]
struct Crew {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
}

impl Workers {
    /// Runs `job` on a thread of the crew, or on this one when none can be started.
    /// It must not panic.
    pub(super) fn run(&self, job: Job) {
        let crew = Arc::clone(&self.0.get(|_| Arc::default()));
        let mut state = crew.lock();
        state.jobs.push_back(job);
        if state.threads >= MAX_THREADS {
            return;
        }
        state.threads += 1;
        drop(state);
        let own = Arc::clone(&crew);
        let started = std::thread::Builder::new()
            .name("segl-token".into())
            .spawn(move || own.work());
        if started.is_err() {
            let mut state = crew.lock();
            state.threads -= 1;
            let job = if state.threads == 0 {
                state.jobs.pop_back()
            } else {
                None
            };
            drop(state);
            if let Some(job) = job {
                job();
            }
        }
    }
}

impl Crew {
    /// Does what there is to do, and ends: to start a thread costs little beside a
    /// request, and one that idles would be missing in a forked child.
    fn work(&self) {
        let mut state = self.lock();
        while let Some(job) = state.jobs.pop_front() {
            drop(state);
            job();
            state = self.lock();
        }
        state.threads -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew").finish_non_exhaustive()
    }
}
