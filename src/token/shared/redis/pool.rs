//! A few connections, each with a thread of its own that can be left behind: name
//! look-ups, TLS and answers that come byte by byte keep no deadline.

use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use redis::{Connection, ErrorKind, RedisError, RedisResult};

use super::address::Address;

/// The most connections at a time, those that hang included.
const MAX_LIVE: usize = 8;
/// The most that are kept while nobody needs them.
const MAX_IDLE: usize = 2;

/// Connections to one server, of one process.
#[derive(Clone)]
pub(super) struct Pool(Arc<Inner>);

struct Inner {
    address: Arc<Address>,
    timeout: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Worker>,
    /// Threads that have not ended.
    live: usize,
}

type Job = Box<dyn FnOnce(&mut Link) + Send>;

/// A thread with a connection. It ends when this is dropped.
struct Worker(SyncSender<Job>);

/// What a thread has: a connection, once there was need for one.
struct Link {
    address: Arc<Address>,
    timeout: Duration,
    connection: Option<Connection>,
}

/// Why commands were not done. Nothing the server wrote is in it but its error code,
/// for a server can repeat what it was sent, passwords included.
pub(super) enum Problem {
    Busy,
    NoThread(std::io::Error),
    TimedOut(Duration),
    Ended,
    Redis(RedisError),
}

impl Pool {
    pub(super) fn new(address: Arc<Address>, timeout: Duration) -> Self {
        Self(Arc::new(Inner {
            address,
            timeout,
            state: Mutex::default(),
            changed: Condvar::new(),
        }))
    }

    /// What `commands` give, within `time`.
    pub(super) fn run<T: Send + 'static>(
        &self,
        time: Duration,
        commands: impl Fn(&mut Connection) -> RedisResult<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let until = Instant::now() + time;
        let worker = self.take(until)?;
        let (answer, answers) = mpsc::sync_channel(1);
        let job = Box::new(move |link: &mut Link| {
            // Nobody may be waiting for it any more.
            let _ = answer.send(link.run(&commands));
        });
        worker.0.send(job).map_err(|_| Problem::Ended)?;
        match answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(answer) => {
                self.put_back(worker);
                answer.map_err(Problem::Redis)
            }
            Err(RecvTimeoutError::Timeout) => Err(Problem::TimedOut(time)),
            Err(RecvTimeoutError::Disconnected) => Err(Problem::Ended),
        }
    }

    fn take(&self, until: Instant) -> Result<Worker, Problem> {
        let mut state = self.0.lock();
        loop {
            if let Some(worker) = state.idle.pop() {
                return Ok(worker);
            }
            if state.live < MAX_LIVE {
                state.live += 1;
                drop(state);
                return self.start(End(Arc::downgrade(&self.0)));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Problem::Busy);
            }
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Starts a thread that is counted already, until `end` is dropped.
    fn start(&self, end: End) -> Result<Worker, Problem> {
        let (jobs, queue) = mpsc::sync_channel::<Job>(1);
        let mut link = Link {
            address: Arc::clone(&self.0.address),
            timeout: self.0.timeout,
            connection: None,
        };
        thread::Builder::new()
            .name("segl-redis".into())
            .spawn(move || {
                let _end = end;
                for job in queue {
                    job(&mut link);
                }
            })
            .map_err(Problem::NoThread)?;
        Ok(Worker(jobs))
    }

    fn put_back(&self, worker: Worker) {
        let mut state = self.0.lock();
        if state.idle.len() < MAX_IDLE {
            state.idle.push(worker);
            self.0.changed.notify_one();
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a thread, however it comes. It does not keep the pool, which holds what
/// the thread waits for: with the pool its idle threads end, and their connections.
struct End(Weak<Inner>);

impl Drop for End {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.lock().live -= 1;
            pool.changed.notify_one();
        }
    }
}

impl Link {
    fn run<T>(&mut self, commands: &impl Fn(&mut Connection) -> RedisResult<T>) -> RedisResult<T> {
        let is_used = self.connection.is_some();
        match self.try_once(commands) {
            Err(error) if is_used && error.is_connection_dropped() => self.try_once(commands),
            outcome => outcome,
        }
    }

    /// A connection on which something failed is not used again: what it says next
    /// may be the answer to what was asked before, or it may lead to a server that
    /// has become a replica.
    fn try_once<T>(
        &mut self,
        commands: &impl Fn(&mut Connection) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.address.connect(self.timeout)?,
        };
        let outcome = commands(&mut connection)?;
        self.connection = Some(connection);
        Ok(outcome)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("all connections are busy"),
            Self::NoThread(error) => write!(f, "no thread could be started ({})", error.kind()),
            Self::TimedOut(time) => write!(f, "no answer within {} ms", time.as_millis()),
            Self::Ended => f.write_str("the connection's thread ended, which is a fault in segl"),
            Self::Redis(error) if error.is_timeout() => f.write_str("it does not answer"),
            // From the operating system or TLS.
            Self::Redis(error) if error.kind() == ErrorKind::Io => write!(f, "{error}"),
            Self::Redis(error) => match error.code() {
                Some(code) => write!(f, "it answers {}", word(code)),
                None => f.write_str(error.category()),
            },
        }
    }
}

/// An error code is one word in capitals; anything else is not repeated.
fn word(code: &str) -> &str {
    let is_code = code.len() <= 20 && code.bytes().all(|c| c.is_ascii_uppercase());
    if is_code { code } else { "an error" }
}
