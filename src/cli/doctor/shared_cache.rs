//! The cache that instances share: an entry is written, read and removed.

use super::client::Client;
use super::finding::Finding;
use crate::error::Result;
use crate::profiles::SharedCacheSettings;

#[cfg(feature = "redis")]
pub(super) fn probe(client: &Client<'_>, settings: &SharedCacheSettings) -> Result<Finding> {
    use std::time::Duration;

    use super::finding::Check;
    use crate::error::{Error, ErrorCode};
    use crate::token::shared::{RedisStore, SharedCache, SharedStore};

    /// The entry goes by itself should it not be removed.
    const LIFE: Duration = Duration::from_secs(60);
    const VALUE: &[u8] = b"segl doctor";

    // Its keys can be read.
    SharedCache::from_settings(settings)?;
    let store = RedisStore::from_settings(settings)?;
    let prefix = settings.prefix.as_deref().unwrap_or("segl");
    let name = format!("{prefix}:doctor:{}", uuid::Uuid::new_v4());
    let step = client.step("asking the shared cache");
    let (asked, took) = client.steps.run(&step, |call| -> Result<_> {
        store.put(&name, VALUE, LIFE, call)?;
        let read = store.get(&name, call)?;
        let is_removed = store.remove(&name, VALUE, call)?;
        Ok((read.as_deref() == Some(VALUE), is_removed))
    });
    match asked? {
        (true, true) => {
            let what = "an entry was written, read and removed";
            Ok(Finding::ok(Check::SharedCache, what).taking(took))
        }
        _ => Err(Error::new(
            ErrorCode::Network,
            "the shared cache took an entry and did not give the same one back; \
             look at its memory limit and eviction policy, and for a proxy or replica in the way",
        )),
    }
}

#[cfg(not(feature = "redis"))]
pub(super) fn probe(_: &Client<'_>, settings: &SharedCacheSettings) -> Result<Finding> {
    use super::finding::Check;
    use crate::token::shared::SharedCache;

    // It says that this build has no Redis.
    SharedCache::from_settings(settings)?;
    let reason = "this segl was built without Redis";
    Ok(Finding::skipped(Check::SharedCache, reason))
}
