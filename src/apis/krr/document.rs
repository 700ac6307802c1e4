//! What the register answered, as JSON for programs.

use serde::{Serialize, Serializer};

use super::{Batch, Person};
use crate::clock::UnixTime;
use crate::person_id::PersonId;

/// A person as the register has it, and whether the contact information is current.
#[derive(Serialize)]
pub(crate) struct Record<'a> {
    #[serde(flatten)]
    person: &'a Person,
    email_is_current: bool,
    mobile_is_current: bool,
}

/// A whole answer.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    persons: Vec<Record<'a>>,
    #[serde(serialize_with = "expose")]
    missing: &'a [PersonId],
    #[serde(skip_serializing_if = "<[Person]>::is_empty")]
    unasked: &'a [Person],
}

impl Person {
    /// The person as JSON at this time.
    pub(crate) fn record(&self, now: UnixTime) -> Record<'_> {
        let contact = self.contact.as_ref();
        Record {
            person: self,
            email_is_current: contact.is_some_and(|contact| contact.email_is_current(now)),
            mobile_is_current: contact.is_some_and(|contact| contact.mobile_is_current(now)),
        }
    }
}

impl Batch {
    /// The answer as JSON at this time.
    pub(crate) fn document(&self, now: UnixTime) -> Document<'_> {
        Document {
            persons: self
                .persons
                .iter()
                .map(|person| person.record(now))
                .collect(),
            missing: &self.missing,
            unasked: &self.unasked,
        }
    }
}

fn expose<S: Serializer>(
    persons: &[PersonId],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_seq(persons.iter().map(PersonId::expose))
}
