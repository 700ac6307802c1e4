//! `dnb.call`

use std::sync::Arc;

use segl::apis::DnbApi;
use segl::apis::dnb::DnbCall;
use segl::http::{Method, Request, Response};
use segl::profiles::ClientSettings;
use segl::{Call, ErrorCode, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::stub_transport::{StubTransport, header};
use crate::support::{json_answer, p256_key, signer};
use crate::world::{SCOPE, World, run, run_text};

#[test]
fn any_request_goes_below_the_base_url_with_a_token() {
    let world = World::new("");
    let client = world.client();
    let input = json!({
        "method": "POST", "path": "prevalidation/norway", "body": {"account": "12035864022"},
    });
    let answer = run(&client, "dnb.call", &input).unwrap();
    assert_eq!(answer["status"], 200);
    assert_eq!(answer["body"]["request"], input["body"]);
    let input = json!({"method": "GET", "path": "/echo", "query": {"scope": SCOPE}});
    assert_eq!(
        run(&client, "dnb.call", &input).unwrap()["body"]["scope"],
        SCOPE
    );
    let input = json!({"method": "GET", "path": "echo", "query": {"scope": "other:one"}});
    let error = run(&client, "dnb.call", &input).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiForbidden, "{error}");

    let api = DnbApi::new(client, TokenRequest::default()).unwrap();
    let wanted = DnbCall::new(Method::Get, "echo".parse().unwrap());
    assert_eq!(api.send(&wanted, &Call::none()).unwrap().status, 200);
}

#[test]
fn what_would_leave_the_base_url_or_is_segls_is_refused() {
    let world = World::new("");
    let client = world.client();
    for wrong in [
        json!({"method": "GET", "path": "../as/token.oauth2"}),
        json!({"method": "GET", "path": "https://evil.example/"}),
        json!({"method": "GET", "path": "a?b=c"}),
        json!({"method": "get", "path": "echo"}),
        json!({"method": "GET", "path": "echo", "body": {}}),
        json!({"method": "GET", "path": "echo", "headers": {"authorization": "Bearer x"}}),
        json!({"method": "GET", "path": "echo", "headers": {"Host": "evil.example"}}),
        json!({"method": "GET", "path": "echo", "headers": {"x-a": "1\r\nx-b: 2"}}),
        json!({"method": "GET", "path": "echo", "more": 1}),
    ] {
        let error = run(&client, "dnb.call", &wrong).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{wrong}: {error}");
    }
    let requests = world.simulator.requests();
    assert_eq!((requests.dnb_api, requests.dnb_token), (0, 0));
}

pub fn stubbed(
    settings: Value,
    api: impl Fn(&Request) -> Response + Send + Sync + 'static,
) -> (Arc<TokenClient>, Arc<StubTransport>) {
    let transport = StubTransport::new(move |request: &Request| {
        if request.url.as_str().ends_with("token.oauth2") {
            let token = r#"{"access_token":"own","token_type":"Bearer","expires_in":600}"#;
            return Ok(json_answer(200, token));
        }
        Ok(api(request))
    });
    let mut all = json!({"profile": "dnb", "client_id": "bank", "scopes": [SCOPE]});
    for (name, value) in settings.as_object().unwrap() {
        all[name] = value.clone();
    }
    let client = TokenClient::builder(ClientSettings::from_json(&all.to_string()).unwrap())
        .signer(signer(&p256_key()))
        .transport(transport.clone())
        .build(&Call::none());
    (Arc::new(client.unwrap()), transport)
}

#[test]
fn bodies_and_answers_are_the_same_to_the_digit() {
    let answer = r#"{"rate":1.10000000000000000001,"big":12345678901234567890123}"#;
    let (client, transport) = stubbed(json!({"environment": "prod"}), |_| json_answer(200, answer));
    let input = r#"{"method":"POST","path":"fx/trades","headers":{"X-A":"b","Accept":"x/y"},
        "query":{"from":"2026-01-01","q":"a b&c"},"body":{"amount":0.10,"x":1.10000000000000000001}}"#;
    let said = run_text(&client, "dnb.call", input).unwrap();
    assert_eq!(said, format!("{{\"status\":200,\"body\":{answer}}}"));
    let seen = transport.seen("/fx/").remove(0);
    assert_eq!(
        seen.url.as_str(),
        "https://prevalidation.api.dnb.no/fx/trades?from=2026-01-01&q=a%20b%26c"
    );
    assert_eq!(*seen.body, br#"{"amount":0.10,"x":1.10000000000000000001}"#);
    assert_eq!(header(&seen, "authorization"), Some("Bearer own"));
    assert_eq!(header(&seen, "content-type"), Some("application/json"));
    assert_eq!(
        (header(&seen, "accept"), header(&seen, "x-a")),
        (Some("x/y"), Some("b"))
    );
}

#[test]
fn only_what_changes_nothing_is_sent_again() {
    let busy =
        |_: &Request| Response::new(503, vec![("retry-after".into(), "0".into())], Vec::new());
    for (method, times) in [("GET", 4), ("POST", 1), ("DELETE", 1)] {
        let (client, transport) = stubbed(json!({"environment": "prod"}), busy);
        let error = run(&client, "dnb.call", &json!({"method": method, "path": "x"})).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ApiServer);
        assert_eq!(transport.seen("/x").len(), times, "{method}");
    }
}

#[test]
fn there_is_no_test_environment_that_segl_knows() {
    let settings =
        json!({"environment": "test", "token_endpoint": "https://test.example/as/token.oauth2"});
    let (client, _) = stubbed(settings, |_| json_answer(200, "{}"));
    let error = run(&client, "dnb.call", &json!({"method": "GET", "path": "x"})).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("services.dnb.base_url")
    );
    assert!(error.message().contains("environment"), "{error}");
}

#[test]
fn an_answer_that_is_no_json_is_said_to_be_none() {
    for (body, good) in [
        ("", true),
        ("null", true),
        ("<html>", false),
        ("{} {}", false),
    ] {
        let (client, _) = stubbed(json!({"environment": "prod"}), move |_| {
            Response::new(200, Vec::new(), body.as_bytes().to_vec())
        });
        let answer = run(&client, "dnb.call", &json!({"method": "GET", "path": "x"}));
        match answer {
            Ok(answer) => assert!(good && answer["body"].is_null(), "{body}"),
            Err(error) => assert!(!good && error.code() == ErrorCode::ApiBadResponse, "{body}"),
        }
    }
}
