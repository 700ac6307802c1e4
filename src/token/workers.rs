//! Threads that fetch tokens, so that no caller's end ends another's fetch.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::flight::Flight;
use crate::fork::PerProcess;

/// So many fetches of one client run at once; others wait for their turn.
const MAX_THREADS: usize = 64;

/// So many threads that hang are replaced by others; should one come back, another
/// can be replaced.
const MAX_LEFT_BEHIND: usize = 256;

/// So many wait at most: threads that never come back must not let them pile up.
const MAX_WAITING: usize = 10_000;

/// The work of a flight.
pub(super) struct Job {
    pub(super) flight: Arc<Flight>,
    /// It must not panic.
    pub(super) work: Box<dyn FnOnce() + Send>,
}

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
    /// Threads that work, without those that are left behind.
    threads: usize,
    /// The flights of those that have begun one.
    running: Vec<Arc<Flight>>,
    /// Threads that hang, and count no more.
    left_behind: usize,
}

impl Workers {
    /// Leaves `job` to a thread. What comes back is not done: no thread can be
    /// started, or too many jobs wait already.
    pub(super) fn run(&self, job: Job) -> Result<(), NotRun> {
        self.crew().take_on(job, spawn)
    }

    /// Replaces threads that hang, if jobs wait for them.
    pub(super) fn relieve(&self) {
        self.crew().relieve(spawn);
    }

    fn crew(&self) -> Arc<Crew> {
        Arc::clone(&self.0.get(|_| Arc::default()))
    }
}

/// A job that no thread does.
pub(super) enum NotRun {
    /// There is no thread for it.
    NoThread(Job),
    /// Too many wait before it; it is dropped.
    Crowded,
}

fn spawn(crew: Arc<Crew>) -> io::Result<()> {
    let thread = std::thread::Builder::new().name("segl-token".into());
    thread.spawn(move || crew.work()).map(drop)
}

impl Crew {
    /// As [`Workers::run`], with threads from `spawn`. The lock is held meanwhile, so
    /// that nobody counts on a thread that does not come to be.
    fn take_on(
        self: &Arc<Self>,
        job: Job,
        spawn: impl Fn(Arc<Self>) -> io::Result<()>,
    ) -> Result<(), NotRun> {
        let mut state = self.lock();
        if state.jobs.len() >= MAX_WAITING {
            return Err(NotRun::Crowded);
        }
        state.leave_behind();
        if state.threads < MAX_THREADS {
            match spawn(Arc::clone(self)) {
                Ok(()) => state.threads += 1,
                Err(_) if state.threads == 0 => return Err(NotRun::NoThread(job)),
                Err(_) => {}
            }
        }
        state.jobs.push_back(job);
        Ok(())
    }

    fn relieve(self: &Arc<Self>, spawn: impl Fn(Arc<Self>) -> io::Result<()>) {
        let mut state = self.lock();
        state.leave_behind();
        let missing = state.jobs.len().min(MAX_THREADS - state.threads);
        for _ in 0..missing {
            match spawn(Arc::clone(self)) {
                Ok(()) => state.threads += 1,
                Err(_) => return,
            }
        }
    }

    /// Does what there is to do, and ends: to start a thread costs little beside a
    /// request, and one that idles would be missing in a forked child.
    fn work(&self) {
        let mut state = self.lock();
        while let Some(job) = state.jobs.pop_front() {
            state.running.push(Arc::clone(&job.flight));
            drop(state);
            (job.work)();
            state = self.lock();
            let is_this = |flight: &Arc<Flight>| Arc::ptr_eq(flight, &job.flight);
            match state.running.iter().position(is_this) {
                Some(index) => drop(state.running.swap_remove(index)),
                // It was given up, and another thread has its place.
                None => {
                    state.left_behind -= 1;
                    return;
                }
            }
        }
        state.threads -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Gives up threads that hang, when all are at work.
    fn leave_behind(&mut self) {
        if self.threads < MAX_THREADS {
            return;
        }
        let running = mem::take(&mut self.running);
        for flight in running {
            if self.left_behind < MAX_LEFT_BEHIND && flight.hangs() {
                self.left_behind += 1;
                self.threads -= 1;
            } else {
                self.running.push(flight);
            }
        }
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
    use std::time::{Duration, Instant};

    use super::*;

    fn job(work: impl FnOnce() + Send + 'static) -> Job {
        Job {
            flight: Flight::new(),
            work: Box::new(work),
        }
    }

    #[test]
    fn no_job_is_left_lying_when_threads_cannot_be_started() {
        let crew = Arc::new(Crew::default());
        let full = |_| Err(io::Error::other("no more threads"));
        // Two at once, neither of which gets a thread.
        for _ in 0..2 {
            let taken = crew.take_on(job(|| {}), full);
            assert!(matches!(taken, Err(NotRun::NoThread(_))));
        }
        assert!(crew.lock().jobs.is_empty());
        assert_eq!(crew.lock().threads, 0);
        // With one at work it is left to that one.
        let (sender, receiver) = mpsc::channel();
        let (begun, go_on) = (sender.clone(), Arc::new(Mutex::new(())));
        let held = go_on.lock().unwrap();
        let gate = Arc::clone(&go_on);
        let first = job(move || {
            begun.send(1).unwrap();
            drop(gate.lock());
        });
        assert!(crew.take_on(first, spawn).is_ok());
        assert_eq!(receiver.recv(), Ok(1));
        let second = job(move || sender.send(2).unwrap());
        assert!(crew.take_on(second, full).is_ok());
        drop(held);
        assert_eq!(receiver.recv(), Ok(2));
    }

    #[test]
    fn jobs_behind_threads_that_hang_do_not_pile_up() {
        let crew = Arc::new(Crew::default());
        let idle = |_| Ok(());
        let taken = || crew.take_on(job(|| {}), idle);
        let on = (0..MAX_WAITING).filter(|_| taken().is_ok());
        assert_eq!(on.count(), MAX_WAITING);
        assert_eq!(crew.lock().threads, MAX_THREADS);
        assert!(matches!(taken(), Err(NotRun::Crowded)));
    }

    #[test]
    fn threads_that_hang_are_replaced_up_to_a_bound_and_may_come_back() {
        let crew = Arc::new(Crew::default());
        let gate = Arc::new(Mutex::new(()));
        let held = gate.lock().unwrap();
        let hanging = || {
            let gate = Arc::clone(&gate);
            let job = job(move || drop(gate.lock()));
            job.flight.begin_try_long_ago();
            job
        };
        let until = |condition: &dyn Fn(&State) -> bool, meanwhile: &dyn Fn()| {
            let begin = Instant::now();
            while !condition(&crew.lock()) {
                assert!(begin.elapsed() < Duration::from_secs(20));
                meanwhile();
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        let relieve = || crew.relieve(spawn);
        for _ in 0..MAX_THREADS {
            assert!(crew.take_on(hanging(), spawn).is_ok());
        }
        until(&|state| state.running.len() == MAX_THREADS, &|| {});
        let (sender, receiver) = mpsc::channel();
        assert!(
            crew.take_on(job(move || sender.send(()).unwrap()), spawn)
                .is_ok()
        );
        assert_eq!(receiver.recv_timeout(Duration::from_secs(20)), Ok(()));
        assert_eq!(crew.lock().left_behind, MAX_THREADS);
        for _ in 0..2 * (MAX_LEFT_BEHIND + MAX_THREADS) {
            assert!(crew.take_on(hanging(), spawn).is_ok());
        }
        let is_full = |state: &State| {
            state.left_behind == MAX_LEFT_BEHIND && state.running.len() == MAX_THREADS
        };
        until(&is_full, &relieve);
        crew.relieve(spawn);
        assert!(is_full(&crew.lock()));
        drop(held);
        let is_idle = |state: &State| state.threads == 0 && state.left_behind == 0;
        until(&is_idle, &|| {});
        assert!(crew.lock().running.is_empty());
        assert!(crew.lock().jobs.is_empty());
    }
}
