//! The table behind the handles.
//!
//! A handle is a key: the index of a slot and the slot's generation, sealed so
//! that small integers, addresses and old handles do not hit. A key is never
//! used twice.
//!
//! There is no lock, so a child process made by `fork` finds none that is held.
//! Concurrent hash maps were looked at for this: papaya, dashmap and
//! sharded-slab take a mutex when they grow or when a thread is new to them.

#![forbid(unsafe_code)]

use std::any::Any;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arc_swap::{ArcSwapOption, Guard};

/// Slots in the first chunk; every further chunk is twice the one before.
const FIRST_CHUNK: u64 = 64;
/// Enough chunks for every 32-bit index.
const CHUNKS: usize = 27;
/// Keys have their top bit clear and the seal's mask has it set, so no key is
/// sealed to 0, which is NULL.
const TOP_BIT: u64 = 1 << 63;
/// A slot that was used this often is used no more.
const LAST_GENERATION: u32 = (TOP_BIT >> 32) as u32 - 1;
/// Spreads the bits of a key over the handle; odd, so it has an inverse.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
const SPREAD_INVERSE: u64 = inverse(SPREAD);

/// Values by handle. All functions may run at the same time.
pub(super) struct Table {
    chunks: [ArcSwapOption<Box<[Slot]>>; CHUNKS],
    /// How many slots have ever been taken.
    used: AtomicU64,
    /// Head of the list of free slots: a counter against ABA above, the index
    /// plus one below, 0 for none.
    free: AtomicU64,
    /// The seal's mask, 0 until the first use.
    mask: AtomicU64,
}

#[derive(Default)]
struct Slot {
    generation: AtomicU32,
    next_free: AtomicU32,
    entry: ArcSwapOption<Entry>,
}

struct Entry {
    key: u64,
    value: Arc<dyn Any + Send + Sync>,
}

impl Table {
    pub(super) const fn new() -> Self {
        Self {
            chunks: [const { ArcSwapOption::const_empty() }; CHUNKS],
            used: AtomicU64::new(0),
            free: AtomicU64::new(0),
            mask: AtomicU64::new(0),
        }
    }

    /// Keeps `value` and returns its handle, which is never 0.
    pub(super) fn insert<T: Any + Send + Sync>(&self, value: T) -> u64 {
        let index = self.take_slot();
        let chunk = self.chunk_or_new(index);
        let slot = &chunk[offset(index)];
        let key = (u64::from(slot.generation.load(Ordering::Acquire)) << 32) | u64::from(index);
        let value = Arc::new(value);
        slot.entry.store(Some(Arc::new(Entry { key, value })));
        self.seal(key)
    }

    /// The value of `handle`, if it is there and a `T`. It stays alive while the
    /// caller has it, whoever removes it meanwhile.
    pub(super) fn get<T: Any + Send + Sync>(&self, handle: u64) -> Option<Arc<T>> {
        let key = self.unseal(handle)?;
        let chunk = self.chunk(key as u32);
        let entry = chunk.as_ref()?[offset(key as u32)].entry.load();
        let entry = entry.as_ref().filter(|entry| entry.key == key)?;
        Arc::clone(&entry.value).downcast().ok()
    }

    /// Removes `handle` if it is there and a `T`. Its value is dropped by the
    /// last one who has it. False when there was nothing to remove.
    pub(super) fn remove<T: Any + Send + Sync>(&self, handle: u64) -> bool {
        self.unseal(handle).is_some_and(|key| {
            self.take(key as u32, |entry| {
                entry.key == key && entry.value.is::<T>()
            })
        })
    }

    /// Removes everything.
    pub(super) fn clear(&self) {
        for index in 0..self.used.load(Ordering::Acquire) {
            self.take(index as u32, |_| true);
        }
    }

    /// Empties the slot at `index` if `matches` says so; one caller wins.
    fn take(&self, index: u32, matches: impl FnOnce(&Entry) -> bool) -> bool {
        let chunk = self.chunk(index);
        let Some(slot) = chunk.as_ref().map(|chunk| &chunk[offset(index)]) else {
            return false;
        };
        let entry = slot.entry.load();
        let Some(present) = entry.as_ref().filter(|entry| matches(entry)) else {
            return false;
        };
        let before = slot.entry.compare_and_swap(present, None);
        let won = before
            .as_ref()
            .is_some_and(|before| Arc::ptr_eq(before, present));
        if won {
            self.release_slot(index, slot);
        }
        won
    }

    fn take_slot(&self) -> u32 {
        let mut head = self.free.load(Ordering::Acquire);
        while let Some(index) = (head as u32).checked_sub(1) {
            let chunk = self.chunk_or_new(index);
            let next = chunk[offset(index)].next_free.load(Ordering::Acquire);
            match self.free.compare_exchange_weak(
                head,
                next_head(head, next),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return index,
                Err(now) => head = now,
            }
        }
        u32::try_from(self.used.fetch_add(1, Ordering::AcqRel))
            .expect("memory is full before there are 2^32 handles")
    }

    fn release_slot(&self, index: u32, slot: &Slot) {
        if slot.generation.fetch_add(1, Ordering::AcqRel) == LAST_GENERATION {
            return;
        }
        let mut head = self.free.load(Ordering::Acquire);
        loop {
            slot.next_free.store(head as u32, Ordering::Release);
            match self.free.compare_exchange_weak(
                head,
                next_head(head, index + 1),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    fn chunk(&self, index: u32) -> Guard<Option<Arc<Box<[Slot]>>>> {
        self.chunks[chunk_of(index)].load()
    }

    fn chunk_or_new(&self, index: u32) -> Arc<Box<[Slot]>> {
        let place = &self.chunks[chunk_of(index)];
        if let Some(chunk) = place.load_full() {
            return chunk;
        }
        let len = FIRST_CHUNK << chunk_of(index);
        let new: Arc<Box<[Slot]>> = Arc::new((0..len).map(|_| Slot::default()).collect());
        let before = place.compare_and_swap(&None::<Arc<_>>, Some(Arc::clone(&new)));
        Guard::into_inner(before).unwrap_or(new)
    }

    fn seal(&self, key: u64) -> u64 {
        (key ^ self.mask()).wrapping_mul(SPREAD)
    }

    fn unseal(&self, handle: u64) -> Option<u64> {
        let key = handle.wrapping_mul(SPREAD_INVERSE) ^ self.mask();
        (key & TOP_BIT == 0).then_some(key)
    }

    /// The same random number for the life of the process, and of its children.
    fn mask(&self) -> u64 {
        let mask = self.mask.load(Ordering::Acquire);
        if mask != 0 {
            return mask;
        }
        let new = RandomState::new().hash_one("segl") | TOP_BIT;
        match self
            .mask
            .compare_exchange(0, new, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => new,
            Err(first) => first,
        }
    }
}

fn chunk_of(index: u32) -> usize {
    (u64::from(index) / FIRST_CHUNK + 1).ilog2() as usize
}

fn offset(index: u32) -> usize {
    let before = FIRST_CHUNK * ((1 << chunk_of(index)) - 1);
    (u64::from(index) - before) as usize
}

/// The list's head with one more change counted.
fn next_head(head: u64, index_plus_one: u32) -> u64 {
    ((head >> 32).wrapping_add(1) << 32) | u64::from(index_plus_one)
}

/// The inverse of an odd number modulo 2^64; each step of Newton's method
/// doubles the bits that are right.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut bits = 3;
    while bits < 64 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        bits *= 2;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    struct Counted(Arc<AtomicUsize>);

    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_removed_handle_is_gone_and_its_slot_gets_a_new_key() {
        let table = Table::new();
        let first = table.insert(1_u8);
        assert_eq!(table.get::<u8>(first).as_deref(), Some(&1));
        assert!(table.remove::<u8>(first));
        assert!(!table.remove::<u8>(first));
        let second = table.insert(2_u8);
        assert_eq!(
            table.used.load(Ordering::SeqCst),
            1,
            "the slot is used again"
        );
        assert_ne!(first, second);
        assert!(table.get::<u8>(first).is_none());
        assert_eq!(table.get::<u8>(second).as_deref(), Some(&2));
    }

    #[test]
    fn a_handle_of_another_type_is_neither_found_nor_removed() {
        let table = Table::new();
        let handle = table.insert(1_u8);
        assert!(table.get::<u16>(handle).is_none());
        assert!(!table.remove::<u16>(handle));
        assert!(table.get::<u8>(handle).is_some());
    }

    #[test]
    fn a_value_lives_until_its_last_user_is_done() {
        let table = Table::new();
        let drops = Arc::new(AtomicUsize::new(0));
        let handle = table.insert(Counted(Arc::clone(&drops)));
        let user = table.get::<Counted>(handle).unwrap();
        assert!(table.remove::<Counted>(handle));
        assert_eq!(drops.load(Ordering::SeqCst), 0);
        drop(user);
        assert_eq!(drops.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn it_grows_over_many_chunks_and_no_handle_repeats() {
        let table = Table::new();
        let handles: Vec<u64> = (0..10_000_u32).map(|number| table.insert(number)).collect();
        assert_eq!(handles.iter().collect::<HashSet<_>>().len(), handles.len());
        for (number, handle) in (0_u32..).zip(&handles) {
            assert_eq!(table.get::<u32>(*handle).as_deref(), Some(&number));
        }
        table.clear();
        assert!(
            handles
                .iter()
                .all(|handle| table.get::<u32>(*handle).is_none())
        );
    }

    #[test]
    fn values_that_were_never_handles_do_not_hit() {
        let table = Table::new();
        for number in 0..1000_u32 {
            table.insert(number);
        }
        for wild in (0..100_000)
            .chain((0..64).map(|bit| 1 << bit))
            .chain([u64::MAX])
        {
            assert!(table.get::<u32>(wild).is_none());
        }
    }

    #[test]
    fn a_slot_is_retired_before_its_generations_repeat() {
        let table = Table::new();
        let handle = table.insert(());
        table.chunk(0).as_ref().unwrap()[0]
            .generation
            .store(LAST_GENERATION, Ordering::SeqCst);
        assert!(table.remove::<()>(handle));
        table.insert(());
        assert_eq!(table.used.load(Ordering::SeqCst), 2, "a new slot was taken");
    }

    #[test]
    fn indexes_map_to_chunks_without_gap_or_overlap() {
        let mut expected = (0, 0);
        for index in 0..100_000 {
            assert_eq!((chunk_of(index), offset(index)), expected);
            expected.1 += 1;
            if expected.1 as u64 == FIRST_CHUNK << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
        assert!(chunk_of(u32::MAX) < CHUNKS);
    }

    #[test]
    fn threads_insert_use_and_remove_the_same_handles() {
        let table = Table::new();
        let drops = Arc::new(AtomicUsize::new(0));
        let handles: Vec<u64> = (0..2000)
            .map(|_| table.insert(Counted(Arc::clone(&drops))))
            .collect();
        let removed = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for handle in &handles {
                        let user = table.get::<Counted>(*handle);
                        let own = table.insert(Counted(Arc::clone(&drops)));
                        if table.remove::<Counted>(*handle) {
                            removed.fetch_add(1, Ordering::SeqCst);
                        }
                        assert!(table.remove::<Counted>(own));
                        drop(user);
                    }
                });
            }
        });
        assert_eq!(
            removed.load(Ordering::SeqCst),
            handles.len(),
            "each is removed once"
        );
        assert_eq!(drops.load(Ordering::SeqCst), 5 * handles.len());
    }
}
