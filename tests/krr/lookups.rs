//! Look-ups at the simulator.

use std::time::Duration;

use proptest::prelude::*;
use segl::apis::Krr;
use segl::apis::krr::{KrrVersion, NotificationStatus, Reservation, Status};
use segl::clock::{Clock, UnixTime};
use segl::simulator::{Outage, OutageKind};
use segl::{Call, ErrorCode, PersonId, TokenRequest};

use crate::people::person_ids;
use crate::world::{CONTACT, DIGITAL_POST, KARI, NOBODY, OLA, VERIFIED, World, digits, ids};

#[test]
fn a_person_is_read_with_everything() {
    let world = World::new();
    let krr = world.krr(&[CONTACT, DIGITAL_POST]);
    let batch = krr
        .lookup_all(ids(&[OLA, NOBODY, KARI]), &Call::none())
        .unwrap();
    assert_eq!(digits(&batch.missing), [NOBODY]);
    assert!(batch.unasked.is_empty());
    let [ola, kari] = &batch.persons[..] else {
        panic!("two persons");
    };
    assert_eq!(ola.id.expose(), OLA);
    assert_eq!(ola.reservation, Some(Reservation::Reserved));
    assert_eq!(
        ola.reservation_updated.unwrap().to_string(),
        "2023-06-29T10:14:52+02:00"
    );
    assert_eq!(ola.notification, Some(NotificationStatus::MayNotBeNotified));
    assert!(ola.contact.is_none());
    assert_eq!(kari.status, Some(Status::Active));
    assert_eq!(kari.language.as_ref().unwrap().as_str(), "nn");
    assert_eq!(kari.certificate.as_deref(), Some("MIIB"));
    let post = kari.digital_post.as_ref().unwrap();
    assert_eq!(post.address.as_ref().unwrap().as_str(), "kari#9YDT");
    assert_eq!(post.provider.as_deref(), Some("984661185"));
    let contact = kari.contact.as_ref().unwrap();
    assert_eq!(contact.mobile.as_ref().unwrap().as_str(), "+4799999999");
    assert!(contact.other.is_empty() && kari.other.is_empty());
}

#[test]
fn contact_information_is_current_for_18_months_by_channel() {
    let world = World::new();
    let batch = world
        .krr(&[CONTACT])
        .lookup_all(ids(&[KARI]), &Call::none());
    let batch = batch.unwrap();
    let contact = batch.persons[0].contact.as_ref().unwrap();
    let verified = contact.email_verified.unwrap().unix_time();
    assert_eq!(verified.seconds(), VERIFIED);
    // 2027-12-29T08:14:52Z is 18 months after 2026-06-29T10:14:52+02.
    let end = UnixTime::from_seconds(1_830_068_092);
    assert!(contact.email_is_current(end.plus(-1)));
    assert!(!contact.email_is_current(end));
    assert!(!contact.mobile_is_current(world.clock.now()));
}

#[test]
fn scopes_decide_what_is_seen() {
    let world = World::new();
    let kari = |scopes: &[&str]| {
        let batch = world.krr(scopes).lookup_all(ids(&[KARI]), &Call::none());
        batch.unwrap().persons.remove(0)
    };
    let seen = kari(&[DIGITAL_POST]);
    assert!(seen.contact.is_none() && seen.digital_post.is_some());
    assert_eq!(seen.reservation, Some(Reservation::NotReserved));
    let seen = kari(&[Krr::DELEGABLE_CONTACT_SCOPE]);
    assert!(seen.contact.is_some() && seen.digital_post.is_none());
    let error = world
        .krr(&["some:other"])
        .lookup_all(ids(&[KARI]), &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiForbidden);
    assert_eq!(error.details().http_status, Some(403));
}

#[test]
fn the_unregistered_are_missing_or_have_a_status() {
    let world = World::new();
    let ask = |version| {
        let krr = world.krr(&[CONTACT]).with_version(version);
        krr.lookup_all(ids(&[NOBODY]), &Call::none()).unwrap()
    };
    let left_out = KrrVersion::V2 {
        include_unregistered: false,
    };
    for version in [KrrVersion::V1, left_out] {
        assert_eq!(digits(&ask(version).missing), [NOBODY]);
    }
    let batch = ask(KrrVersion::V2 {
        include_unregistered: true,
    });
    assert_eq!(batch.persons[0].status, Some(Status::NotRegistered));
    assert!(batch.missing.is_empty());
}

#[test]
fn a_long_list_is_asked_for_by_the_thousand_and_nobody_twice() {
    let world = World::new();
    let mut persons = person_ids(2500);
    persons.insert(700, KARI.to_owned());
    persons.push(OLA.to_owned());
    let mut doubled: Vec<PersonId> = persons.iter().map(|id| id.parse().unwrap()).collect();
    doubled.extend_from_within(..);
    let krr = world.krr(&[CONTACT]);
    let mut lookup = krr.lookup(doubled);
    let (mut sizes, mut found, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(batch) = lookup.next_batch(&Call::none()).unwrap() {
        sizes.push(batch.persons.len() + batch.missing.len());
        found.extend(batch.persons.into_iter().map(|person| person.id));
        missing.extend(batch.missing);
    }
    assert_eq!(sizes, [1000, 1000, 502]);
    assert_eq!(world.simulator.requests().krr, 3);
    assert_eq!(digits(&found), [KARI, OLA]);
    persons.retain(|person| person != KARI && person != OLA);
    assert_eq!(digits(&missing), persons);
}

/// With certificates a thousand persons are more than the client takes at once.
#[test]
fn answers_that_are_too_large_are_asked_for_in_halves() {
    let persons = person_ids(60);
    let certificate = "A".repeat(1500);
    let toml: String = persons
        .iter()
        .map(|person| format!("[krr.persons.{person}]\nsertifikat = \"{certificate}\"\n"))
        .collect();
    let world = World::with(&toml);
    let mut settings = world.settings(&[DIGITAL_POST]);
    // 60 and 30 are too many, 15 are not.
    settings["max_response_bytes"] = 30_000.into();
    let krr = Krr::new(world.client(&settings), TokenRequest::default()).unwrap();
    let wanted: Vec<PersonId> = persons.iter().map(|id| id.parse().unwrap()).collect();
    let batch = krr.lookup_all(wanted.clone(), &Call::none()).unwrap();
    let found: Vec<_> = batch
        .persons
        .iter()
        .map(|person| person.id.expose())
        .collect();
    assert_eq!(found, persons);
    assert!(batch.missing.is_empty());
    // 60, 30, and four times 15.
    assert_eq!(world.simulator.requests().krr, 6);

    settings["max_response_bytes"] = 1500.into();
    let krr = Krr::new(world.client(&settings), TokenRequest::default()).unwrap();
    let error = krr.lookup_all(wanted, &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ResponseTooLarge);
}

#[test]
fn failures_that_pass_are_passed_over_and_others_can_be_tried_again() {
    let world = World::new();
    let krr = world.krr(&[CONTACT]);
    let mut outage = Outage::new(OutageKind::ServiceUnavailable);
    outage.path = Some("/krr/rest/v2/personer".into());
    outage.count = Some(2);
    world.simulator.set_outage(Some(outage.clone()));
    let batch = krr.lookup_all(ids(&[KARI]), &Call::none()).unwrap();
    assert_eq!(batch.persons.len(), 1);
    assert_eq!(world.simulator.requests().krr, 3);

    outage.count = None;
    world.simulator.set_outage(Some(outage));
    let mut lookup = krr.lookup(ids(&[NOBODY, KARI]));
    let call = Call::within(Duration::from_secs(2));
    let error = lookup.next_batch(&call).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiServer);
    assert!(error.retryable());
    world.simulator.set_outage(None);
    let batch = lookup.next_batch(&Call::none()).unwrap().unwrap();
    assert_eq!(digits(&batch.missing), [NOBODY]);
    assert!(lookup.next_batch(&Call::none()).unwrap().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever is asked for is answered once: found or missing, in order.
    #[test]
    fn everybody_is_answered_once(picked in prop::collection::vec(0usize..40, 0..80)) {
        thread_local! {
            static WORLD: World = World::new();
        }
        let mut known = person_ids(38);
        known.extend([KARI.to_owned(), OLA.to_owned()]);
        let wanted: Vec<_> = picked.iter().map(|index| known[*index].clone()).collect();
        let persons = wanted.iter().map(|id| id.parse::<PersonId>().unwrap());
        let batch = WORLD.with(|world| {
            world.krr(&[CONTACT]).lookup_all(persons, &Call::none()).unwrap()
        });
        let mut once: Vec<String> = Vec::new();
        for person in wanted {
            if !once.contains(&person) {
                once.push(person);
            }
        }
        let (found, missing): (Vec<_>, Vec<_>) =
            once.into_iter().partition(|id| id == KARI || id == OLA);
        let answered: Vec<_> = batch.persons.iter().map(|person| person.id.expose()).collect();
        prop_assert_eq!(answered, found);
        prop_assert_eq!(digits(&batch.missing), missing);
    }
}
