//! The one place that emits log records.
//!
//! Off until a sink is set. Records carry no PIN, passphrase, token, assertion,
//! private key or personal identifier; key URIs appear in redacted form.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use arc_swap::ArcSwapOption;

/// How much a record matters. The numbers are those of the C ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
#[non_exhaustive]
pub enum Level {
    /// A fault in segl itself.
    Error = 1,
    /// Something will fail, or was retried.
    Warn = 2,
    /// A session was opened, a token fetched.
    Info = 3,
    /// Timings and decisions.
    Debug = 4,
}

/// Receives log records, on the thread that made them.
pub trait Sink: Send + Sync {
    /// Takes one record. `target` is the layer it comes from, for example
    /// `"pkcs11"`.
    fn log(&self, level: Level, target: &'static str, message: &str);
}

static SINK: ArcSwapOption<Box<dyn Sink>> = ArcSwapOption::const_empty();
static MAX_LEVEL: AtomicI32 = AtomicI32::new(0);

/// Sends records up to `max_level` to `sink` from now on. `None` ends logging.
pub fn set_sink(sink: Option<Box<dyn Sink>>, max_level: Level) {
    let level = if sink.is_some() { max_level as i32 } else { 0 };
    MAX_LEVEL.store(0, Ordering::SeqCst);
    SINK.store(sink.map(Arc::new));
    MAX_LEVEL.store(level, Ordering::SeqCst);
}

/// Emits one record; the arguments are not formatted when nobody listens.
pub(crate) fn emit(level: Level, target: &'static str, message: fmt::Arguments<'_>) {
    if (level as i32) > MAX_LEVEL.load(Ordering::Relaxed) {
        return;
    }
    let record = (level, target, message.to_string());
    let due = DEFERRED.with_borrow_mut(|deferred| match deferred {
        Some(records) => {
            records.push(record);
            None
        }
        None => Some(record),
    });
    if let Some(record) = due {
        deliver(&record);
    }
}

/// Keeps this thread's records back until it is dropped. A sink may call segl,
/// so none is called while a lock is held.
pub(crate) struct Deferred {
    is_outermost: bool,
}

/// Keeps this thread's records back until the answer is dropped.
#[must_use]
pub(crate) fn defer() -> Deferred {
    let is_outermost = DEFERRED.with_borrow_mut(|deferred| {
        let is_outermost = deferred.is_none();
        deferred.get_or_insert_default();
        is_outermost
    });
    Deferred { is_outermost }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        if self.is_outermost {
            let records = DEFERRED.take().unwrap_or_default();
            records.iter().for_each(deliver);
        }
    }
}

type Record = (Level, &'static str, String);

thread_local! {
    static DEFERRED: RefCell<Option<Vec<Record>>> = const { RefCell::new(None) };
}

fn deliver((level, target, message): &Record) {
    if let Some(sink) = SINK.load_full() {
        sink.log(*level, target, message);
    }
}
