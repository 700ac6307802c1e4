//! Consents at NAV and Skatteetaten, in a header or in the access token.

use segl::apis::{ConsentQuery, JsonAnswer, Nav, Operation, Skatteetaten};
use segl::{Call, ErrorCode, Result, TokenRequest};
use serde_json::{Value, json};

use crate::world::{KARI, OLA, ORG, World, consent, person, with_consent};

const AAP: &str = Nav::WORK_ASSESSMENT_ALLOWANCE_SCOPE;
const DISABILITY: &str = Nav::DISABILITY_BENEFIT_SCOPE;

fn query(path: &str) -> ConsentQuery {
    ConsentQuery::new(path.parse().unwrap())
}

fn read(answer: Result<JsonAnswer>) -> Value {
    answer.unwrap().read().unwrap()
}

fn code(answer: Result<JsonAnswer>) -> ErrorCode {
    answer.unwrap_err().code()
}

#[test]
fn nav_takes_either_form_of_a_consent() {
    let world = World::new();
    let about_kari = query("dsop/v1").with_person(person(KARI));
    let with_token = about_kari.clone().with_consent_token(consent("kari.nav.s"));
    for scope in [AAP, DISABILITY] {
        let nav = world.nav(scope, TokenRequest::default());
        assert_eq!(
            read(nav.get(&with_token, &Call::none())),
            json!({ "path": "dsop/v1", "query": null, "consumer": ORG, "person": KARI, "consent": "header" })
        );
        assert_eq!(
            code(nav.get(&about_kari, &Call::none())),
            ErrorCode::ApiForbidden
        );
        let nav = world.nav(scope, with_consent());
        let answer = read(nav.get(&about_kari, &Call::none()));
        assert_eq!(answer["consent"], "access_token");
    }
}

#[test]
fn nav_refuses_what_does_not_fit() {
    let world = World::new();
    let nav = world.nav(AAP, TokenRequest::default());
    let ask = |query: ConsentQuery| nav.get(&query, &Call::none());
    let own = consent("kari.nav.s");
    let other = query("a")
        .with_person(person(OLA))
        .with_consent_token(own.clone());
    assert_eq!(code(ask(other)), ErrorCode::ApiForbidden);
    let for_others = query("a")
        .with_person(person(KARI))
        .with_consent_token(consent("kari.lanekassen.s"));
    assert_eq!(code(ask(for_others)), ErrorCode::ApiForbidden);
    assert_eq!(
        code(ask(query("a").with_consent_token(own.clone()))),
        ErrorCode::ApiRefused
    );
    let nav = world.nav("some:other", TokenRequest::default());
    let right = query("a").with_person(person(KARI)).with_consent_token(own);
    assert_eq!(
        code(nav.get(&right, &Call::none())),
        ErrorCode::ApiForbidden
    );
}

#[test]
fn skatteetaten_takes_either_form_of_a_consent() {
    let world = World::new();
    let scope = Skatteetaten::INCOME_SCOPE;
    let path = query("inntekt/{person}").with_parameter("fraOgMed", "2025-01");
    let tax = world.skatteetaten(scope, TokenRequest::default());
    let token = consent("kari.skatteetaten.s");
    let kari = path.clone().with_person(person(KARI));
    let answer = read(tax.get(
        &kari.clone().with_consent_token(token.clone()),
        &Call::none(),
    ));
    assert_eq!(
        answer,
        json!({ "path": format!("inntekt/{KARI}"), "query": "fraOgMed=2025-01", "consumer": ORG,
            "person": KARI, "consent": "header" })
    );
    let ola = path
        .clone()
        .with_person(person(OLA))
        .with_consent_token(token);
    assert_eq!(code(tax.get(&ola, &Call::none())), ErrorCode::ApiForbidden);
    assert_eq!(code(tax.get(&kari, &Call::none())), ErrorCode::ApiForbidden);
    let tax = world.skatteetaten(scope, with_consent());
    assert_eq!(
        read(tax.get(&kari, &Call::none()))["consent"],
        "access_token"
    );
    // Who it is about must be said.
    assert_eq!(
        code(tax.get(&path, &Call::none())),
        ErrorCode::InvalidArgument
    );
    let tax = world.skatteetaten("some:other", TokenRequest::default());
    assert_eq!(code(tax.get(&kari, &Call::none())), ErrorCode::ApiForbidden);
}

#[test]
fn the_operations_give_the_answer_on() {
    let world = World::new();
    let services = json!({
        "nav": { "base_url": world.simulator.urls().nav },
        "skatteetaten": { "base_url": world.simulator.urls().skatteetaten },
    });
    for (name, scope, token) in [
        ("nav.get", AAP, "kari.nav.s"),
        (
            "skatteetaten.get",
            Skatteetaten::INCOME_SCOPE,
            "kari.skatteetaten.s",
        ),
    ] {
        let client = world.client(scope, &services);
        let operation = Operation::named(name).unwrap();
        let call = |input: &Value| {
            let request = TokenRequest::default();
            operation.call(&client, &request, &input.to_string(), &Call::none())
        };
        let input = json!({
            "path": "v1/{person}", "query": { "a": "b" }, "person": KARI, "consent_token": token,
        });
        let answer: Value = serde_json::from_str(&call(&input).unwrap()).unwrap();
        assert_eq!(answer["answer"]["path"], format!("v1/{KARI}"));
        assert_eq!(answer["answer"]["query"], "a=b");
        for input in [
            json!({ "path": "../admin/requests" }),
            json!({ "path": "a?b=c" }),
            json!({ "path": "a", "query": { "a": 23_079_421_936_u64 } }),
            json!({ "path": "a", "x": "y" }),
            json!({}),
        ] {
            let error = call(&input).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
            assert!(!error.message().contains("2307942"), "{error}");
        }
    }
}
