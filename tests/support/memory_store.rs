//! A store in memory that fails when it is told to.
#![allow(dead_code, reason = "each test uses its own part")]

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use segl::token::shared::SharedStore;
use segl::{Call, Error, ErrorCode, Result};

#[derive(Default)]
pub struct Memory {
    pub entries: Mutex<HashMap<String, (Vec<u8>, Instant)>>,
    /// How often it was asked.
    pub asked: AtomicU32,
    /// The number of the first question that fails, counted from 1; 0 for none.
    pub fails_from: AtomicU32,
    /// Leases are not given back, as if their holders died.
    pub keeps_leases: AtomicBool,
}

impl Memory {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The names of what is in it now, leases not included.
    pub fn names(&self) -> Vec<String> {
        let entries = self.entries.lock().unwrap();
        let is_token = |name: &&String| !name.ends_with(":lease");
        entries.keys().filter(is_token).cloned().collect()
    }

    /// The name of the only token in it.
    pub fn name(&self) -> String {
        let names = self.names();
        assert_eq!(names.len(), 1, "{names:?}");
        names[0].clone()
    }

    pub fn value(&self, name: &str) -> Vec<u8> {
        self.entries.lock().unwrap()[name].0.clone()
    }

    pub fn set(&self, name: &str, value: Vec<u8>) {
        let end = Instant::now() + Duration::from_secs(3600);
        let mut entries = self.entries.lock().unwrap();
        entries.insert(name.to_owned(), (value, end));
    }

    fn question(&self) -> Result<()> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let fails_from = self.fails_from.load(Ordering::SeqCst);
        if fails_from != 0 && number >= fails_from {
            return Err(Error::new(ErrorCode::Network, "the store is away"));
        }
        let now = Instant::now();
        self.entries
            .lock()
            .unwrap()
            .retain(|_, (_, end)| *end > now);
        Ok(())
    }
}

impl SharedStore for Memory {
    fn get(&self, key: &str, _: &Call) -> Result<Option<Vec<u8>>> {
        self.question()?;
        let entries = self.entries.lock().unwrap();
        Ok(entries.get(key).map(|(value, _)| value.clone()))
    }

    fn put(&self, key: &str, value: &[u8], ttl: Duration, _: &Call) -> Result<()> {
        self.question()?;
        let mut entries = self.entries.lock().unwrap();
        entries.insert(key.to_owned(), (value.to_vec(), Instant::now() + ttl));
        Ok(())
    }

    fn remove(&self, key: &str, value: &[u8], _: &Call) -> Result<bool> {
        self.question()?;
        let mut entries = self.entries.lock().unwrap();
        let is_it = entries.get(key).is_some_and(|(found, _)| found == value);
        if is_it {
            entries.remove(key);
        }
        Ok(is_it)
    }

    fn try_lease(&self, key: &str, holder: &str, ttl: Duration, _: &Call) -> Result<bool> {
        self.question()?;
        let mut entries = self.entries.lock().unwrap();
        let end = Instant::now() + ttl;
        let (value, _) = entries
            .entry(key.to_owned())
            .or_insert_with(|| (holder.as_bytes().to_vec(), end));
        Ok(value == holder.as_bytes())
    }

    fn release(&self, key: &str, holder: &str, call: &Call) -> Result<()> {
        if self.keeps_leases.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.remove(key, holder.as_bytes(), call).map(drop)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}
