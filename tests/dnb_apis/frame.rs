//! What holds for every service, shown with DNB's.

use std::time::{Duration, Instant};

use segl::call::CancelToken;
use segl::http::Response;
use segl::{Call, ErrorCode, TokenRequest};
use serde_json::json;

use crate::call::stubbed;
use crate::stub_transport::header;
use crate::support::json_answer;
use crate::world::{PERSON, run, run_text};

fn busy(seconds: &str) -> Response {
    Response::new(
        503,
        vec![("retry-after".into(), seconds.into())],
        Vec::new(),
    )
}

#[test]
fn a_base_url_has_no_query() {
    let base = "https://api.example/base?key=1";
    let settings = json!({"environment": "prod", "services": {"dnb": {"base_url": base}}});
    let (client, transport) = stubbed(settings, |_| json_answer(200, "{}"));
    let error = run(&client, "dnb.call", &json!({"method": "GET", "path": "x"})).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config, "{error}");
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("services.dnb.base_url")
    );
    assert!(transport.seen("").is_empty());
}

#[test]
fn names_in_the_input_that_are_a_persons_are_not_repeated() {
    let (client, _) = stubbed(json!({"environment": "prod"}), |_| json_answer(200, "{}"));
    for input in [
        format!(r#"{{"method":"GET","path":"x","{PERSON}":1}}"#),
        format!(r#"{{"method":"GET","path":"x","query":{{"{PERSON}":1}}}}"#),
        format!(r#"{{"method":"{PERSON}","path":"x"}}"#),
    ] {
        let error = run_text(&client, "dnb.call", &input).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(!format!("{error:?}").contains(PERSON), "{error:?}");
    }
}

#[test]
fn a_number_in_the_place_of_a_day_is_not_repeated() {
    let (client, _) = stubbed(json!({"environment": "prod"}), |_| json_answer(200, "{}"));
    let input = json!({"consent_id": "c", "account_id": "a", "date_from": PERSON});
    let error = run(&client, "dnb.psd2_transactions", &input).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(!format!("{error:?}").contains(PERSON), "{error:?}");
    let error = PERSON.parse::<segl::apis::IsoDate>().unwrap_err();
    assert!(error.message().contains("2027-11-20"), "{error}");
    assert!(!format!("{error:?}").contains(PERSON), "{error:?}");
}

#[test]
fn headers_of_the_settings_are_not_shown() {
    let services = json!({"dnb": {"headers": {"X-Key": "own-key"}}});
    let settings = json!({"environment": "prod", "services": services});
    let (client, transport) = stubbed(settings.clone(), |_| json_answer(200, "{}"));
    run(&client, "dnb.call", &json!({"method": "GET", "path": "x"})).unwrap();
    assert_eq!(header(&transport.seen("/x")[0], "x-key"), Some("own-key"));
    let bank = segl::apis::DnbApi::new(client, TokenRequest::default()).unwrap();
    let mut whole = settings;
    whole["profile"] = "dnb".into();
    whole["client_id"] = "bank".into();
    let read = segl::profiles::ClientSettings::from_json(&whole.to_string()).unwrap();
    let shown = format!("{bank:?} {read:?}");
    assert!(
        shown.contains("X-Key") && !shown.contains("own-key"),
        "{shown}"
    );
}

#[test]
fn an_answer_that_is_no_object_is_refused() {
    let settings = json!({"environment": "prod"});
    for (body, good) in [
        (r#"{"consentStatus":"valid"}"#, true),
        (r#"["valid"]"#, false),
    ] {
        let (client, _) = stubbed(settings.clone(), move |_| json_answer(200, body));
        let read = run(&client, "dnb.psd2_consent", &json!({"consent_id": "c"}));
        match read {
            Ok(answer) => assert!(good, "{answer}"),
            Err(error) => {
                assert_eq!((error.code(), good), (ErrorCode::ApiBadResponse, false));
            }
        }
    }
}

#[test]
fn a_cancelled_call_is_cancelled_while_it_waits_too() {
    let cancel = CancelToken::new();
    let trigger = cancel.clone();
    let (client, transport) = stubbed(json!({"environment": "prod"}), move |_| {
        trigger.trigger();
        busy("5")
    });
    let call = Call::within(Duration::from_secs(60)).with_cancel(cancel);
    let operation = segl::apis::Operation::named("dnb.call").unwrap();
    let input = r#"{"method":"GET","path":"x"}"#;
    let error = operation
        .call(&client, &TokenRequest::default(), input, &call)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Cancelled, "{error}");
    assert_eq!(transport.seen("/x").len(), 1);
}

#[test]
fn nobody_waits_for_an_hour_and_the_answer_says_for_how_long() {
    let (client, transport) = stubbed(json!({"environment": "prod"}), |_| busy("3600"));
    let begin = Instant::now();
    let error = run(&client, "dnb.call", &json!({"method": "GET", "path": "x"})).unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(30));
    assert_eq!(error.code(), ErrorCode::ApiServer, "{error}");
    assert_eq!(error.details().retry_after, Some(Duration::from_secs(3600)));
    assert_eq!(transport.seen("/x").len(), 1);
}

#[test]
fn a_header_of_the_settings_is_sent_once_whoever_else_has_it() {
    let settings = json!({"environment": "prod", "services": {
        "dnb": {"headers": {"X-Token": "{access_token}"}},
        "dnb_psd2": {"headers": {"content-type": "application/json; charset=utf-8"}},
    }});
    let (client, transport) = stubbed(settings, |_| {
        json_answer(200, r#"{"consentId":"c","consentStatus":"received"}"#)
    });
    let input = json!({"method": "GET", "path": "x", "headers": {"x-token": "another"}});
    run(&client, "dnb.call", &input).unwrap();
    let input = json!({
        "consent": {"access": {}, "validUntil": "2099-01-01", "frequencyPerDay": 1, "recurringIndicator": false},
        "psu": {"id": PERSON}, "redirect_uri": "https://tpp.example/back",
    });
    run(&client, "dnb.psd2_create_consent", &input).unwrap();
    for (part, name, value) in [
        ("/x", "x-token", "own"),
        (
            "/consents",
            "content-type",
            "application/json; charset=utf-8",
        ),
    ] {
        let seen = transport.seen(part).remove(0);
        let is_it = |(own, _): &&(_, segl::http::HeaderValue)| {
            let own: &std::borrow::Cow<'_, str> = own;
            own.eq_ignore_ascii_case(name)
        };
        assert_eq!(seen.headers.iter().filter(is_it).count(), 1, "{name}");
        assert_eq!(header(&seen, name), Some(value));
    }
}

/// A generic client has no environment that could be set.
#[test]
fn a_client_without_environment_is_told_the_base_urls() {
    let settings = json!({
        "profile": "generic", "issuer": "https://as.example",
        "token_endpoint": "https://as.example/token.oauth2",
    });
    let (client, _) = stubbed(settings, |_| json_answer(200, "{}"));
    let input = json!({"consent_id": "c"});
    let error = run(&client, "dnb.psd2_consent", &input).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    for url in ["https://api.psd.dnb.no", "https://sandboxapi.psd.dnb.no"] {
        assert!(error.message().contains(url), "{error}");
    }
}
