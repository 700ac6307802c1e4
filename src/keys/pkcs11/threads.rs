//! Threads of segl's own for calls that may hang.
//!
//! A function of a PKCS#11 module cannot be interrupted. So it runs on a thread
//! that can be left behind, while its caller goes back at its deadline. How many
//! there can be is limited: by a token's sessions, and for what needs none by
//! [`MAX_LEFT_BEHIND`].

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::lock::lock;
use crate::call::{Call, CancelToken, timed_out};
use crate::error::{Error, ErrorCode, Result};
use crate::fork::{OfProcess, PerProcess};
use crate::keys::uri::Threads;
use crate::log;

/// How long a thread without work stays.
const IDLE: Duration = Duration::from_secs(60);

/// Vendors' code expects a stack of this size, in bytes; a host's threads may
/// have less.
const STACK: usize = 2 << 20;

/// So many openings of keys and the like may hang.
const MAX_LEFT_BEHIND: usize = 16;

/// What a caller does meanwhile, for its error.
pub(super) const WAITING: &str = "waiting for the PKCS#11 module";

static WORKERS: PerProcess<Workers> = PerProcess::new();

#[derive(Default)]
struct Workers {
    /// Those without work, the last used one last.
    idle: Mutex<Vec<Arc<Worker>>>,
    were_started: AtomicBool,
    /// Openings of keys and the like that hang, which no token's sessions limit.
    left_behind: AtomicUsize,
}

#[derive(Default)]
struct Worker {
    task: Mutex<Option<Task>>,
    given: Condvar,
}

type Task = Box<dyn FnOnce() + Send>;

/// Runs `work` on a thread of segl and waits for it: as long as `call` lasts, or
/// `default`. When it takes longer, `left_behind` is told how long it has run.
///
/// What `work` logs is logged by the caller, as if it had done the work.
///
/// # Errors
/// Those of `work`; `TIMEOUT` and `CANCELLED` when it was left behind, saying that
/// this happened while `what`.
pub(super) fn run<T: Send + 'static>(
    call: &Call,
    default: Duration,
    what: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
    left_behind: impl FnOnce(Duration),
) -> Result<T> {
    let wait = call.remaining(default, what)?;
    let handover = Arc::new(Handover::default());
    let begin = Instant::now();
    let theirs = Arc::clone(&handover);
    start(move || {
        let (outcome, records) = log::collect(|| panic::catch_unwind(AssertUnwindSafe(work)));
        if let Some(records) = theirs.give(outcome, records) {
            // The caller is gone.
            records.emit();
        }
    })?;
    let Some((outcome, records)) = handover.take(begin, wait, call.cancel()) else {
        left_behind(begin.elapsed());
        call.check(what)?;
        return Err(timed_out(what));
    };
    records.emit();
    outcome.unwrap_or_else(|payload| panic::resume_unwind(payload))
}

/// Runs `work` where `threads` says; see [`run`].
///
/// # Errors
/// As [`run`]; `RESTART_REQUIRED` when too much of this kind hangs already.
pub(super) fn run_as<T: Send + 'static>(
    threads: Threads,
    call: &Call,
    default: Duration,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if threads == Threads::Caller {
        return work();
    }
    let workers = WORKERS.get(|_| Workers::default());
    let left = workers.left_behind.load(Ordering::SeqCst);
    if left >= MAX_LEFT_BEHIND {
        return Err(Error::new(
            ErrorCode::RestartRequired,
            format!(
                "{left} calls hang in PKCS#11 modules, and no more are sent after them; \
                 if they never come back, only a restart of the process helps"
            ),
        )
        .with_retryable(true));
    }
    let fate = Arc::new(Fate {
        is_left_behind: AtomicBool::new(false),
        workers: Arc::clone(&workers),
    });
    let own = Arc::clone(&fate);
    let work = move || {
        let _fate = own;
        work()
    };
    run(call, default, WAITING, work, |_| fate.leave_behind())
}

/// Counts a call that was left behind until it comes back.
struct Fate {
    is_left_behind: AtomicBool,
    workers: Arc<OfProcess<Workers>>,
}

impl Fate {
    fn leave_behind(&self) {
        self.is_left_behind.store(true, Ordering::SeqCst);
        self.workers.left_behind.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Fate {
    fn drop(&mut self) {
        if self.is_left_behind.load(Ordering::SeqCst) {
            self.workers.left_behind.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// True when this process has had threads of segl.
pub(super) fn are_any() -> bool {
    let workers = WORKERS.get(|_| Workers::default());
    workers.were_started.load(Ordering::SeqCst)
}

/// Runs `work` on a thread of segl and waits for nothing.
///
/// # Errors
/// `TOKEN_UNAVAILABLE` when the process can have no more threads.
pub(super) fn start(work: impl FnOnce() + Send + 'static) -> Result<()> {
    let workers = WORKERS.get(|_| Workers::default());
    let idle = lock(&workers.idle).pop();
    workers.were_started.store(true, Ordering::SeqCst);
    let Some(worker) = idle else {
        let task: Task = Box::new(work);
        let worker = Arc::new(Worker {
            task: Mutex::new(Some(task)),
            given: Condvar::new(),
        });
        return thread::Builder::new()
            .name("segl-pkcs11".into())
            .stack_size(STACK)
            .spawn(move || worker.live(&workers))
            .map(drop)
            .map_err(|source| {
                Error::new(
                    ErrorCode::TokenUnavailable,
                    format!("the process can start no more threads ({source}); raise its limit"),
                )
                .with_retryable(true)
                .with_source(source)
            });
    };
    *lock(&worker.task) = Some(Box::new(work));
    worker.given.notify_one();
    Ok(())
}

impl Worker {
    fn live(self: &Arc<Self>, workers: &Arc<OfProcess<Workers>>) {
        while let Some(task) = self.next_task(workers) {
            // What it panics with was caught where somebody waits for it.
            let _ = panic::catch_unwind(AssertUnwindSafe(task));
            lock(&workers.idle).push(Arc::clone(self));
        }
    }

    /// Waits for work; `None` when there was none for long.
    fn next_task(self: &Arc<Self>, workers: &Workers) -> Option<Task> {
        let mut task = lock(&self.task);
        loop {
            if let Some(task) = task.take() {
                return Some(task);
            }
            let (guard, timeout) = match self.given.wait_timeout(task, IDLE) {
                Ok(woken) => woken,
                Err(poisoned) => poisoned.into_inner(),
            };
            if timeout.timed_out() && guard.is_none() {
                drop(guard);
                let mut idle = lock(&workers.idle);
                let place = idle.iter().position(|other| Arc::ptr_eq(other, self));
                if let Some(place) = place {
                    idle.remove(place);
                    return None;
                }
                // Work is on its way.
                drop(idle);
                task = lock(&self.task);
                continue;
            }
            task = guard;
        }
    }
}

/// Where the outcome of some work waits for its caller.
struct Handover<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

enum State<T> {
    Working,
    Done(thread::Result<T>, log::Records),
    LeftBehind,
}

impl<T> Default for Handover<T> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State::Working),
            changed: Condvar::new(),
        }
    }
}

impl<T: Send + 'static> Handover<T> {
    /// Gives the outcome to the caller; returns the records when it is gone.
    fn give(&self, outcome: thread::Result<T>, records: log::Records) -> Option<log::Records> {
        let mut state = lock(&self.state);
        if matches!(*state, State::LeftBehind) {
            return Some(records);
        }
        *state = State::Done(outcome, records);
        drop(state);
        self.changed.notify_one();
        None
    }

    /// Waits for the outcome for as long as `wait` after `begin`. `None` when it
    /// did not come, or `cancel` was triggered; then it is dropped when it comes.
    fn take(
        self: &Arc<Self>,
        begin: Instant,
        wait: Duration,
        cancel: Option<&CancelToken>,
    ) -> Option<(thread::Result<T>, log::Records)> {
        let _subscription = cancel.map(|cancel| {
            let handover = Arc::clone(self);
            cancel.subscribe(Arc::new(move || {
                // Taken so that the caller is not between its check and its wait.
                drop(lock(&handover.state));
                handover.changed.notify_one();
            }))
        });
        let mut state = lock(&self.state);
        loop {
            let left = wait.saturating_sub(begin.elapsed());
            let is_over = left.is_zero() || cancel.is_some_and(CancelToken::is_cancelled);
            match std::mem::replace(&mut *state, State::LeftBehind) {
                State::Done(outcome, records) => return Some((outcome, records)),
                _ if is_over => return None,
                before => *state = before,
            }
            state = match self.changed.wait_timeout(state, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn gives_the_outcome_back() {
        let outcome = run(&Call::none(), LONG, "a test", || Ok(7), |_| panic!("left"));
        assert_eq!(outcome.unwrap(), 7);
        let error = run(
            &Call::none(),
            LONG,
            "a test",
            || Err::<(), _>(Error::new(ErrorCode::Device, "broken")),
            |_| panic!("left"),
        );
        assert_eq!(error.unwrap_err().code(), ErrorCode::Device);
    }

    #[test]
    fn leaves_behind_what_takes_too_long() {
        let (release, released) = mpsc::channel::<()>();
        let (finish, finished) = mpsc::channel();
        let mut was_left = false;
        let outcome = run(
            &Call::within(Duration::from_millis(5)),
            LONG,
            "a test",
            move || {
                let _ = released.recv();
                finish.send(()).unwrap();
                Ok(())
            },
            |_| was_left = true,
        );
        assert_eq!(outcome.unwrap_err().code(), ErrorCode::Timeout);
        assert!(was_left);
        drop(release);
        finished.recv().unwrap();
    }

    #[test]
    fn cancelling_leaves_it_behind_at_once() {
        let (release, released) = mpsc::channel::<()>();
        let cancel = CancelToken::new();
        let call = Call::none().with_cancel(cancel.clone());
        let canceller = thread::spawn(move || cancel.trigger());
        let outcome = run(
            &call,
            LONG,
            "a test",
            move || {
                let _ = released.recv();
                Ok(())
            },
            |_| {},
        );
        assert_eq!(outcome.unwrap_err().code(), ErrorCode::Cancelled);
        canceller.join().unwrap();
        drop(release);
    }

    #[test]
    fn a_panic_is_the_callers() {
        let caught = panic::catch_unwind(|| {
            run::<()>(
                &Call::none(),
                LONG,
                "a test",
                || panic!("as a test"),
                |_| {},
            )
        });
        assert!(caught.is_err());
    }
}
