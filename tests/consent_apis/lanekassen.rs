//! Balances at the simulator, and answers that only the real Lånekassen could give.

use segl::apis::lanekassen::{AccountName, BalanceType, Consent};
use segl::apis::{Lanekassen, Operation};
use segl::clock::Clock;
use segl::simulator::{Outage, OutageKind};
use segl::{Call, ErrorCode, TokenRequest};
use serde_json::{Value, json};

use crate::world::{Host, KARI, LIFE, OLA, World, consent, key_file, person, with_consent};

#[test]
fn a_balance_keeps_every_decimal() {
    let world = World::new();
    let first = Consent::First(consent("kari.lanekassen.s"));
    let balance = world
        .lanekassen()
        .balance(&person(KARI), &first, &Call::none());
    let balance = balance.unwrap();
    assert_eq!(balance.total_amount.as_str(), "123456.75");
    let [loan, interest] = &balance.accounts[..] else {
        panic!("two accounts");
    };
    assert_eq!(loan.name, AccountName::Loan);
    assert_eq!(loan.bban.as_ref().unwrap().expose(), KARI);
    let [booked] = &loan.balances[..] else {
        panic!("one balance");
    };
    assert_eq!(booked.balance_type, BalanceType::ClosingBooked);
    assert_eq!(booked.balance_amount.currency, "NOK");
    assert_eq!(booked.balance_amount.amount.as_str(), "123456.70");
    assert_eq!(
        booked.last_change_date_time.as_deref(),
        Some("2026-06-29T10:14:52")
    );
    assert_eq!(interest.balances[0].balance_amount.amount.as_str(), "0.05");
    assert!(!format!("{balance:?} {loan:?} {booked:?}").contains(char::is_numeric));
}

#[test]
fn a_consent_is_sent_once_and_kept_until_it_ends() {
    let world = World::new();
    let lanekassen = world.lanekassen();
    let ask = |consent: &Consent| lanekassen.balance(&person(KARI), consent, &Call::none());
    let code = |consent: &Consent| ask(consent).unwrap_err().code();
    assert_eq!(code(&Consent::Known), ErrorCode::ApiConsentRefused);
    ask(&Consent::First(consent("kari.lanekassen.s"))).unwrap();
    ask(&Consent::Known).unwrap();
    world.clock.set(world.clock.now().plus(LIFE));
    assert_eq!(code(&Consent::Known), ErrorCode::ApiConsentRefused);
    let again = Consent::First(consent("kari.lanekassen.s"));
    assert_eq!(code(&again), ErrorCode::ApiConsentRefused);
}

#[test]
fn a_consent_of_altinn_3_comes_in_the_access_token() {
    let world = World::new();
    let lanekassen = world.lanekassen_with(&json!({}), with_consent());
    let ask = |who| lanekassen.balance(&person(who), &Consent::Known, &Call::none());
    assert_eq!(ask(KARI).unwrap().accounts.len(), 2);
    assert_eq!(ask(OLA).unwrap_err().code(), ErrorCode::ApiConsentRefused);
}

#[test]
fn refusals_have_the_documented_meaning() {
    let world = World::new();
    let none = json!({});
    let bearer = json!({ "Authorization": "Bearer {access_token}" });
    let wrong_key = json!({ "ApiKey": "another" });
    let no_key = json!({ "ApiKey": "" });
    let no_id = json!({ "X-Request-Id": "" });
    for (headers, who, token, status, code, text) in [
        (
            &bearer,
            KARI,
            "kari.lanekassen.s",
            401,
            ErrorCode::ApiUnauthorized,
            "Authorization token",
        ),
        (
            &wrong_key,
            KARI,
            "kari.lanekassen.s",
            400,
            ErrorCode::ApiInvalidRequest,
            "headers are",
        ),
        (
            &no_key,
            KARI,
            "kari.lanekassen.s",
            400,
            ErrorCode::ApiInvalidRequest,
            "headers are",
        ),
        (
            &no_id,
            KARI,
            "kari.lanekassen.s",
            400,
            ErrorCode::ApiInvalidRequest,
            "headers are",
        ),
        (
            &none,
            OLA,
            "ola.lanekassen.s",
            404,
            ErrorCode::ApiNotFound,
            "PSU_ID",
        ),
        (
            &none,
            OLA,
            "kari.lanekassen.s",
            403,
            ErrorCode::ApiConsentRefused,
            "Consent token",
        ),
        (
            &none,
            KARI,
            "kari.others.s",
            403,
            ErrorCode::ApiConsentRefused,
            "Consent token",
        ),
        (
            &none,
            KARI,
            "kari.nav.s",
            403,
            ErrorCode::ApiConsentRefused,
            "Consent token",
        ),
        (
            &none,
            KARI,
            "un.known.s",
            403,
            ErrorCode::ApiConsentRefused,
            "Consent token",
        ),
    ] {
        let lanekassen = world.lanekassen_with(headers, TokenRequest::default());
        let first = Consent::First(consent(token));
        let asked = lanekassen.balance(&person(who), &first, &Call::none());
        let error = asked.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(error.details().http_status, Some(status));
        assert!(error.message().contains(text), "{error}");
        assert!(!error.message().contains("check the scopes"), "{error}");
        assert!(error.details().trace_id.is_some());
    }
    let scope = world.client(
        "some:other",
        &json!({ "lanekassen": {
            "base_url": world.simulator.urls().lanekassen,
            "api_key": format!("file:{}", key_file()),
        }}),
    );
    let lanekassen = Lanekassen::new(scope, TokenRequest::default()).unwrap();
    let first = Consent::First(consent("kari.lanekassen.s"));
    let asked = lanekassen.balance(&person(KARI), &first, &Call::none());
    assert_eq!(asked.unwrap_err().code(), ErrorCode::ApiUnauthorized);
}

#[test]
fn an_answer_about_somebody_else_is_refused() {
    let about = |bban: &str| {
        format!(
            r#"{{"Accounts":[{{"Balances":[],"Name":"Diverse","Bban":"{bban}"}}],"TotalAmount":-0.10}}"#
        )
    };
    let services = json!({ "lanekassen": { "api_key": format!("file:{}", key_file()) } });
    for (answer, code) in [
        (about(KARI), None),
        (about(""), None),
        (about(OLA), Some(ErrorCode::ApiBadResponse)),
        (about("12345"), Some(ErrorCode::ApiBadResponse)),
        (
            r#"{"Accounts":[],"TotalAmount":"1 kr"}"#.to_owned(),
            Some(ErrorCode::ApiBadResponse),
        ),
    ] {
        let host = Host::answering(&[(200, &answer)]);
        let client = host.client("test", &services);
        let lanekassen = Lanekassen::new(client, TokenRequest::default()).unwrap();
        let asked = lanekassen.balance(&person(KARI), &Consent::Known, &Call::none());
        assert_eq!(asked.as_ref().err().map(segl::Error::code), code);
        match asked {
            Ok(balance) => {
                assert_eq!(balance.total_amount.as_str(), "-0.10");
                let other = AccountName::Other("Diverse".to_owned());
                assert_eq!(balance.accounts[0].name, other);
            }
            Err(error) => assert!(!format!("{error:?}").contains(OLA)),
        }
    }
}

#[test]
fn failures_that_pass_are_passed_over() {
    let world = World::new();
    let mut outage = Outage::new(OutageKind::TooManyRequests);
    outage.path = Some("/lanekassen/saldo/v1/Accounts".into());
    outage.count = Some(1);
    world.simulator.set_outage(Some(outage));
    let first = Consent::First(consent("kari.lanekassen.s"));
    let asked = world
        .lanekassen()
        .balance(&person(KARI), &first, &Call::none());
    assert!(asked.is_ok());
    assert_eq!(world.simulator.requests().lanekassen, 2);
}

#[test]
fn the_operation_gives_amounts_as_texts() {
    let world = World::new();
    let services = json!({ "lanekassen": {
        "base_url": world.simulator.urls().lanekassen,
        "api_key": format!("file:{}", key_file()),
    }});
    let client = world.client(Lanekassen::BALANCE_SCOPE, &services);
    let operation = Operation::named("lanekassen.balance").unwrap();
    let call = |input: &Value| {
        let request = TokenRequest::default();
        operation.call(&client, &request, &input.to_string(), &Call::none())
    };
    let answer = call(&json!({ "person": KARI, "consent_token": "'kari.lanekassen.s'" }));
    let answer: Value = serde_json::from_str(&answer.unwrap()).unwrap();
    assert_eq!(answer["TotalAmount"], "123456.75");
    let loan = &answer["Accounts"][0];
    assert_eq!(loan["Name"], "Lån");
    assert_eq!(loan["Bban"], KARI);
    assert_eq!(loan["Balances"][0]["BalanceAmount"]["amount"], "123456.70");
    assert!(call(&json!({ "person": KARI })).is_ok());
    for input in [
        json!({}),
        json!({ "person": "23079421937" }),
        json!({ "person": KARI, "consent_token": "no token" }),
        json!({ "person": KARI, "x": 1 }),
    ] {
        let error = call(&input).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(!error.message().contains("2307942") && !error.message().contains("no token"));
    }
}
