//! Requests for consent, from the request to the token with the consent.

use std::collections::BTreeSet;

use segl::apis::ApiRequest;
use segl::apis::altinn::{
    AltinnParty, ConsentId, ConsentRequest, ConsentRight, MessageLanguage, PortalViewMode,
};
use segl::clock::Clock;
use segl::{Call, ErrorCode, TokenRequest};
use serde_json::{Value, json};

use crate::support::claims;
use crate::world::{ORG, PERSON, SUPPLIER, World, run};

const WRITE: &str = "altinn:consentrequests.write";
const READ: &str = "altinn:consentrequests.read";

fn input(world: &World) -> Value {
    json!({
        "id": ConsentId::random().to_string(),
        "from": format!("urn:altinn:person:identifier-no:{PERSON}"),
        "to": format!("urn:altinn:organization:identifier-no:{ORG}"),
        "validTo": world.clock.now().plus(86_400).to_string(),
        "consentRights": [{
            "action": ["consent"],
            "resource": [{"type": "urn:altinn:resource", "value": "skd_inntekt"}],
            "metaData": {"inntektsaar": "2024"},
        }],
        "requestMessage": {"nb": "Vi trenger inntekten din", "en": "We need your income"},
        "redirectUrl": "https://bank.example/loan?id=7",
        "portalViewMode": "show",
    })
}

#[test]
fn from_the_request_to_the_token_with_the_consent() {
    let world = World::new();
    let altinn = world.altinn("bank", &[WRITE, READ]);
    let from: AltinnParty = PERSON.parse::<segl::PersonId>().unwrap().into();
    let right = ConsentRight::new("skd_inntekt")
        .unwrap()
        .with_metadata("inntektsaar", "2024");
    let request = ConsentRequest::new(
        ConsentId::random(),
        from,
        ORG.parse().unwrap(),
        world.clock.now().plus(86_400),
        vec![right],
        "https://bank.example/loan".parse().unwrap(),
    )
    .unwrap()
    .with_message(MessageLanguage::Nb, "Hei")
    .with_portal_view_mode(PortalViewMode::Hide);
    let none = Call::none();
    let created = altinn.create_consent_request(&request, &none).unwrap();
    assert_eq!(created.id, request.id());
    assert_eq!(created.status.as_deref(), Some("Created"));
    assert!(
        created
            .view_uri
            .as_str()
            .ends_with(&request.id().to_string())
    );
    // Once more is the same one.
    let again = altinn.create_consent_request(&request, &none).unwrap();
    assert_eq!(again.events.len(), 1);

    let mut wanted = TokenRequest::for_scopes(["owner:inntekt".parse().unwrap()]);
    wanted.authorization_details = vec![request.authorization_detail().unwrap()];
    let client = world.client("bank", &["owner:inntekt"]);
    let error = client.token(&wanted, &none).unwrap_err();
    assert_eq!(error.details().http_status, Some(400), "{error}");

    let path = format!("altinn/consent-requests/{}", request.id());
    assert_eq!(world.admin(&path, &json!({"status": "Accepted"})), 201);
    let read = altinn.consent_request(request.id(), &none).unwrap();
    assert_eq!(read.status.as_deref(), Some("Accepted"));
    assert_eq!(read.consented, Some(world.clock.now().to_string()));
    let events: Vec<_> = read
        .events
        .iter()
        .map(|event| event.event_type.as_str())
        .collect();
    assert_eq!(events, ["Created", "Accepted"]);

    let client = world.client("bank", &["owner:inntekt"]);
    let token = client.token(&wanted, &none).unwrap();
    let detail = &claims(token.access_token())["authorization_details"][0];
    assert_eq!(detail["type"], "urn:altinn:consent");
    assert_eq!(
        detail["from"],
        format!("urn:altinn:person:identifier-no:{PERSON}")
    );
    assert_eq!(detail["to"]["ID"], format!("0192:{ORG}"));
    assert_eq!(
        detail["consentRights"][0]["resource"][0]["value"],
        "skd_inntekt"
    );
    let answer = ApiRequest::new("GET", &world.simulator.urls().api)
        .unwrap()
        .send(&client, wanted.clone(), &none);
    assert_eq!(answer.unwrap().status, 200);

    assert_eq!(world.admin(&path, &json!({"status": "Revoked"})), 201);
    let later = world.client("bank", &["owner:inntekt"]);
    assert!(later.token(&wanted, &none).is_err(), "it was revoked");
}

#[test]
fn altinn_gets_what_it_documents() {
    let world = World::new();
    let client = world.client("bank", &[WRITE, READ]);
    let sent = input(&world);
    let answer = run(&client, "altinn.create_consent_request", &sent).unwrap();
    for (name, value) in sent.as_object().unwrap() {
        assert_eq!(&answer[name], value, "{name}");
    }
    let read = run(
        &client,
        "altinn.consent_request",
        &json!({"id": sent["id"]}),
    )
    .unwrap();
    assert_eq!(read["from"], sent["from"]);
    // An offset is sent as UTC.
    let mut other = input(&world);
    other["validTo"] = json!("2099-07-01T12:00:00+02:00");
    let answer = run(&client, "altinn.create_consent_request", &other).unwrap();
    assert_eq!(answer["validTo"], "2099-07-01T10:00:00Z");
    // The other spelling of metadata is the same.
    let mut other = input(&world);
    other["consentRights"][0] = json!({
        "resource": [{"type": "urn:altinn:resource", "value": "a_b"}], "metadata": {"x": "y"}
    });
    let answer = run(&client, "altinn.create_consent_request", &other).unwrap();
    assert_eq!(answer["consentRights"][0]["metaData"], json!({"x": "y"}));
    assert_eq!(answer["consentRights"][0]["action"], json!(["consent"]));
}

#[test]
fn what_altinn_would_refuse_is_refused_before_anything_is_sent() {
    let world = World::new();
    let client = world.client("bank", &[WRITE]);
    let past = world.clock.now().plus(-1).to_string();
    let twice = json!({"type": "urn:altinn:resource", "value": "a"});
    let cases = [
        ("id", json!("7")),
        ("from", json!(PERSON)),
        ("from", json!("urn:altinn:person:identifier-no:23079422569")),
        (
            "to",
            json!(format!("urn:altinn:person:identifier-no:{PERSON}")),
        ),
        ("validTo", json!(past)),
        ("validTo", json!("2099-07-01T12:00:00")),
        ("consentRights", json!([])),
        ("consentRights", json!([{"resource": []}])),
        ("consentRights", json!([{"resource": [twice, twice]}])),
        (
            "consentRights",
            json!([{"resource": [{"type": "x", "value": "a"}]}]),
        ),
        (
            "consentRights",
            json!([{"resource": [{"type": "urn:altinn:resource", "value": "a b"}]}]),
        ),
        (
            "consentRights",
            json!([{"action": [], "resource": [twice]}]),
        ),
        ("redirectUrl", json!("http://bank.example/")),
        ("redirectUrl", json!("http://127.0.0.1/")),
        ("redirectUrl", json!("https://user:pass@bank.example/")),
        ("requestMessage", json!({"de": "Hallo"})),
        ("portalViewMode", json!("Show")),
        ("unknown", json!(1)),
    ];
    let mut seen = BTreeSet::new();
    for (name, value) in cases {
        let mut wrong = input(&world);
        wrong[name] = value.clone();
        let error = run(&client, "altinn.create_consent_request", &wrong).unwrap_err();
        assert_eq!(
            error.code(),
            ErrorCode::InvalidArgument,
            "{name} {value}: {error}"
        );
        assert!(!format!("{error:?}").contains(&PERSON[..10]), "{error:?}");
        seen.insert(error.to_string());
    }
    assert!(seen.len() > 12, "each says what is wrong: {seen:#?}");
    let requests = world.simulator.requests();
    assert_eq!((requests.altinn, requests.maskinporten_token), (0, 0));
}

#[test]
fn refusals_have_altinns_words_and_code() {
    let world = World::new();
    let client = world.client("bank", &[WRITE, READ]);
    let sent = input(&world);
    run(&client, "altinn.create_consent_request", &sent).unwrap();
    let mut other = sent.clone();
    other["from"] = json!(format!("urn:altinn:organization:identifier-no:{SUPPLIER}"));
    let error = run(&client, "altinn.create_consent_request", &other).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiInvalidRequest, "{error}");
    assert_eq!(error.details().provider_code.as_deref(), Some("AM-00016"));
    assert!(
        error.message().contains("Consent with id already exist"),
        "{error}"
    );

    // Another organisation's.
    let mut other = input(&world);
    other["to"] = json!(format!("urn:altinn:organization:identifier-no:{SUPPLIER}"));
    let error = run(&client, "altinn.create_consent_request", &other).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiForbidden, "{error}");
    let stranger = world.client("stranger", &[READ]);
    let error = run(
        &stranger,
        "altinn.consent_request",
        &json!({"id": sent["id"]}),
    )
    .unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiForbidden, "{error}");
    let unknown = json!({"id": ConsentId::random().to_string()});
    let error = run(&client, "altinn.consent_request", &unknown).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiNotFound, "{error}");
    // Without the scope.
    let reader = world.client("bank", &[READ]);
    let error = run(&reader, "altinn.create_consent_request", &input(&world)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiForbidden, "{error}");
}

#[test]
fn nobody_answers_twice() {
    let world = World::new();
    let client = world.client("bank", &[WRITE, READ]);
    let sent = input(&world);
    let path = format!("altinn/consent-requests/{}", sent["id"].as_str().unwrap());
    assert_eq!(world.admin(&path, &json!({"status": "Accepted"})), 400);
    run(&client, "altinn.create_consent_request", &sent).unwrap();
    assert_eq!(world.admin(&path, &json!({"status": "Revoked"})), 400);
    assert_eq!(world.admin(&path, &json!({"status": "Rejected"})), 201);
    assert_eq!(world.admin(&path, &json!({"status": "Accepted"})), 400);
    let late = input(&world);
    run(&client, "altinn.create_consent_request", &late).unwrap();
    world.later(86_400);
    let path = format!("altinn/consent-requests/{}", late["id"].as_str().unwrap());
    assert_eq!(world.admin(&path, &json!({"status": "Accepted"})), 400);
}
