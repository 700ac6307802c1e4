//! Where shared entries are kept.

use std::fmt;
use std::time::Duration;

use crate::call::Call;
use crate::error::Result;

/// A store that several instances share, such as Redis. What it is given to keep is
/// sealed already, and what it gives back is believed only when it opens.
///
/// Each method is over within the bounds of `call`, which are short, a quarter of a
/// second by default: a token waits for it. An error says that the store cannot be
/// used now: it is left alone for a second or more, and tokens are fetched without it.
pub trait SharedStore: fmt::Debug + Send + Sync {
    /// The value under `key`; `None` when there is none, or none that this store
    /// could have put there.
    ///
    /// # Errors
    /// Any: the store cannot be used now.
    fn get(&self, key: &str, call: &Call) -> Result<Option<Vec<u8>>>;

    /// Keeps `value` under `key` for `ttl`, whatever is there now.
    ///
    /// # Errors
    /// Any: the store cannot be used now.
    fn put(&self, key: &str, value: &[u8], ttl: Duration, call: &Call) -> Result<()>;

    /// Deletes `key` if `value` is what is there, in one step. True when it was.
    ///
    /// # Errors
    /// Any: the store cannot be used now.
    fn remove(&self, key: &str, value: &[u8], call: &Call) -> Result<bool>;

    /// Gives `key` to `holder` for `ttl` unless another has it, in one step. True when
    /// `holder` has it now. A lease ends by itself after `ttl`.
    ///
    /// # Errors
    /// Any: the store cannot be used now.
    fn try_lease(&self, key: &str, holder: &str, ttl: Duration, call: &Call) -> Result<bool>;

    /// Ends the lease of `holder`; that of another stays.
    ///
    /// # Errors
    /// Any: the store cannot be used now.
    fn release(&self, key: &str, holder: &str, call: &Call) -> Result<()> {
        self.remove(key, holder.as_bytes(), call).map(drop)
    }
}
