//! Entering Python from code that runs without the GIL, on threads of segl's own too.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use segl::{Error, ErrorCode, Result};

use crate::errors;

/// True when the interpreter is about to end. A thread that enters it then would never come
/// back, or take the process with it.
static IS_ENDING: AtomicBool = AtomicBool::new(false);
/// How many threads are inside, or about to be.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// Counts forks; a child has none of its parent's threads.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// How long the end of the interpreter waits for callbacks that run.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// Runs `work` in the interpreter. `None` when that is about to end.
pub(crate) fn enter<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let _inside = Inside::new();
    if IS_ENDING.load(Ordering::SeqCst) {
        return None;
    }
    Python::try_attach(work)
}

/// Runs a callback of the program's; `what` names it.
///
/// # Errors
/// What the callback raised; `CALLBACK_FAILED` when the interpreter is about to end.
pub(crate) fn call<T>(what: &str, callback: impl FnOnce(Python<'_>) -> PyResult<T>) -> Result<T> {
    let outcome = enter(|py| {
        callback(py).map_err(|raised| {
            errors::from_python(py, what, &raised).with_source(Raised::new(raised))
        })
    });
    outcome.unwrap_or_else(|| {
        Err(Error::new(
            ErrorCode::CallbackFailed,
            format!("{what} was not called, as the Python interpreter is about to end"),
        ))
    })
}

/// No thread enters the interpreter from now on. Waits for those inside.
#[pyfunction]
pub(crate) fn finalize(py: Python<'_>) {
    IS_ENDING.store(true, Ordering::SeqCst);
    py.detach(|| {
        let until = Instant::now() + LAST_WAIT;
        while INSIDE.load(Ordering::SeqCst) > 0 && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
    });
}

/// Forgets the parent's threads in a child.
pub(crate) fn forget_threads() {
    FORKS.fetch_add(1, Ordering::SeqCst);
    INSIDE.store(0, Ordering::SeqCst);
}

struct Inside {
    forks: u64,
}

impl Inside {
    fn new() -> Self {
        let forks = FORKS.load(Ordering::SeqCst);
        INSIDE.fetch_add(1, Ordering::SeqCst);
        Self { forks }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if self.forks == FORKS.load(Ordering::SeqCst) {
            INSIDE.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// What a callback raised, as the source of an error.
pub(crate) struct Raised {
    exception: PyErr,
    on: ThreadId,
}

impl Raised {
    fn new(exception: PyErr) -> Self {
        Self {
            exception,
            on: thread::current().id(),
        }
    }

    /// The exception.
    pub(crate) fn exception(&self, py: Python<'_>) -> PyErr {
        self.exception.clone_ref(py)
    }

    /// True for what ends the program or the thread, such as KeyboardInterrupt, and was raised
    /// on this thread: it goes on as it is.
    pub(crate) fn goes_on(&self, py: Python<'_>) -> bool {
        self.on == thread::current().id() && !self.exception.is_instance_of::<PyException>(py)
    }
}

/// Shows nothing of the exception, whose text may hold anything.
impl fmt::Debug for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raised").finish_non_exhaustive()
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an exception of the program's")
    }
}

impl std::error::Error for Raised {}
