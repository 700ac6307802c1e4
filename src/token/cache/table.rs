//! A bounded map without locks, for many readers and few writers.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use arc_swap::ArcSwap;
use hashbrown::{DefaultHashBuilder, HashTable};

/// So many maps share the entries; a writer copies one of them.
const SHARDS: usize = 16;

/// A map whose writers replace a part of it, so that a reader waits for nobody
/// and a forked child never meets a lock that is held.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    shards: [ArcSwap<HashTable<Slot<K, V>>>; SHARDS],
    hasher: DefaultHashBuilder,
    max_in_shard: usize,
}

#[derive(Debug)]
struct Slot<K, V> {
    hash: u64,
    key: Arc<K>,
    value: Arc<V>,
}

impl<K, V> Clone for Slot<K, V> {
    fn clone(&self) -> Self {
        Self {
            hash: self.hash,
            key: Arc::clone(&self.key),
            value: Arc::clone(&self.value),
        }
    }
}

impl<K: Hash + Eq, V> Table<K, V> {
    /// A map of about `max` entries.
    pub(super) fn new(max: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| ArcSwap::default()),
            hasher: DefaultHashBuilder::default(),
            max_in_shard: max.div_ceil(SHARDS),
        }
    }

    /// What `work` makes of the value at `key`, if there is one.
    pub(super) fn with<Q, T>(&self, key: &Q, work: impl FnOnce(&Arc<V>) -> T) -> Option<T>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.hasher.hash_one(key);
        let shard = self.shard(hash).load();
        let slot = shard.find(hash, |slot| (*slot.key).borrow() == key)?;
        Some(work(&slot.value))
    }

    /// The value at `key`, which is `value` unless another thread was sooner and
    /// `keep` says that its value may stay. In a full part of the map, those go
    /// first that `worth` gives the least.
    pub(super) fn insert(
        &self,
        key: K,
        value: Arc<V>,
        keep: impl Fn(&V) -> bool,
        worth: impl Fn(&V) -> i64,
    ) -> Arc<V> {
        let hash = self.hasher.hash_one(&key);
        let slot = Slot {
            hash,
            key: Arc::new(key),
            value,
        };
        let mut kept = None;
        self.shard(hash).rcu(|shard| {
            let mut shard = HashTable::clone(shard);
            kept = None;
            match shard.find_mut(hash, |known| known.key == slot.key) {
                Some(known) if keep(&known.value) => kept = Some(Arc::clone(&known.value)),
                Some(known) => *known = slot.clone(),
                None => {
                    if shard.len() >= self.max_in_shard {
                        thin_out(&mut shard, &worth);
                    }
                    shard.insert_unique(hash, slot.clone(), |slot| slot.hash);
                }
            }
            shard
        });
        kept.unwrap_or(slot.value)
    }

    /// Everything in it, in no order.
    pub(super) fn values(&self) -> Vec<Arc<V>> {
        let shards = self.shards.iter().map(ArcSwap::load_full);
        shards
            .flat_map(|shard| {
                let values = shard.iter().map(|slot| Arc::clone(&slot.value));
                values.collect::<Vec<_>>()
            })
            .collect()
    }

    fn shard(&self, hash: u64) -> &ArcSwap<HashTable<Slot<K, V>>> {
        // The table itself uses the top and the bottom bits.
        &self.shards[(hash >> 32) as usize % SHARDS]
    }
}

/// Drops a quarter of what is there, those of the least worth. What is worth
/// `i64::MAX` stays.
fn thin_out<K, V>(shard: &mut HashTable<Slot<K, V>>, worth: impl Fn(&V) -> i64) {
    let mut worths: Vec<_> = shard.iter().map(|slot| worth(&slot.value)).collect();
    worths.sort_unstable();
    let quarter = shard.len().div_ceil(4);
    let Some(&bound) = worths.get(quarter - 1) else {
        return;
    };
    let mut left = quarter;
    shard.retain(|slot| {
        let worth = worth(&slot.value);
        let goes = left > 0 && worth <= bound && worth < i64::MAX;
        left -= usize::from(goes);
        !goes
    });
}
