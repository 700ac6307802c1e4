//! Redis and Valkey as the store.

mod address;
mod pool;
mod scripts;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::{Connection, RedisResult, Value};

use self::address::Address;
use self::pool::Pool;
use super::configured;
use super::store::SharedStore;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::fork::PerProcess;
use crate::profiles::SharedCacheSettings;

const DEFAULT_TIMEOUT: Duration = Duration::from_millis(250);

/// The most that is read of one value, in bytes; a sealed token is far smaller.
const MAX_VALUE: usize = 256 * 1024;

/// A Redis or Valkey server. Connections are made when they are needed, kept, and
/// not shared with a forked child.
pub struct RedisStore {
    address: Arc<Address>,
    timeout: Duration,
    pool: PerProcess<Pool>,
}

impl RedisStore {
    /// The server that `settings` name. Nothing is connected yet.
    ///
    /// # Errors
    /// `CONFIG` naming the setting, also when the password cannot be read.
    pub fn from_settings(settings: &SharedCacheSettings) -> Result<Self> {
        let timeout = configured::timeout(settings)?.unwrap_or(DEFAULT_TIMEOUT);
        Ok(Self {
            address: Arc::new(Address::from_settings(settings)?),
            timeout,
            pool: PerProcess::new(),
        })
    }

    /// Runs `commands` on a connection; twice when the first one had been closed
    /// since it was last used.
    fn run<T: Send + 'static>(
        &self,
        call: &Call,
        commands: impl Fn(&mut Connection) -> RedisResult<T> + Send + 'static,
    ) -> Result<T> {
        let time = call
            .remaining(self.timeout, "asking Redis")?
            .min(self.timeout);
        let pool = self
            .pool
            .get(|_| Pool::new(Arc::clone(&self.address), self.timeout));
        pool.run(time, commands)
            .map_err(|problem| self.failure(&problem.to_string()))
    }

    fn failure(&self, problem: &str) -> Error {
        Error::new(ErrorCode::Network, format!("{}: {problem}", self.address)).with_retryable(true)
    }
}

impl SharedStore for RedisStore {
    fn get(&self, key: &str, call: &Call) -> Result<Option<Vec<u8>>> {
        let key = key.to_owned();
        let value = self.run(call, move |connection| {
            // Bounded, unlike GET, whatever somebody put there.
            let range = redis::cmd("GETRANGE")
                .arg(&key)
                .arg(0)
                .arg(MAX_VALUE)
                .query(connection);
            match range {
                Err(error) if error.code() == Some("WRONGTYPE") => Ok(Value::Nil),
                other => other,
            }
        })?;
        match value {
            Value::Nil => Ok(None),
            Value::BulkString(value) if value.is_empty() || value.len() > MAX_VALUE => Ok(None),
            Value::BulkString(value) => Ok(Some(value)),
            _ => Err(self.failure("it answers something else than a value")),
        }
    }

    fn put(&self, key: &str, value: &[u8], ttl: Duration, call: &Call) -> Result<()> {
        let (key, value) = (key.to_owned(), value.to_vec());
        self.run(call, move |connection| {
            redis::cmd("SET")
                .arg(&key)
                .arg(&value)
                .arg("PX")
                .arg(millis(ttl))
                .query::<String>(connection)
                .map(drop)
        })
    }

    fn remove(&self, key: &str, value: &[u8], call: &Call) -> Result<bool> {
        let (key, value) = (key.to_owned(), value.to_vec());
        self.run(call, move |connection| {
            redis::cmd("EVAL")
                .arg(scripts::REMOVE)
                .arg(1)
                .arg(&key)
                .arg(&value)
                .query::<bool>(connection)
        })
    }

    fn try_lease(&self, key: &str, holder: &str, ttl: Duration, call: &Call) -> Result<bool> {
        let (key, holder) = (key.to_owned(), holder.to_owned());
        self.run(call, move |connection| {
            redis::cmd("EVAL")
                .arg(scripts::LEASE)
                .arg(1)
                .arg(&key)
                .arg(&holder)
                .arg(millis(ttl))
                .query::<bool>(connection)
        })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)
    }
}

/// A time as Redis takes it, at least one millisecond.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}
