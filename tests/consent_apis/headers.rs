//! What is sent, header by header.

use segl::apis::lanekassen::Consent;
use segl::apis::{ConsentQuery, Lanekassen, Nav, Skatteetaten};
use segl::{Call, ErrorCode, TokenRequest};
use serde_json::json;
use uuid::Uuid;

use crate::world::{Host, KARI, consent, key_file, person};

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The documented headers, and the quotes that Altinn puts around a consent.
#[test]
fn lanekassen_gets_its_documented_headers() {
    let host = Host::answering(&[
        (200, r#"{"Accounts":[],"TotalAmount":0}"#),
        (200, r#"{"Accounts":[],"TotalAmount":0}"#),
    ]);
    let services = json!({ "lanekassen": { "api_key": format!("file:{}", key_file()) } });
    let client = host.client("test", &services);
    let lanekassen = Lanekassen::new(client, TokenRequest::default()).unwrap();
    let quoted = consent("\"'e30.e30.c2ln'\"");
    let first = Consent::First(quoted);
    lanekassen
        .balance(&person(KARI), &first, &Call::none())
        .unwrap();
    lanekassen
        .balance(&person(KARI), &Consent::Known, &Call::none())
        .unwrap();

    let (url, mut headers) = host.sent(0);
    assert_eq!(
        url,
        "https://ekstern01.api.test.lanekassen.no/saldo/v1/Accounts"
    );
    let (name, first_id) = headers.pop().unwrap();
    assert_eq!(name, "X-Request-Id");
    assert!(Uuid::try_parse(&first_id).is_ok());
    assert_eq!(
        headers,
        [
            pair("ApiKey", "the-key"),
            pair("Authorization", "T"),
            pair("Consent-ID", "e30.e30.c2ln"),
            pair("PSU_ID", KARI),
        ]
    );
    let (_, mut headers) = host.sent(1);
    assert_ne!(headers.pop().unwrap().1, first_id);
    assert_eq!(
        headers,
        [
            pair("ApiKey", "the-key"),
            pair("Authorization", "T"),
            pair("PSU_ID", KARI),
        ]
    );
    assert!(!format!("{:?}", host.requests.lock().unwrap()).contains(KARI));
}

#[test]
fn lanekassen_without_a_key_sends_nothing() {
    let host = Host::answering(&[]);
    let client = host.client("prod", &json!({}));
    let lanekassen = Lanekassen::new(client, TokenRequest::default()).unwrap();
    let asked = lanekassen.balance(&person(KARI), &Consent::Known, &Call::none());
    let error = asked.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    let path = error.details().config_path.as_deref();
    assert_eq!(path, Some("services.lanekassen.api_key"));
}

#[test]
fn nav_gets_its_documented_headers() {
    let host = Host::answering(&[(200, "[1.50]"), (200, "")]);
    let nav = Nav::new(host.client("prod", &json!({})), TokenRequest::default()).unwrap();
    let query = ConsentQuery::new("/aap/v1/vedtak".parse().unwrap())
        .with_parameter("fra og med", "2026-01-01&x=1")
        .with_person(person(KARI))
        .with_consent_token(consent("e30.e30.c2ln"));
    let answer = nav.get(&query, &Call::none()).unwrap();
    assert_eq!(answer.as_str(), "[1.50]");
    assert_eq!(answer.read::<Vec<f64>>().unwrap(), [1.5]);
    let (url, mut headers) = host.sent(0);
    assert_eq!(
        url,
        "https://aap-api.nav.no/aap/v1/vedtak?fra%20og%20med=2026-01-01%26x%3D1"
    );
    let (name, id) = headers.pop().unwrap();
    assert_eq!(name, "x-callid");
    assert!(Uuid::try_parse(&id).is_ok());
    assert_eq!(
        headers,
        [
            pair("Authorization", "Bearer T"),
            pair("NAV-PersonIdent", KARI),
            pair("NAV-Samtykke-Token", "e30.e30.c2ln"),
        ]
    );
    // An answer without a body, to a question with neither person nor consent.
    let plain = ConsentQuery::new("ping".parse().unwrap());
    assert_eq!(nav.get(&plain, &Call::none()).unwrap().as_str(), "null");
    let names: Vec<_> = host.sent(1).1.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Authorization", "x-callid"]);
}

#[test]
fn skatteetaten_gets_its_header_and_needs_a_base_url() {
    let host = Host::answering(&[(200, "{}")]);
    let client = host.client("test", &json!({}));
    let error = Skatteetaten::new(client, TokenRequest::default()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    let path = error.details().config_path.as_deref();
    assert_eq!(path, Some("services.skatteetaten.base_url"));

    let services = json!({ "skatteetaten": {
        "base_url": "https://api.example/inntekt/",
        "headers": { "Authorization": "Samtykke {access_token}", "X-Id": "{request_id}" },
    }});
    let client = host.client("test", &services);
    let tax = Skatteetaten::new(client, TokenRequest::default()).unwrap();
    let query = ConsentQuery::new("{person}/år/2025".parse().unwrap())
        .with_person(person(KARI))
        .with_consent_token(consent("e30.e30.c2ln"));
    tax.get(&query, &Call::none()).unwrap();
    let (url, headers) = host.sent(0);
    assert_eq!(
        url,
        format!("https://api.example/inntekt/{KARI}/%C3%A5r/2025")
    );
    assert_eq!(headers[0], pair("AltinnSamtykke", "e30.e30.c2ln"));
    assert_eq!(headers[1], pair("Authorization", "Samtykke T"));
    assert_eq!(headers[2].0, "X-Id");
}

/// Neither the message nor anything beside it shows who was asked about.
#[test]
fn refusals_name_nobody_and_have_the_request_id() {
    let body = format!(r#"{{"message":"no {KARI}"}}"#);
    let host = Host::answering(&[(403, &body), (200, "{"), (500, "")]);
    let services = json!({ "skatteetaten": { "base_url": "https://api.example" } });
    let client = host.client("test", &services);
    let tax = Skatteetaten::new(client, TokenRequest::default()).unwrap();
    let query = ConsentQuery::new("v1/{person}".parse().unwrap()).with_person(person(KARI));
    for code in [
        ErrorCode::ApiForbidden,
        ErrorCode::ApiBadResponse,
        ErrorCode::ApiServer,
    ] {
        let error = tax.get(&query, &Call::none()).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(
            error
                .message()
                .contains("https://api.example/v1/[redacted]"),
            "{error}"
        );
        assert!(!format!("{error:?}").contains(KARI), "{error:?}");
        let trace = error.details().trace_id.as_deref().unwrap();
        assert!(Uuid::try_parse(trace).is_ok());
    }
}
