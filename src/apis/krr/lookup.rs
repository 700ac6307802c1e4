//! A look-up of any number of persons, request by request.

use std::collections::{HashMap, HashSet};

use super::{Krr, MOST_PERSONS, Person};
use crate::call::Call;
use crate::error::{ErrorCode, Result};
use crate::log::{self, Level};
use crate::person_id::PersonId;

/// Persons that are being looked up, each of them once. Made by [`Krr::lookup`].
///
/// An answer that is larger than the client allows (`max_response_bytes`, 1 MiB unless set) is
/// asked for again in halves, and requests stay as small from then on: with digital
/// post and certificates a thousand persons can be more than 2 MiB.
pub struct Lookup<'a, I> {
    krr: &'a Krr,
    rest: I,
    seen: HashSet<PersonId>,
    /// Taken from `rest` and not answered yet.
    pending: Vec<PersonId>,
    most: usize,
}

/// What the register answered.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Batch {
    /// The persons that the register has, in the order in which they were asked for.
    pub persons: Vec<Person>,
    /// Those that it left out, in that order.
    pub missing: Vec<PersonId>,
    /// Persons in the answer that were not asked for. They are kept apart, so that nobody
    /// is taken for somebody else.
    pub unasked: Vec<Person>,
}

impl<'a, I: Iterator<Item = PersonId>> Lookup<'a, I> {
    pub(super) fn new(krr: &'a Krr, persons: I) -> Self {
        Self {
            krr,
            rest: persons,
            seen: HashSet::new(),
            pending: Vec::new(),
            most: MOST_PERSONS,
        }
    }

    /// The answer to the next request; `None` when all are answered. After an error the
    /// same persons are asked for again the next time.
    ///
    /// # Errors
    /// `API_INVALID_REQUEST` (400), `API_FORBIDDEN` for want of a scope, `RESPONSE_TOO_LARGE`
    /// when the answer about one person is, `API_BAD_RESPONSE`, the other API numbers of
    /// [`ErrorCode`], and those of the token endpoint and the network.
    pub fn next_batch(&mut self, call: &Call) -> Result<Option<Batch>> {
        self.fill();
        loop {
            let count = self.pending.len().min(self.most);
            if count == 0 {
                return Ok(None);
            }
            match self.krr.ask(&self.pending[..count], call) {
                Ok(answer) => {
                    let asked = self.pending.drain(..count).collect();
                    return Ok(Some(Batch::of(asked, answer)));
                }
                Err(error) if error.code() == ErrorCode::ResponseTooLarge && count > 1 => {
                    self.most = count / 2;
                    log::emit(
                        Level::Info,
                        "apis",
                        format_args!(
                            "krr: the answer about {count} persons is larger than max_response_bytes; \
                             asking for {} at a time",
                            self.most
                        ),
                    );
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn fill(&mut self) {
        while self.pending.len() < self.most {
            let Some(person) = self.rest.next() else {
                return;
            };
            if self.seen.insert(person.clone()) {
                self.pending.push(person);
            }
        }
    }
}

impl Batch {
    /// Adds the answer to a later request.
    pub(crate) fn append(&mut self, mut later: Self) {
        self.persons.append(&mut later.persons);
        self.missing.append(&mut later.missing);
        self.unasked.append(&mut later.unasked);
    }

    fn of(asked: Vec<PersonId>, answer: Vec<Person>) -> Self {
        let mut batch = Self::default();
        let places: HashMap<_, _> = asked.iter().zip(0..).collect();
        let mut found: Vec<Option<Person>> = asked.iter().map(|_| None).collect();
        for person in answer {
            let place = places
                .get(&person.id)
                .and_then(|place| found.get_mut(*place));
            match place {
                Some(place @ None) => *place = Some(person),
                _ => batch.unasked.push(person),
            }
        }
        for (asked, found) in asked.into_iter().zip(found) {
            match found {
                Some(person) => batch.persons.push(person),
                None => batch.missing.push(asked),
            }
        }
        batch
    }
}

impl<I> std::fmt::Debug for Lookup<'_, I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lookup")
            .field("pending", &self.pending.len())
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}
