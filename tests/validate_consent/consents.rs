//! Altinn's consent in a token (docs.altinn.studio, "Validate consent tokens").

use proptest::prelude::*;
use segl::ErrorCode;
use segl::validate::{Consent, Party};
use serde_json::{Value, json};

use crate::rows::check_rows;
use crate::world::{NOW, ORG, OTHER_PERSON, PERSON, STRANGER, World, claims, organisation};

const ID: &str = "93413201-b7e8-4ec3-a899-580fc02c6aeb";

/// The element as Altinn's example has it.
fn consent() -> Value {
    json!({
        "type": "urn:altinn:consent",
        "id": ID,
        "from": format!("urn:altinn:person:identifier-no:{PERSON}"),
        "to": organisation(ORG),
        "consented": "2026-07-18T07:57:30.409251+00:00",
        "validTo": "2027-07-18T09:57:15.639509+02:00",
        "consentRights": [
            right("bank-saldo", json!({ "inntektsaar": "2025" })),
            right("bank-laan", json!({})),
        ],
    })
}

fn right(resource: &str, metadata: Value) -> Value {
    json!({
        "action": ["consent"],
        "resource": [{ "type": "urn:altinn:resource", "value": resource }],
        "metadata": metadata,
    })
}

fn with(details: Value) -> Value {
    let mut claims = claims();
    claims["authorization_details"] = details;
    claims
}

/// The consent with one member replaced, or taken away by null.
fn changed(name: &str, value: Value) -> Value {
    let mut consent = consent();
    match value {
        Value::Null => consent.as_object_mut().unwrap().remove(name),
        value => consent
            .as_object_mut()
            .unwrap()
            .insert(name.to_owned(), value),
    };
    with(json!([consent]))
}

fn required() -> Value {
    json!({ "consent": { "from": PERSON, "resources": ["bank-saldo"] } })
}

#[test]
fn one_call_answers_whether_an_organisation_may_do_this_for_this_person() {
    let world = World::new();
    let requirements = json!({
        "scopes": ["bank:saldo"],
        "consumer": ORG,
        "consent": { "from": PERSON, "resources": ["bank-saldo", "bank-laan"] },
    });
    let verified = world
        .check(&with(json!([consent()])), &requirements)
        .unwrap();
    let consent = verified.consent().unwrap();
    assert_eq!(consent.id, ID);
    assert_eq!(consent.from, PERSON.parse().unwrap());
    assert_eq!(consent.to.as_str(), ORG);
    assert_eq!(consent.consented.to_string(), "2026-07-18T07:57:30Z");
    assert_eq!(consent.valid_to.to_string(), "2027-07-18T07:57:15Z");
    assert_eq!(consent.rights[0].metadata["inntektsaar"], "2025");
    let json = verified.to_json().unwrap();
    assert_eq!(
        json["consent"]["consentRights"][1]["resource"][0],
        "bank-laan"
    );
    assert!(!format!("{verified:?} {consent:?}").contains(PERSON));
}

#[test]
fn what_is_not_asked_for_is_not_looked_at() {
    let world = World::new();
    let verified = world.check(&changed("to", json!("nobody")), &json!({}));
    assert!(verified.unwrap().consent().is_none());
}

#[test]
fn other_documented_forms_are_read() {
    let organisation_urn = format!("urn:altinn:organization:identifier-no:{ORG}");
    let mut upper = right("bank-saldo", json!({}));
    upper["metaData"] = json!({ "inntektsaar": "2024" });
    upper.as_object_mut().unwrap().remove("metadata");
    let world = World::new();
    for claims in [
        changed("to", organisation_urn.into()),
        changed("consented", (NOW - 1).into()),
        changed("validTo", (NOW + 1).into()),
        changed("validTo", (NOW + 1).to_string().into()),
        changed("consentRights", json!([upper.clone()])),
        with(json!([{ "type": "urn:altinn:systemuser" }, consent()])),
    ] {
        world.check(&claims, &required()).unwrap();
    }
    let claims = changed("consentRights", json!([upper]));
    let verified = world.check(&claims, &required()).unwrap();
    let consent = verified.consent().unwrap();
    assert_eq!(consent.rights[0].metadata["inntektsaar"], "2024");
}

#[test]
fn an_organisation_can_consent_too() {
    let world = World::new();
    let from = format!("urn:altinn:organization:identifier-no:{STRANGER}");
    let claims = changed("from", from.clone().into());
    for wanted in [STRANGER, &from] {
        let requirements = json!({ "consent": { "from": wanted, "resources": ["bank-saldo"] } });
        world.check(&claims, &requirements).unwrap();
    }
    let error = world.refusal(&claims, &required());
    assert_eq!(error.code(), ErrorCode::ConsentGiver);
}

#[test]
fn each_fault_has_its_number_and_no_person_is_shown() {
    use ErrorCode::*;
    let other_person = format!("urn:altinn:person:identifier-no:{OTHER_PERSON}");
    let mut other_action = right("bank-saldo", json!({}));
    other_action["action"] = json!(["read"]);
    let misspelt = json!({ "type": "urn:altinn:concent", "from": PERSON });
    let cases = [
        (claims(), ConsentMissing, "has no consent"),
        (with(json!([])), ConsentMissing, "authorization_details"),
        (
            with(json!([{ "type": "urn:altinn:systemuser" }])),
            ConsentMissing,
            "urn:altinn:consent",
        ),
        (with(json!({})), ConsentMalformed, "not an array"),
        (with(json!([misspelt])), ConsentMalformed, "misspelling"),
        (
            with(json!([consent(), consent()])),
            ConsentMalformed,
            "more than one",
        ),
        (changed("id", json!("7")), ConsentMalformed, "UUID"),
        (changed("id", Value::Null), ConsentMalformed, "\"id\""),
        (
            changed("from", json!(PERSON.len())),
            ConsentMalformed,
            "\"from\"",
        ),
        (
            changed("from", json!("urn:altinn:person:identifier-no:05848998357")),
            ConsentMalformed,
            "\"from\"",
        ),
        (changed("to", Value::Null), ConsentMalformed, "\"to\""),
        (
            changed(
                "to",
                json!({ "authority": "x", "ID": format!("0192:{ORG}") }),
            ),
            ConsentMalformed,
            "\"to\"",
        ),
        (
            changed("consented", Value::Null),
            ConsentMalformed,
            "\"consented\"",
        ),
        (
            changed("validTo", json!("2027-07-18T09:57:15")),
            ConsentMalformed,
            "\"validTo\"",
        ),
        (
            changed("consentRights", json!({})),
            ConsentMalformed,
            "consentRights",
        ),
        (
            changed("consentRights", json!([{}])),
            ConsentMalformed,
            "action",
        ),
        (
            changed("to", organisation(STRANGER)),
            ConsentOrganisation,
            "910753614",
        ),
        (changed("from", other_person.into()), ConsentGiver, "not"),
        (
            changed("consented", json!(NOW + 11)),
            ConsentExpired,
            "in the future",
        ),
        (
            changed("validTo", json!(NOW)),
            ConsentExpired,
            "ended at 2026-09-21",
        ),
        (
            changed("consentRights", json!([right("bank-laan", json!({}))])),
            ConsentRight,
            "it covers \"consent\" of \"bank-laan\"",
        ),
        (
            changed("consentRights", json!([])),
            ConsentRight,
            "it covers nothing",
        ),
        (
            changed("consentRights", json!([other_action])),
            ConsentRight,
            "\"read\"",
        ),
    ];
    let world = World::new();
    check_rows(cases, |(claims, code, words)| {
        let error = world.refusal(claims, &required());
        assert_eq!(error.code(), *code, "{error}");
        assert!(error.message().contains(words), "{error}");
        for person in [PERSON, OTHER_PERSON, "05848998357"] {
            assert!(!format!("{error:?}").contains(person), "{error:?}");
        }
        assert_eq!(error.details().http_status, Some(403));
        let word = error.details().oauth_error.as_deref();
        assert_eq!(word, Some("insufficient_scope"));
    });
}

#[test]
fn a_consent_ends_at_its_second_and_begins_with_some_leeway() {
    let world = World::new();
    let claims = changed("validTo", json!(NOW + 60));
    world.set_time(NOW + 59);
    world.check(&claims, &required()).unwrap();
    world.set_time(NOW + 60);
    let error = world.refusal(&claims, &required());
    assert_eq!(error.code(), ErrorCode::ConsentExpired);
    world.set_time(NOW);
    let claims = changed("consented", json!(NOW + 10));
    world.check(&claims, &required()).unwrap();
}

#[test]
fn a_consent_to_the_supplier_is_none_to_the_consumer() {
    let world = World::new();
    let mut claims = changed("to", organisation(STRANGER));
    claims["supplier"] = organisation(STRANGER);
    claims["delegation_source"] = "https://tt02.altinn.no/".into();
    let error = world.refusal(&claims, &required());
    assert_eq!(error.code(), ErrorCode::ConsentOrganisation);
}

#[test]
fn another_action_can_be_asked_for() {
    let world = World::new();
    let mut read = right("bank-saldo", json!({}));
    read["action"] = json!(["consent", "read"]);
    let claims = changed("consentRights", json!([read]));
    let asking = |action: &str| {
        let consent = json!({ "from": PERSON, "resources": ["bank-saldo"], "action": action });
        world.check(&claims, &json!({ "consent": consent }))
    };
    asking("read").unwrap();
    assert_eq!(asking("write").unwrap_err().code(), ErrorCode::ConsentRight);
}

#[test]
fn requirements_that_ask_for_nothing_are_refused() {
    let world = World::new();
    for consent in [
        json!({ "from": PERSON }),
        json!({ "from": PERSON, "resources": [] }),
        json!({ "resources": ["bank-saldo"] }),
        json!({ "from": "05848998357", "resources": ["bank-saldo"] }),
        json!({ "from": 5_848_998_356_i64, "resources": ["bank-saldo"] }),
        json!({ "from": PERSON, "resources": ["bank-saldo"], "to": ORG }),
    ] {
        let error = world
            .check(&claims(), &json!({ "consent": consent }))
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
        assert!(!error.message().contains("5848998"), "{error}");
    }
}

proptest! {
    #[test]
    fn no_consent_panics(name in "type|id|from|to|consented|validTo|consentRights|x", text in "\\PC{0,20}", number in any::<i64>()) {
        for value in [json!(text), json!(number), json!([text]), json!({ &text: text }), json!([{ "action": text, "resource": [text] }])] {
            let claims = changed(&name, value);
            if let Ok(Some(read)) = Consent::in_details(claims.get("authorization_details")) {
                prop_assert!(matches!(read.from, Party::Person(_)));
            }
        }
    }

    #[test]
    fn resources_are_compared_letter_for_letter(wanted in "[a-z_-]{1,8}", there in "[a-z_-]{1,8}") {
        let claims = changed("consentRights", json!([right(&there, json!({}))]));
        let consent = Consent::in_details(claims.get("authorization_details")).unwrap().unwrap();
        prop_assert_eq!(consent.covers(&wanted, "consent"), wanted == there);
    }
}
