//! The operations, with JSON in and out.

use std::sync::Arc;

use segl::apis::Operation;
use segl::{Call, ErrorCode, Result, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::world::*;

fn call(client: &Arc<TokenClient>, name: &str, input: &Value) -> Result<Value> {
    let operation = Operation::named(name).unwrap();
    let answer = operation.call(
        client,
        &TokenRequest::default(),
        &input.to_string(),
        &Call::none(),
    )?;
    Ok(serde_json::from_str(&answer).unwrap())
}

#[test]
fn each_call_is_an_operation() {
    let world = World::new();
    let client = world.client();
    let call = |name: &str, input: Value| call(&client, name, &input).unwrap();
    let customer = json!({ "institution": BANK, "customer": PERSON });
    assert_eq!(
        call("kfr.add", customer.clone()),
        json!({ "outcome": "added" })
    );
    assert_eq!(
        call("kfr.add", customer.clone()),
        json!({ "outcome": "already_there" })
    );
    let bank = json!({ "organization_id": BANK, "bank_name": "TESTBANKEN ÆRLIG ASA", "active_account": false });
    assert_eq!(
        call("kfr.banks", customer.clone()),
        json!({ "banks": [bank] })
    );
    let relations = json!({
        "customer": PERSON, "from_date": "2019-01-01", "to_date": "2999-01-01",
        "case": { "legal_mandate": "§ 1", "reference": "1" },
    });
    assert_eq!(
        call("kfr.customer_relationships", relations),
        json!({ "banks": [bank] })
    );
    assert_eq!(call("kfr.remove", customer), json!({}));
    let provider = call(
        "kfr.account_servicing_provider",
        json!({ "account": "15030012345" }),
    );
    assert_eq!(
        provider,
        json!({ "organization_id": BANK, "bank_name": "TESTBANKEN ÆRLIG ASA" })
    );
    let batch = call(
        "kfr.batch",
        json!({ "institution": BANK, "customers": [PERSON, "917439389#2019-11-08"] }),
    );
    assert_eq!(
        (&batch["done"], &batch["relations_accepted"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(world.loaded().0.len(), 2);
}

#[test]
fn a_caller_drives_a_file_part_by_part() {
    let world = World::new();
    let client = world.client();
    let file = world.file("c.csv", &lines(250));
    let mut calls = 0;
    loop {
        let answer = call(
            &client,
            "kfr.batch",
            &json!({
                "institution": BANK, "file": file, "resume": true, "max_parts": 2,
                "relations_per_second": 0, "max_relations": 50, "form": "standard",
            }),
        )
        .unwrap();
        calls += 1;
        let ids = answer["correlation_ids"].as_array().unwrap().len();
        assert_eq!(ids, if calls < 3 { 2 } else { 1 });
        if answer["done"] == true {
            break;
        }
    }
    assert_eq!(calls, 3);
    assert_eq!(world.loaded(), (sorted_lines(250), 0));
}

#[test]
fn what_is_wrong_is_named_and_not_shown() {
    let world = World::new();
    let client = world.client();
    let wrong = format!("{}9", &PERSON[..10]);
    for (name, input, said) in [
        (
            "kfr.add",
            json!({ "institution": BANK, "customer": wrong }),
            "customer",
        ),
        (
            "kfr.add",
            json!({ "institution": BANK, "customer": 23_079_422_568_u64 }),
            "customer",
        ),
        (
            "kfr.add",
            json!({ "institution": "916960191", "customer": PERSON }),
            "institution",
        ),
        (
            "kfr.add",
            json!({ "institution": BANK, "customer": ORG, "correlation_id": "x" }),
            "correlation_id",
        ),
        (
            "kfr.banks",
            json!({ "institution": BANK, "customer": ORG, "from_date": "x" }),
            "from_date",
        ),
        ("kfr.batch", json!({ "institution": BANK }), "either"),
        (
            "kfr.batch",
            json!({ "institution": BANK, "customers": [], "file": "x" }),
            "either",
        ),
        (
            "kfr.batch",
            json!({ "institution": BANK, "customers": [] }),
            "1 to",
        ),
        (
            "kfr.batch",
            json!({ "institution": BANK, "customers": [ORG, wrong] }),
            "customers[1]",
        ),
        (
            "kfr.batch",
            json!({ "institution": BANK, "customers": [ORG, ORG], "max_relations": 1 }),
            "max_relations",
        ),
        (
            "kfr.batch",
            json!({ "institution": BANK, "customers": [ORG], "resume": true }),
            "resume",
        ),
        (
            "kfr.batch",
            json!({ "institution": BANK, "file": "x", "max_relations": 0 }),
            "max_relations",
        ),
        (
            "kfr.batch",
            json!({ "institution": BANK, "file": "x", "max_parts": 0 }),
            "max_parts",
        ),
        (
            "kfr.customer_relationships",
            json!({ "customer": ORG, "version": 2 }),
            "case",
        ),
        (
            "kfr.account_servicing_provider",
            json!({ "account": "1503.00.12345" }),
            "account",
        ),
    ] {
        let error = call(&client, name, &input).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
        let shown = format!("{error} {error:?}");
        assert!(error.message().contains(said), "{input}: {shown}");
        assert!(
            !shown.contains(&wrong) && !shown.contains(PERSON),
            "{shown}"
        );
    }
    assert_eq!(world.simulator.requests().kfr, 0);
}
