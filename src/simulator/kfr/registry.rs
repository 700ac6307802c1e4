//! The relations that the register has, and those that it has still to load.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::{Date, OffsetDateTime};

use super::form::KfrBatch;
use crate::clock::UnixTime;

/// By institution.
#[derive(Default)]
pub(super) struct Registry(Mutex<BTreeMap<String, Institution>>);

/// Customers, and since when.
type Relations = Vec<(Box<str>, Date)>;

#[derive(Default)]
struct Institution {
    loaded: HashMap<Box<str>, Date>,
    /// Accepted batches, and when they are there.
    waiting: VecDeque<(UnixTime, Relations)>,
}

impl Registry {
    /// Takes an accepted batch, which is loaded at `ready`.
    pub(super) fn accept(&self, fid: &str, batch: KfrBatch, now: UnixTime, ready: UnixTime) {
        let today = today(now);
        let relations = batch.relations.into_iter();
        let relations: Relations = relations
            .map(|(customer, start)| (customer, start.unwrap_or(today)))
            .collect();
        let mut institutions = self.settled(now);
        let institution = institutions.entry(fid.to_owned()).or_default();
        institution.waiting.push_back((ready, relations));
        institution.settle(now);
    }

    /// False when it was there.
    pub(super) fn add(&self, fid: &str, customer: &str, now: UnixTime) -> bool {
        let mut institutions = self.settled(now);
        let loaded = &mut institutions.entry(fid.to_owned()).or_default().loaded;
        let is_new = !loaded.contains_key(customer);
        loaded.entry(customer.into()).or_insert(today(now));
        is_new
    }

    /// False when it was not there.
    pub(super) fn remove(&self, fid: &str, customer: &str, now: UnixTime) -> bool {
        let mut institutions = self.settled(now);
        institutions
            .get_mut(fid)
            .is_some_and(|institution| institution.loaded.remove(customer).is_some())
    }

    /// The institutions where the customer had a relation that began on `last` or before.
    pub(super) fn institutions(&self, customer: &str, last: Date, now: UnixTime) -> Vec<String> {
        let institutions = self.settled(now);
        let with_customer = institutions.iter().filter(|(_, institution)| {
            institution
                .loaded
                .get(customer)
                .is_some_and(|start| *start <= last)
        });
        with_customer.map(|(fid, _)| fid.clone()).collect()
    }

    /// Every relation of an institution as `ID#DATE`, and how many wait.
    pub(super) fn all(&self, fid: &str, now: UnixTime) -> (Vec<String>, usize) {
        let institutions = self.settled(now);
        let Some(institution) = institutions.get(fid) else {
            return (Vec::new(), 0);
        };
        let loaded = institution.loaded.iter();
        let mut loaded: Vec<_> = loaded
            .map(|(customer, start)| format!("{customer}#{start}"))
            .collect();
        loaded.sort();
        let waiting = institution.waiting.iter().map(|(_, batch)| batch.len());
        (loaded, waiting.sum())
    }

    fn settled(&self, now: UnixTime) -> MutexGuard<'_, BTreeMap<String, Institution>> {
        let mut institutions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for institution in institutions.values_mut() {
            institution.settle(now);
        }
        institutions
    }
}

impl Institution {
    /// Loads what is ready. A relation that is there stays as it is.
    fn settle(&mut self, now: UnixTime) {
        while self.waiting.front().is_some_and(|(ready, _)| *ready <= now) {
            let (_, batch) = self.waiting.pop_front().unwrap_or((now, Vec::new()));
            for (customer, start) in batch {
                self.loaded.entry(customer).or_insert(start);
            }
        }
    }
}

/// The day, in UTC.
pub(super) fn today(now: UnixTime) -> Date {
    OffsetDateTime::from_unix_timestamp(now.seconds()).map_or(Date::MIN, OffsetDateTime::date)
}

/// Without the customers.
impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registry")
    }
}
