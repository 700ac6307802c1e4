//! KFR's codes, each from the simulator or as documented.

use std::collections::BTreeMap;

use segl::apis::kfr::{Added, BatchOptions, FormStyle, Relation, kfr_refusals};
use segl::{Call, ErrorCode};
use serde_json::json;

use crate::scripted::answered;
use crate::world::*;

#[test]
fn every_documented_code_has_its_number_and_a_remedy() {
    let expected = BTreeMap::from([
        ("KFR-001", (401, ErrorCode::ApiUnauthorized)),
        ("KFR-002", (403, ErrorCode::ApiForbidden)),
        ("KFR-003", (403, ErrorCode::ApiOtherOrganisation)),
        ("KFR-004", (400, ErrorCode::ApiInvalidRequest)),
        ("KFR-005", (400, ErrorCode::ApiInvalidIdentifier)),
        ("KFR-007", (500, ErrorCode::ApiServer)),
        ("KFR-008", (404, ErrorCode::ApiNotFound)),
        ("KFR-009", (400, ErrorCode::ApiInvalidRequest)),
        ("KFR-010", (400, ErrorCode::ApiInvalidRequest)),
        ("ERR-001", (403, ErrorCode::ApiForbidden)),
        ("ERR-002", (400, ErrorCode::ApiInvalidIdentifier)),
        ("ERR-003", (400, ErrorCode::ApiInvalidRequest)),
        ("ERR-004", (400, ErrorCode::ApiInvalidIdentifier)),
    ]);
    let table: Vec<_> = kfr_refusals()
        .map(|(code, means)| (code, means.code))
        .collect();
    assert_eq!(table.len(), expected.len());
    for (code, means) in kfr_refusals() {
        let (status, number) = expected[code];
        let body = json!({
            "errorCode": code,
            "errorMessage": "the words of KFR 23079422568",
            "timestamp": "2018-02-05T12:54:12Z",
        });
        let error = answered(status, &body.to_string(), &[("correlationid", ID)]);
        assert_eq!(error.code(), number, "{code}");
        let details = error.details();
        assert_eq!(details.provider_code.as_deref(), Some(code));
        assert_eq!(details.http_status, Some(status));
        assert_eq!(details.trace_id.as_deref(), Some(ID));
        assert_eq!(error.retryable(), code == "KFR-007");
        assert!(error.message().contains("the words of KFR"), "{error}");
        assert!(error.message().contains(means.remedy), "{error}");
        assert!(!error.message().contains(PERSON), "{error}");
    }
}

const ID: &str = "294fafb7-0e4e-4177-a5ff-ce7367c45814";

#[test]
fn answers_of_other_forms_are_told_by_their_status() {
    let unauthorized =
        r#"{"statusCode":401,"message":"Unauthorized. Access token is missing or invalid"}"#;
    let error = answered(401, unauthorized, &[]);
    assert_eq!(error.code(), ErrorCode::ApiUnauthorized);
    assert!(
        error.message().contains("Access token is missing"),
        "{error}"
    );
    for (status, code) in [
        (400, ErrorCode::ApiRefused),
        (403, ErrorCode::ApiForbidden),
        (404, ErrorCode::ApiNotFound),
        (405, ErrorCode::ApiRefused),
        (504, ErrorCode::ApiServer),
    ] {
        for body in [
            "",
            "<html>",
            r#"{"errorCode":"23079422568","errorMessage":7}"#,
            r#"{"errorCode":"XXX-999"}"#,
        ] {
            let error = answered(status, body, &[("correlationid", "no id\u{7}")]);
            assert_eq!(error.code(), code, "{status} {body}");
            assert!(!error.to_string().contains(PERSON), "{error}");
            // That of the request stands in for it.
            assert_eq!(error.details().trace_id.as_ref().unwrap().len(), 36);
        }
    }
}

#[test]
fn the_register_refuses_what_the_real_one_does() {
    let world = World::new();
    let call = Call::none();
    let customer = ORG.parse().unwrap();
    let relation: Relation = ORG.parse().unwrap();
    let code = |error: segl::Error| error.details().provider_code.clone().unwrap();
    let other = OTHER_BANK.parse().unwrap();
    let kfr = world.kfr();
    assert_eq!(
        code(kfr.add(&other, &customer, &call).unwrap_err()),
        "KFR-003"
    );
    let period = Default::default();
    assert_eq!(
        code(kfr.banks(&other, &customer, &period, &call).unwrap_err()),
        "ERR-001"
    );
    let batch = |kfr: &segl::apis::Kfr, fid: &segl::keys::OrgNumber| {
        kfr.send_relations(
            fid,
            std::slice::from_ref(&relation),
            FormStyle::Documented,
            &call,
        )
        .unwrap_err()
    };
    let error = batch(&kfr, &other);
    assert!(!error.message().contains("boundary"), "{error}");
    assert_eq!(code(error), "KFR-003");
    let reader = world.kfr_with_scopes(&ALL_SCOPES[1..]);
    let error = batch(&reader, &bank());
    assert!(error.message().contains("boundary"), "{error}");
    assert_eq!(code(error), "KFR-002");
    let error = reader.add(&bank(), &customer, &call).unwrap_err();
    assert!(!error.message().contains("boundary"), "{error}");
    assert_eq!(code(error), "KFR-002");
    assert_eq!(
        code(
            reader
                .banks(&bank(), &customer, &period, &call)
                .unwrap_err()
        ),
        "ERR-001"
    );
    let writer = world.kfr_with_scopes(&ALL_SCOPES[..1]);
    let unknown = "99990012345".parse().unwrap();
    let error = writer
        .account_servicing_provider(&unknown, None, &call)
        .unwrap_err();
    assert_eq!(code(error), "ERR-001");
    let error = kfr
        .account_servicing_provider(&unknown, None, &call)
        .unwrap_err();
    assert_eq!(code(error), "ERR-004");
}

#[test]
fn a_token_that_is_refused_is_replaced_once() {
    let world = World::new();
    let kfr = world.kfr();
    let customer = ORG.parse().unwrap();
    kfr.add(&bank(), &customer, &Call::none()).unwrap();
    world.simulator.reject_tokens();
    let again = kfr.add(&bank(), &customer, &Call::none()).unwrap();
    assert_eq!(again, Added::AlreadyThere);
    assert_eq!(world.simulator.requests().maskinporten_issued, 2);
}

#[test]
fn a_setting_that_hides_the_boundary_is_refused() {
    let world = World::new();
    let mut settings = world.settings(&ALL_SCOPES);
    settings["services"]["kfr"]["headers"] = json!({ "content-type": "multipart/form-data" });
    let kfr =
        segl::apis::Kfr::new(world.client_with(&settings), segl::TokenRequest::default()).unwrap();
    let file = world.file("c.csv", &lines(1));
    let mut batch = kfr
        .batch(&bank(), &file, &BatchOptions::default(), &Call::none())
        .unwrap();
    let error = batch.send_next(&Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config, "{error}");
    let path = error.details().config_path.as_deref();
    assert_eq!(path, Some("services.kfr.headers.Content-Type"));
    assert_eq!(world.simulator.requests().kfr, 0);
}
