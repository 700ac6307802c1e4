//! The typed calls, as the register answers them.

use segl::apis::kfr::{Added, Case, CustomerId, OwnershipType, Period, RelationshipsRequest};
use segl::{Call, ErrorCode};

use crate::world::*;

fn customers() -> [CustomerId; 2] {
    [ORG.parse().unwrap(), PERSON.parse().unwrap()]
}

#[test]
fn a_customer_is_added_found_and_removed() {
    let world = World::new();
    let (kfr, call) = (world.kfr(), Call::none());
    for customer in &customers() {
        let banks = |period: &Period| kfr.banks(&bank(), customer, period, &call).unwrap();
        assert!(banks(&Period::default()).is_empty());
        assert_eq!(kfr.add(&bank(), customer, &call).unwrap(), Added::Added);
        assert_eq!(
            kfr.add(&bank(), customer, &call).unwrap(),
            Added::AlreadyThere
        );
        let found = banks(&Period::default());
        assert_eq!(found[0].organization_id, BANK);
        assert_eq!(found[0].bank_name, "TESTBANKEN ÆRLIG ASA");
        assert!(!found[0].active_account);
        assert_eq!(found[0].ownership_type, None);
        let past = Period::parse(Some("2018-01-01"), Some("2019-01-01")).unwrap();
        assert!(banks(&past).is_empty());
        kfr.remove(&bank(), customer, &call).unwrap();
        assert!(banks(&Period::default()).is_empty());
        let error = kfr.remove(&bank(), customer, &call).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ApiNotFound);
        assert_eq!(error.details().provider_code.as_deref(), Some("KFR-008"));
        assert!(error.message().contains("wait before removing"), "{error}");
    }
}

#[test]
fn agencies_ask_by_both_versions() {
    let call = Call::none();
    for version in [1, 2] {
        let world = World::with(&format!("version = {version}"));
        let kfr = world.kfr();
        let [_, person] = customers();
        kfr.add(&bank(), &person, &call).unwrap();
        let whole = Period::parse(Some("2019-01-01"), Some("2999-01-01")).unwrap();
        let case = Case::new("Skatteforvaltningsloven § 10-2, første ledd", "case-17").unwrap();
        let only = (version == 2).then_some(true);
        let request = RelationshipsRequest::of_version(
            version,
            person.clone(),
            whole,
            Some(case.clone()),
            only,
        )
        .unwrap();
        let found = kfr.customer_relationships(&request, &call).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].organization_id, BANK);
        let expected = (version == 2).then_some(OwnershipType::PrimaryOwner);
        assert_eq!(found[0].ownership_type, expected);
        // Both spellings of the organisation's number, for the versions differ in it.
        let account = "15030012345".parse().unwrap();
        let provider = kfr
            .account_servicing_provider(&account, Some(&case), &call)
            .unwrap();
        assert_eq!(provider.organization_id, BANK);
        let request = RelationshipsRequest::v1(person, Period::default(), None);
        let answer = kfr.customer_relationships(&request, &call);
        assert_eq!(answer.is_ok(), version == 1);
    }
}

#[test]
fn what_cannot_be_right_is_refused_before_it_is_sent() {
    let world = World::new();
    let [org, _] = customers();
    let refused = |result: segl::Result<()>| {
        assert_eq!(result.unwrap_err().code(), ErrorCode::InvalidArgument);
    };
    let date = |text| Period::parse(Some(text), None).map(|_| ());
    for text in [
        "2019-02-29",
        "2019-1-01",
        "19-01-01",
        "2019-13-01",
        "2019-01-01 ",
        "æ019-01-01",
    ] {
        refused(date(text));
    }
    refused(Period::parse(Some("2019-01-02"), Some("2019-01-01")).map(|_| ()));
    let case = || Case::new("x", "y").unwrap();
    refused(RelationshipsRequest::v2(org.clone(), Period::default(), case(), None).map(|_| ()));
    for (version, case, only) in [(1, None, Some(true)), (2, None, None), (3, None, None)] {
        let request =
            RelationshipsRequest::of_version(version, org.clone(), Period::default(), case, only);
        refused(request.map(|_| ()));
    }
    for (mandate, reference) in [("", "x"), ("x", ""), ("x", "a\r\nb"), ("x", "æ")] {
        refused(Case::new(mandate, reference).map(|_| ()));
    }
    for wrong in [
        "",
        "91743938",
        "917439388",
        "23079422569",
        "917 439 389",
        "2307942256x",
    ] {
        let error = wrong.parse::<CustomerId>().unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(wrong.is_empty() || !error.to_string().contains(wrong));
    }
    assert_eq!(world.simulator.requests().kfr, 0);
}

#[test]
fn the_correlation_id_is_new_each_time_or_the_callers() {
    let world = World::new();
    let (kfr, call) = (world.kfr(), Call::none());
    let [org, _] = customers();
    let trace = |kfr: &segl::apis::Kfr| {
        let error = kfr.remove(&bank(), &org, &call).unwrap_err();
        error.details().trace_id.clone().unwrap()
    };
    assert_ne!(trace(&kfr), trace(&kfr));
    let id = "2b6fc544-e708-4887-8425-378733eea631";
    let own = kfr.with_correlation_id(id.parse().unwrap());
    assert_eq!(trace(&own), id);
    let error = own.remove(&bank(), &org, &call).unwrap_err();
    assert!(error.message().contains(id), "{error}");
    for wrong in ["", "2b6fc544e70848878425378733eea631", "23079422568"] {
        assert!(wrong.parse::<segl::apis::kfr::CorrelationId>().is_err());
    }
}

#[test]
fn nothing_shows_a_person() {
    let world = World::new();
    let [_, person] = customers();
    let relation = segl::apis::kfr::Relation::from(person.clone());
    let account: segl::apis::kfr::AccountNumber = "15030012345".parse().unwrap();
    let request = RelationshipsRequest::v1(person.clone(), Period::default(), None);
    let error = world
        .kfr()
        .remove(&bank(), &person, &Call::none())
        .unwrap_err();
    let shown = format!("{person:?} {relation:?} {account:?} {request:?} {error:?} {error}");
    assert!(
        !shown.contains(PERSON) && !shown.contains("1503001"),
        "{shown}"
    );
}
