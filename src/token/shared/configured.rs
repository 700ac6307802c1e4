//! The shared cache that the settings describe.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::cache::{DEFAULT_PREFIX, SharedCache};
use super::seal::{SealingKey, SealingKeys};
use super::store::SharedStore;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::uri::PinSource;
use crate::profiles::{SecretSetting, SharedCacheSettings};
use crate::secret::Secret;

const TIMEOUTS: RangeInclusive<u32> = 1..=5_000;
const LEASES: RangeInclusive<u32> = 100..=60_000;
const MAX_PREFIX: usize = 64;

impl SharedCache {
    /// The cache that `settings` describe. Its keys and the password are read;
    /// nothing is connected yet.
    ///
    /// # Errors
    /// `CONFIG` naming the setting: also when this build has no Redis, or when a key or
    /// password cannot be read.
    pub fn from_settings(settings: &SharedCacheSettings) -> Result<Self> {
        Self::with_store(settings, redis_store(settings)?)
    }

    /// As [`SharedCache::from_settings`], but in a store of the program's own; `url`,
    /// `password` and `ca_file` are left alone.
    ///
    /// # Errors
    /// As [`SharedCache::from_settings`].
    pub fn with_store(settings: &SharedCacheSettings, store: Arc<dyn SharedStore>) -> Result<Self> {
        let mut cache = Self::new(store, sealing_keys(settings)?).with_prefix(prefix(settings)?);
        if let Some(timeout) = timeout(settings)? {
            cache = cache.with_timeout(timeout);
        }
        if let Some(lease) = millis("lease_ms", settings.lease_ms, LEASES)? {
            cache = cache.with_lease(lease);
        }
        Ok(cache)
    }
}

#[cfg(feature = "redis")]
fn redis_store(settings: &SharedCacheSettings) -> Result<Arc<dyn SharedStore>> {
    Ok(Arc::new(super::redis::RedisStore::from_settings(settings)?))
}

#[cfg(not(feature = "redis"))]
fn redis_store(_: &SharedCacheSettings) -> Result<Arc<dyn SharedStore>> {
    Err(Error::new(
        ErrorCode::Config,
        "setting \"shared_cache\" cannot be used, for this segl was built without Redis; \
         build it with the cargo feature \"redis\", or remove the setting",
    )
    .with_details(|details| details.config_path = Some("shared_cache".to_owned())))
}

fn sealing_keys(settings: &SharedCacheSettings) -> Result<SealingKeys> {
    let read = |name: &str, setting: &SecretSetting| {
        SealingKey::from_base64(read_secret(name, "sealing key", setting)?.expose())
            .map_err(|error| wrong(name, &format!("names no such key: {}", error.message())))
    };
    match (&settings.key, settings.keys.as_slice()) {
        (Some(_), [_, ..]) => Err(wrong(
            "keys",
            "stands beside \"key\"; keep one of them, and put the key that seals first",
        )),
        (Some(key), []) => Ok(read("key", key)?.into()),
        (None, [first, others @ ..]) => {
            let others = others.iter().enumerate();
            let others = others.map(|(at, key)| read(&format!("keys[{}]", at + 1), key));
            let others = others.collect::<Result<_>>()?;
            Ok(SealingKeys::new(read("keys[0]", first)?, others))
        }
        (None, []) => Err(wrong(
            "key",
            "is missing; put the output of \"openssl rand -base64 32\" into a file that only this service reads, \
             and name it as file:/ABSOLUTE/PATH",
        )),
    }
}

fn prefix(settings: &SharedCacheSettings) -> Result<&str> {
    let prefix = settings.prefix.as_deref().unwrap_or(DEFAULT_PREFIX);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:{}".contains(c);
    if prefix.is_empty() || prefix.len() > MAX_PREFIX || !prefix.chars().all(is_plain) {
        return Err(wrong(
            "prefix",
            "must be 1 to 64 letters, digits and characters of -_.:{}",
        ));
    }
    Ok(prefix)
}

/// The time for one question to the store, if it is set.
pub(super) fn timeout(settings: &SharedCacheSettings) -> Result<Option<Duration>> {
    millis("timeout_ms", settings.timeout_ms, TIMEOUTS)
}

fn millis(name: &str, value: Option<u32>, range: RangeInclusive<u32>) -> Result<Option<Duration>> {
    match value {
        Some(value) if !range.contains(&value) => Err(wrong(
            name,
            &format!(
                "is {value}; use {} to {} (milliseconds)",
                range.start(),
                range.end()
            ),
        )),
        value => Ok(value.map(|value| Duration::from_millis(value.into()))),
    }
}

/// The secret at the place that a setting names. Errors speak of it as `what`.
pub(super) fn read_secret(name: &str, what: &str, setting: &SecretSetting) -> Result<Secret> {
    let source = PinSource::parse_place(setting.expose())
        .map_err(|error| wrong(name, &format!("is wrong: {}", error.message())))?
        .ok_or_else(|| {
            // It may be the secret itself, so it is not repeated.
            let problem = format!(
                "does not say where the {what} is read from; write file:/ABSOLUTE/PATH or env:NAME"
            );
            wrong(name, &problem)
        })?;
    source.read_secret(what).map_err(|error| {
        let problem = format!("names {source}: {}", error.message());
        wrong(name, &problem).with_source(error)
    })
}

/// A `CONFIG` error about a setting of the shared cache.
pub(super) fn wrong(name: &str, problem: &str) -> Error {
    Error::new(
        ErrorCode::Config,
        format!("setting \"shared_cache.{name}\" {problem}"),
    )
    .with_details(|details| details.config_path = Some(path(name)))
}

fn path(name: &str) -> String {
    format!("shared_cache.{name}")
}
