//! Log records to Python.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use arc_swap::ArcSwapOption;
use pyo3::prelude::*;
use segl::log::{Level, Sink, set_sink};

use crate::host;

/// Where records go: two callables.
struct Receiver {
    /// Tells the least level of Python's `logging` that is wanted.
    least: Py<PyAny>,
    /// Takes level, target and message.
    take: Py<PyAny>,
}

static RECEIVER: ArcSwapOption<Receiver> = ArcSwapOption::const_empty();
/// The level of the sink, 0 for none.
static LEVEL: AtomicI32 = AtomicI32::new(0);

/// Hands records to `take(level, target, message)`, whose level is one of Python's. `least()` is
/// asked, at each call that is not answered from the cache, from which level on they are wanted.
/// `None` for both ends logging.
#[pyfunction]
pub(crate) fn log_through(py: Python<'_>, least: Option<Py<PyAny>>, take: Option<Py<PyAny>>) {
    let receiver = least.zip(take);
    RECEIVER.store(receiver.map(|(least, take)| Arc::new(Receiver { least, take })));
    look_at_level(py);
}

/// Sets the sink as the receiver wants it now. A record that nobody wants costs neither a text
/// nor the GIL.
pub(crate) fn look_at_level(py: Python<'_>) {
    let receiver = RECEIVER.load();
    let least = receiver.as_ref().and_then(|receiver| {
        let least = receiver.least.call0(py).ok()?;
        least.extract::<i32>(py).ok()
    });
    let wanted = match least {
        Some(..=10) => Some(Level::Debug),
        Some(11..=20) => Some(Level::Info),
        Some(21..=30) => Some(Level::Warn),
        Some(31..=40) => Some(Level::Error),
        Some(_) | None => None,
    };
    let number = wanted.map_or(0, |level| level as i32);
    if LEVEL.swap(number, Ordering::SeqCst) == number {
        return;
    }
    match wanted {
        Some(level) => set_sink(Some(Box::new(PythonSink)), level),
        None => set_sink(None, Level::Error),
    }
}

struct PythonSink;

thread_local! {
    /// True while this thread is inside the receiver, which would otherwise recurse without
    /// end when it calls segl.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

impl Sink for PythonSink {
    fn log(&self, level: Level, target: &'static str, message: &str) {
        if INSIDE.replace(true) {
            return;
        }
        host::enter(|py| {
            let Some(receiver) = RECEIVER.load_full() else {
                return;
            };
            let number = match level {
                Level::Error => 40,
                Level::Warn => 30,
                Level::Info => 20,
                _ => 10,
            };
            if let Err(raised) = receiver.take.call1(py, (number, target, message)) {
                raised.write_unraisable(py, None);
            }
        });
        INSIDE.set(false);
    }
}
