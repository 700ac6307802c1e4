//! Threads that fetch tokens, so that no caller's end ends another's fetch.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::fork::PerProcess;

/// So many fetches of one client run at once; others wait for their turn.
const MAX_THREADS: usize = 64;

/// So many wait at most: threads that never come back must not let them pile up.
const MAX_WAITING: usize = 10_000;

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
    /// It must not panic. False when too many wait already; it is not run then.
    pub(super) fn run(&self, job: Job) -> bool {
        let crew = Arc::clone(&self.0.get(|_| Arc::default()));
        match crew.take_on(job, spawn) {
            Taken::On => true,
            Taken::Back(job) => {
                job();
                true
            }
            Taken::Refused => false,
        }
    }
}

/// What became of a job.
enum Taken {
    /// A thread does it.
    On,
    /// There is no thread for it.
    Back(Job),
    /// It is dropped, for too many wait before it.
    Refused,
}

fn spawn(crew: Arc<Crew>) -> io::Result<()> {
    let thread = std::thread::Builder::new().name("segl-token".into());
    thread.spawn(move || crew.work()).map(drop)
}

impl Crew {
    /// Leaves `job` to a thread; gives it back when there is none and `spawn` cannot
    /// start one. The lock is held meanwhile, so that nobody counts on a thread that
    /// does not come to be.
    fn take_on(
        self: &Arc<Self>,
        job: Job,
        spawn: impl FnOnce(Arc<Self>) -> io::Result<()>,
    ) -> Taken {
        let mut state = self.lock();
        if state.jobs.len() >= MAX_WAITING {
            return Taken::Refused;
        }
        if state.threads < MAX_THREADS {
            match spawn(Arc::clone(self)) {
                Ok(()) => state.threads += 1,
                Err(_) if state.threads == 0 => return Taken::Back(job),
                Err(_) => {}
            }
        }
        state.jobs.push_back(job);
        Taken::On
    }

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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn no_job_is_left_lying_when_threads_cannot_be_started() {
        let crew = Arc::new(Crew::default());
        let full = |_| Err(io::Error::other("no more threads"));
        // Two at once, neither of which gets a thread.
        for _ in 0..2 {
            let taken = crew.take_on(Box::new(|| {}), full);
            assert!(matches!(taken, Taken::Back(_)));
        }
        assert!(crew.lock().jobs.is_empty());
        assert_eq!(crew.lock().threads, 0);
        // With one at work it is left to that one.
        let (sender, receiver) = mpsc::channel();
        let (begun, go_on) = (sender.clone(), Arc::new(Mutex::new(())));
        let held = go_on.lock().unwrap();
        let gate = Arc::clone(&go_on);
        let first: Job = Box::new(move || {
            begun.send(1).unwrap();
            drop(gate.lock());
        });
        assert!(matches!(crew.take_on(first, spawn), Taken::On));
        assert_eq!(receiver.recv(), Ok(1));
        let second: Job = Box::new(move || sender.send(2).unwrap());
        assert!(matches!(crew.take_on(second, full), Taken::On));
        drop(held);
        assert_eq!(receiver.recv(), Ok(2));
    }
    #[test]
    fn jobs_behind_threads_that_hang_do_not_pile_up() {
        let crew = Arc::new(Crew::default());
        let hang = |_| Ok(());
        let taken = || crew.take_on(Box::new(|| {}), hang);
        let on = (0..MAX_WAITING).filter(|_| matches!(taken(), Taken::On));
        assert_eq!(on.count(), MAX_WAITING);
        assert_eq!(crew.lock().threads, MAX_THREADS);
        assert!(matches!(taken(), Taken::Refused));
    }
}
