//! Requests for consent, and what became of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::problem::Problem;
use crate::clock::UnixTime;
use crate::keys::OrgNumber;

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) enum Status {
    Created,
    Accepted,
    Rejected,
    Revoked,
}

/// A request as it came, checked.
#[derive(Clone)]
pub(super) struct ConsentRequest {
    pub(super) from: String,
    pub(super) to: OrgNumber,
    pub(super) valid_to: UnixTime,
    pub(super) rights: Vec<Value>,
    /// The members that the answer repeats.
    pub(super) body: Value,
}

/// A request and its story.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) request: ConsentRequest,
    pub(super) status: Status,
    pub(super) events: Vec<(Status, UnixTime, Uuid)>,
}

/// A consent that was given and not revoked, as Maskinporten learns of it.
pub(in super::super) struct Given {
    pub(in super::super) from: String,
    pub(in super::super) to: OrgNumber,
    pub(in super::super) consented: UnixTime,
    pub(in super::super) valid_to: UnixTime,
    pub(in super::super) rights: Vec<Value>,
}

/// All requests by their id.
#[derive(Default)]
pub(in super::super) struct Consents(Mutex<BTreeMap<Uuid, Known>>);

impl Consents {
    /// Keeps a request; one that is known between the same parties is answered as it is.
    /// True when it was new.
    pub(super) fn put(
        &self,
        id: Uuid,
        request: ConsentRequest,
        now: UnixTime,
    ) -> Result<(Known, bool), Problem> {
        self.change(|all| {
            if let Some(known) = all.get(&id) {
                let is_same = known.request.from == request.from && known.request.to == request.to;
                return match is_same {
                    true => Ok((known.clone(), false)),
                    false => Err(Problem::IdExists),
                };
            }
            let known = Known {
                request,
                status: Status::Created,
                events: vec![(Status::Created, now, Uuid::new_v4())],
            };
            all.insert(id, known.clone());
            Ok((known, true))
        })
    }

    pub(super) fn get(&self, id: Uuid) -> Option<Known> {
        self.change(|all| all.get(&id).cloned())
    }

    /// What who is asked answers: to accept or reject what is new, to revoke what was
    /// accepted.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in super::super) fn answer(
        &self,
        id: Uuid,
        status: Status,
        now: UnixTime,
    ) -> Result<(), &'static str> {
        self.change(|all| {
            let known = all.get_mut(&id).ok_or("no request has this id")?;
            match (known.status, status) {
                (Status::Created, Status::Accepted) if now >= known.request.valid_to => {
                    Err("the time of the request is over")
                }
                (Status::Created, Status::Accepted | Status::Rejected)
                | (Status::Accepted, Status::Revoked) => {
                    known.status = status;
                    known.events.push((status, now, Uuid::new_v4()));
                    Ok(())
                }
                _ => Err("the request is not in a state for this"),
            }
        })
    }

    /// The consent with this id, if it was given.
    pub(in super::super) fn given(&self, id: &str) -> Option<Given> {
        let known = self.get(Uuid::try_parse(id).ok()?)?;
        let consented = known.consented()?;
        (known.status == Status::Accepted).then_some(Given {
            from: known.request.from,
            to: known.request.to,
            consented,
            valid_to: known.request.valid_to,
            rights: known.request.rights,
        })
    }

    fn change<T>(&self, work: impl FnOnce(&mut BTreeMap<Uuid, Known>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    /// When it was accepted.
    pub(super) fn consented(&self) -> Option<UnixTime> {
        let accepted = self
            .events
            .iter()
            .find(|(status, ..)| *status == Status::Accepted);
        accepted.map(|(_, at, _)| *at)
    }
}
