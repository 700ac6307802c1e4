//! Answers of token endpoints. tests/token_cache.rs has what becomes of them.

mod support;

use std::sync::Arc;
use std::time::Duration;

use segl::clock::{FixedClock, UnixTime};
use segl::http::Response;
use segl::profiles::ClientSettings;
use segl::{Call, Error, ErrorCode, TokenClient, TokenRequest};
use support::{ScriptedTransport, json_answer, rsa_key, signer};

const SETTINGS: &str = r#"{"profile":"maskinporten","environment":"test","client_id":"c1","kid":"k1","scopes":["a:b"]}"#;
const GOOD: &str =
    r#"{"access_token":"secret-token","token_type":"Bearer","expires_in":120,"scope":"a:b"}"#;

struct Setup {
    client: TokenClient,
    transport: Arc<ScriptedTransport>,
}

fn setup(answers: impl IntoIterator<Item = Response>) -> Setup {
    let clock = FixedClock::new(UnixTime::from_seconds(1_700_000_000));
    let transport = ScriptedTransport::answering(answers);
    let client = TokenClient::builder(ClientSettings::from_json(SETTINGS).unwrap())
        .signer(signer(&rsa_key()))
        .clock(Arc::new(clock))
        .transport(transport.clone())
        .build(&Call::none())
        .unwrap();
    Setup { client, transport }
}

/// What a call makes of an endpoint that only ever gives this answer.
fn refusal(answer: Response) -> Error {
    let setup = setup(std::iter::repeat_n(answer, 5));
    setup
        .client
        .token(
            &TokenRequest::default(),
            &Call::within(Duration::from_millis(200)),
        )
        .unwrap_err()
}

#[test]
fn each_request_has_its_own_token_and_can_be_forgotten() {
    let setup = setup((0..4).map(|_| json_answer(200, GOOD)));
    let other = TokenRequest::from_json(r#"{"consumer_org":"910753614"}"#).unwrap();
    let sent = || setup.transport.bodies.lock().unwrap().len();
    let all = |client: &TokenClient| {
        client
            .token(&TokenRequest::default(), &Call::none())
            .unwrap();
        client.token(&other, &Call::none()).unwrap();
    };
    all(&setup.client);
    all(&setup.client);
    assert_eq!(sent(), 2);
    setup.client.forget(Some(&other));
    all(&setup.client);
    assert_eq!(sent(), 3);
    setup.client.fetch(&other, &Call::none()).unwrap();
    assert_eq!(sent(), 4);
    setup.client.forget(None);
    assert!(setup.client.cached(&other).is_none());
}

#[test]
fn a_grant_goes_out_as_the_documented_form() {
    let setup = setup([json_answer(200, GOOD)]);
    setup
        .client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    let body = setup.transport.bodies.lock().unwrap()[0].clone();
    let start = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=ey";
    assert!(body.starts_with(start), "{body}");
}

#[test]
fn maskinporten_errors_keep_code_uri_and_trace_id_and_add_a_remedy() {
    let error = refusal(json_answer(
        400,
        r#"{"error":"invalid_grant","error_description":"Invalid assertion. Client authentication failed. Expired key. (trace_id: 75ac8ef4)","error_uri":"https://test.maskinporten.no/errors/MP-121"}"#,
    ));
    assert_eq!(error.code(), ErrorCode::TokenInvalidGrant);
    let details = error.details();
    assert_eq!(details.provider_code.as_deref(), Some("MP-121"));
    assert_eq!(details.trace_id.as_deref(), Some("75ac8ef4"));
    assert_eq!(details.oauth_error.as_deref(), Some("invalid_grant"));
    assert_eq!(details.http_status, Some(400));
    assert!(details.error_uri.as_deref().unwrap().ends_with("MP-121"));
    assert!(!error.retryable());
    assert!(error.message().contains("register it again"), "{error}");
}

#[test]
fn every_documented_code_is_explained() {
    for code in [
        "MP-011", "MP-012", "MP-100", "MP-110", "MP-120", "MP-121", "MP-122", "MP-123", "MP-124",
        "MP-130", "MP-200", "MP-201", "MP-250", "MP-251", "MP-301", "MP-302", "MP-303",
    ] {
        let error = refusal(json_answer(
            400,
            &format!(
                r#"{{"error":"x","error_description":"d","error_uri":"https://h/errors/{code}"}}"#
            ),
        ));
        assert_eq!(error.details().provider_code.as_deref(), Some(code));
        assert!(error.message().contains("(d); "), "{code}: {error}");
    }
}

#[test]
fn answers_that_are_no_tokens_are_told_apart() {
    let html = Response::new(
        200,
        vec![("content-type".into(), "text/html".into())],
        b"<html>Log in</html>".to_vec(),
    );
    for (answer, code, says) in [
        (html, ErrorCode::TokenBadResponse, "text/html"),
        (
            json_answer(200, "{}"),
            ErrorCode::TokenBadResponse,
            "access_token",
        ),
        (
            json_answer(200, r#"{"access_token":"t"}"#),
            ErrorCode::TokenBadResponse,
            "token_type",
        ),
        (
            json_answer(200, r#"{"access_token":"t","token_type":"DPoP"}"#),
            ErrorCode::TokenBadResponse,
            "Bearer",
        ),
        (
            json_answer(
                200,
                r#"{"access_token":"t","token_type":"Bearer","expires_in":-1}"#,
            ),
            ErrorCode::TokenBadResponse,
            "expires_in",
        ),
        (json_answer(302, ""), ErrorCode::TokenBadResponse, "302"),
        (json_answer(404, "gone"), ErrorCode::TokenBadResponse, "404"),
        (
            json_answer(503, "busy"),
            ErrorCode::TokenServer,
            "try again later",
        ),
        (
            json_answer(400, r#"{"error":"invalid_scope"}"#),
            ErrorCode::TokenInvalidScope,
            "scope",
        ),
        (
            json_answer(401, r#"{"error":"invalid_client"}"#),
            ErrorCode::TokenInvalidClient,
            "client_id",
        ),
        (
            json_answer(400, r#"{"error":"novel"}"#),
            ErrorCode::TokenOther,
            "novel",
        ),
    ] {
        let error = refusal(answer);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(says), "{error}");
    }
}

#[test]
fn a_slow_down_is_retryable_and_says_how_long() {
    let error = refusal(Response::new(
        429,
        vec![("retry-after".into(), "7".into())],
        b"{}".to_vec(),
    ));
    assert_eq!(error.code(), ErrorCode::TokenRateLimited);
    assert!(error.retryable());
    assert_eq!(error.details().retry_after.unwrap().as_secs(), 7);
}

#[test]
fn a_personal_identifier_in_a_servers_text_is_not_shown() {
    let error = refusal(json_answer(
        400,
        r#"{"error":"invalid_request","error_description":"no such pid 12345678901\n(trace_id: 0123456789ab)"}"#,
    ));
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("12345678901"), "{shown}");
    assert!(shown.contains("[redacted]"));
    // A trace id is kept, even with eleven digits in a row within it.
    let error = refusal(json_answer(
        400,
        r#"{"error":"x","error_description":"d (trace_id: ab12345678901cd)"}"#,
    ));
    assert_eq!(error.details().trace_id.as_deref(), Some("ab12345678901cd"));
    assert!(!error.message().contains('\n'));
}

#[test]
fn a_cancelled_or_late_call_sends_nothing() {
    let setup = setup([]);
    let cancel = segl::CancelToken::new();
    cancel.trigger();
    let call = Call::none().with_cancel(cancel);
    let error = setup
        .client
        .token(&TokenRequest::default(), &call)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Cancelled);
    let call = Call::within(std::time::Duration::ZERO);
    let error = setup
        .client
        .token(&TokenRequest::default(), &call)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout);
    assert!(error.retryable());
}
