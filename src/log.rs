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

/// Receives log records, on the thread of the call that they are about; those about
/// what segl does between calls, and for several of them, as fetching a token, come on
/// a thread of its own.
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
    pass_on((level, target, message.to_string()));
}

/// Delivers a record, or keeps it back while this thread defers.
fn pass_on(record: Record) {
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

/// Runs `work` and keeps what it logs on this thread.
pub(crate) fn collect<T>(work: impl FnOnce() -> T) -> (T, Records) {
    let outer = DEFERRED.replace(Some(Vec::new()));
    let outcome = work();
    let records = DEFERRED.replace(outer);
    (outcome, Records(records.unwrap_or_default()))
}

/// What was logged while nobody listened.
pub(crate) struct Records(Vec<Record>);

impl Records {
    /// Logs it all, in order, as if this thread had made it.
    pub(crate) fn emit(self) {
        for record in self.0 {
            pass_on(record);
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
