//! What a store sees, and what it cannot do.

use std::sync::Arc;

use segl::Call;
use segl::log::Level;
use segl::token::shared::{ObtainedFrom, SealingKeys, SharedCache, SharedStore};

use crate::store::Memory;
use crate::{KEY, ask, instance, logged, obtain_for, records, sealing_key, token};

fn with_keys(store: &Arc<Memory>, keys: &[u8]) -> SharedCache {
    let mut keys = keys.iter().map(|byte| sealing_key(*byte));
    let keys = SealingKeys::new(keys.next().unwrap(), keys.collect());
    SharedCache::new(Arc::clone(store) as Arc<dyn SharedStore>, keys)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|found| found == part)
}

#[test]
fn the_store_sees_neither_token_nor_what_it_is_for() {
    let store = Memory::new();
    let cache = instance(&store).with_prefix("bank");
    ask(&cache, "a");
    let name = store.name();
    assert!(name.starts_with("bank:"), "{name}");
    let digest: String = KEY.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!name.contains(&digest), "{name}");
    let value = store.value(&name);
    for part in ["secret-a", "access_token", "Bearer"] {
        assert!(!contains(&value, part.as_bytes()), "{part}");
    }
    let shown = format!("{cache:?} {:?} {:?}", ask(&cache, "b"), sealing_key(1));
    for part in ["secret-a", "access_token", "0101", "[1, 1"] {
        assert!(!shown.contains(part), "{shown}");
    }
}

#[test]
fn what_was_changed_counts_as_absent_and_is_replaced() {
    records();
    let store = Memory::new();
    ask(&instance(&store), "a");
    let name = store.name();
    let sealed = store.value(&name);
    let mut versions = sealed.clone();
    versions[0] += 1;
    let mut tampered = sealed.clone();
    *tampered.last_mut().unwrap() ^= 0x80;
    let truncated = sealed[..sealed.len() - 1].to_vec();
    for bad in [versions, tampered, truncated, b"garbage".to_vec(), vec![]] {
        store.set(&name, bad.clone());
        let obtained = ask(&instance(&store), "again");
        assert_eq!(obtained.from, ObtainedFrom::Fetched, "{bad:x?}");
        assert_ne!(store.value(&name), bad);
        assert_eq!(ask(&instance(&store), "b").from, ObtainedFrom::Shared);
    }
    let warnings = logged(Level::Warn, &[&name, "was not sealed by segl"]);
    assert_eq!(warnings, 5, "one for each instance");
    let cache = instance(&store);
    for _ in 0..3 {
        store.set(&name, b"garbage".to_vec());
        ask(&cache, "again");
    }
    let warnings = logged(Level::Warn, &[&name, "was not sealed by segl"]) - warnings;
    assert_eq!(warnings, 1, "one instance does not repeat it");
}

#[test]
fn a_token_cannot_be_moved_to_another_place() {
    let store = Memory::new();
    let cache = instance(&store);
    ask(&cache, "a");
    let first = store.name();
    let other_key = [8; 32];
    obtain_for(&cache, &other_key, &mut || Ok(token("b")), &Call::none()).unwrap();
    let second = store.names().into_iter().find(|name| *name != first);
    store.set(&second.unwrap(), store.value(&first));
    let found = obtain_for(&cache, &other_key, &mut || Ok(token("c")), &Call::none()).unwrap();
    assert_eq!(found.from, ObtainedFrom::Fetched);
}

#[test]
fn another_key_neither_finds_nor_opens() {
    let store = Memory::new();
    ask(&with_keys(&store, &[1]), "a");
    let first = store.name();
    let other = with_keys(&store, &[2]);
    assert_eq!(ask(&other, "b").from, ObtainedFrom::Fetched);
    let second = store.names().into_iter().find(|name| *name != first);
    let second = second.unwrap();
    store.set(&second, store.value(&first));
    assert_eq!(ask(&other, "c").from, ObtainedFrom::Fetched);
}

#[test]
fn keys_are_replaced_without_a_fetch() {
    let store = Memory::new();
    ask(&with_keys(&store, &[1]), "a");
    for keys in [&[1, 2][..], &[2, 1]] {
        let found = ask(&with_keys(&store, keys), "never fetched");
        assert_eq!(found.from, ObtainedFrom::Shared, "{keys:?}");
    }
    // The first one seals.
    let store = Memory::new();
    ask(&with_keys(&store, &[2, 1]), "b");
    let found = ask(&with_keys(&store, &[2]), "never fetched");
    assert_eq!(found.from, ObtainedFrom::Shared);
    // A rejected token is found under the older key too.
    let call = Call::none();
    assert!(with_keys(&store, &[3, 2]).forget(KEY, &|_| true, &call));
    assert_eq!(store.names().len(), 0);
}
