//! Forks wait for calls, and calls for forks.
//!
//! A thread that is inside a vendor's PKCS#11 module at a fork leaves its locks held, or its memory half
//! changed, in the child, which then hangs or crashes in the module. So a fork waits, for a while, until no
//! call is under way.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::host;

/// How long a fork waits for calls.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_micros(100);

/// Calls of all threads, each thread's outermost alone.
static CALLS: AtomicUsize = AtomicUsize::new(0);
/// Forks that are about to be.
static FORKS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// How deep this thread is in calls, of which callbacks may make more, and in forks, in which hooks
    /// of other packages and the collector may make some.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// A call under way.
pub(crate) struct UnderWay(());

impl UnderWay {
    /// Waits while another thread forks. The GIL must not be held.
    pub(crate) fn begin() -> Self {
        if DEPTH.replace(DEPTH.get() + 1) == 0 {
            loop {
                CALLS.fetch_add(1, Ordering::SeqCst);
                if FORKS.load(Ordering::SeqCst) == 0 {
                    break;
                }
                CALLS.fetch_sub(1, Ordering::SeqCst);
                thread::sleep(PAUSE);
            }
        }
        Self(())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        if DEPTH.get() == 0 {
            CALLS.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Before a fork, in the parent: lets no call begin on other threads, and waits for theirs.
#[pyfunction]
pub(crate) fn before_fork(py: Python<'_>) {
    FORKS.fetch_add(1, Ordering::SeqCst);
    let own = usize::from(DEPTH.replace(DEPTH.get() + 1) > 0);
    if CALLS.load(Ordering::SeqCst) <= own {
        return;
    }
    py.detach(|| {
        let until = Instant::now() + LONGEST_WAIT;
        while CALLS.load(Ordering::SeqCst) > own && Instant::now() < until {
            thread::sleep(PAUSE);
        }
    });
}

/// After a fork, in the parent.
#[pyfunction]
pub(crate) fn after_fork_in_parent() {
    DEPTH.set(DEPTH.get() - 1);
    FORKS.fetch_sub(1, Ordering::SeqCst);
}

/// After a fork, in the child, which has none of its parent's other threads.
#[pyfunction]
pub(crate) fn after_fork_in_child() {
    DEPTH.set(DEPTH.get() - 1);
    FORKS.store(0, Ordering::SeqCst);
    CALLS.store(usize::from(DEPTH.get() > 0), Ordering::SeqCst);
    host::forget_threads();
}
