//! A token cache that several instances of one service share, so that not each of
//! them fetches: its entries are sealed, and one instance at a time fetches while
//! the others wait for what it gets. Without the store every instance works on
//! alone.

mod breaker;
mod cache;
mod configured;
mod entry;
mod flight;
#[cfg(feature = "redis")]
mod redis;
mod seal;
mod store;

pub use cache::SharedCache;
pub use entry::SharedToken;
pub(super) use flight::obtain_unless;
pub use flight::{Obtained, ObtainedFrom, obtain};
#[cfg(feature = "redis")]
pub use redis::RedisStore;
pub use seal::{SealingKey, SealingKeys};
pub use store::SharedStore;

pub use crate::profiles::{SecretSetting, SharedCacheSettings};
