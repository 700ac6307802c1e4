//! `krr.lookup`, JSON in and JSON out.

use segl::apis::Operation;
use segl::{Call, Error, ErrorCode, TokenRequest};
use serde_json::{Value, json};

use crate::world::{CONTACT, KARI, NOBODY, OLA, World};

fn call(world: &World, input: &Value) -> Result<Value, Error> {
    let client = world.client(&world.settings(&[CONTACT]));
    let operation = Operation::named("krr.lookup").unwrap();
    let answer = operation.call(
        &client,
        &TokenRequest::default(),
        &input.to_string(),
        &Call::none(),
    )?;
    Ok(serde_json::from_str(&answer).unwrap())
}

#[test]
fn persons_and_a_file_are_answered_alike() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("persons.txt");
    std::fs::write(&file, format!("{KARI}\r\n\n {NOBODY}\n{KARI}\n")).unwrap();
    let by_list = call(&world, &json!({ "persons": [KARI, NOBODY, KARI] })).unwrap();
    let by_file = call(&world, &json!({ "file": file })).unwrap();
    assert_eq!(by_list, by_file);
    assert_eq!(
        by_list,
        json!({
            "persons": [{
                "personidentifikator": KARI,
                "reservasjon": "NEI",
                "status": "AKTIV",
                "varslingsstatus": "KAN_VARSLES",
                "spraak": "nn",
                "spraak_oppdatert": "2023-06-29T10:14:52+02:00",
                "kontaktinformasjon": {
                    "epostadresse": "kari@example.no",
                    "epostadresse_oppdatert": "2010-12-16T13:32:05+01:00",
                    "epostadresse_sist_verifisert": "2026-06-29T10:14:52+02:00",
                    "mobiltelefonnummer": "+4799999999",
                    "mobiltelefonnummer_oppdatert": "2018-06-29T10:14:52Z",
                },
                "email_is_current": true,
                "mobile_is_current": false,
            }],
            "missing": [NOBODY],
        })
    );
}

#[test]
fn versions_are_named() {
    let world = World::new();
    let persons = json!([OLA]);
    for version in ["v1", "v2"] {
        let input = json!({ "persons": persons, "version": version });
        assert!(call(&world, &input).is_ok());
    }
    let input = json!({ "persons": [NOBODY], "include_unregistered": true });
    let answer = call(&world, &input).unwrap();
    assert_eq!(answer["persons"][0]["status"], "IKKE_REGISTRERT");
}

#[test]
fn wrong_input_is_refused_before_anything_is_sent_and_not_shown() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("persons.txt");
    std::fs::write(&file, format!("{KARI}\n23079421937\n")).unwrap();
    for (input, code, part) in [
        (
            json!({}),
            ErrorCode::InvalidArgument,
            "either \"persons\" or \"file\"",
        ),
        (
            json!({ "persons": [KARI], "file": "x" }),
            ErrorCode::InvalidArgument,
            "either \"persons\" or \"file\"",
        ),
        (
            json!({ "persons": [KARI, "23079421937"] }),
            ErrorCode::InvalidArgument,
            "persons[1]",
        ),
        (
            json!({ "persons": [23_079_421_936_u64] }),
            ErrorCode::InvalidArgument,
            "persons[0]",
        ),
        (
            json!({ "persons": [], "x": 1 }),
            ErrorCode::InvalidArgument,
            "x",
        ),
        (
            json!({ "persons": [KARI], "version": "v1", "include_unregistered": true }),
            ErrorCode::InvalidArgument,
            "version 2",
        ),
        (json!({ "file": file }), ErrorCode::BatchLine, "line 2"),
        (
            json!({ "file": folder.path().join("none") }),
            ErrorCode::Io,
            "none",
        ),
    ] {
        let error = call(&world, &input).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(part), "{error}");
        assert!(!error.message().contains("2307942"), "{error}");
    }
    assert_eq!(world.simulator.requests().maskinporten_token, 0);
}
