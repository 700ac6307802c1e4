//! Answers of token endpoints. tests/token_cache/ has what becomes of them.

mod support;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

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
    assert_eq!(error.code(), ErrorCode::TokenKeyExpired);
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
fn every_documented_refusal_has_its_number_by_code_and_by_text() {
    use ErrorCode::*;
    let said = "Invalid assertion. Client authentication failed.";
    for (provider_code, text, code, retryable) in [
        (
            "MP-011",
            "Invalid assertion. Invalid parameter value",
            TokenAssertionMalformed,
            false,
        ),
        ("MP-012", "Grant is used before", TokenAssertionReused, true),
        ("MP-100", "Client not found", TokenClientUnknown, false),
        (
            "MP-110",
            &format!("{said} Invalid JWT claim aud"),
            TokenAudienceRefused,
            false,
        ),
        (
            "MP-120",
            &format!("{said} The JWT is signed with an invalid certificate."),
            TokenCertificateRefused,
            false,
        ),
        (
            "MP-121",
            &format!("{said} Expired key"),
            TokenKeyExpired,
            false,
        ),
        (
            "MP-122",
            "Invalid JWT. Invalid organization number for client. Does not match certificate orgno",
            TokenOrganisationMismatch,
            false,
        ),
        ("MP-123", "Invalid JWT header x5c", TokenX5cRefused, false),
        (
            "MP-124",
            "Invalid JWT signature",
            TokenSignatureRefused,
            false,
        ),
        ("MP-130", "JWT is expired", TokenAssertionExpired, true),
        ("MP-130", "JWT has expired.", TokenAssertionExpired, true),
        (
            "",
            "Issue time is after now",
            TokenAssertionFromFuture,
            true,
        ),
        (
            "",
            "Issue time is in the future.",
            TokenAssertionFromFuture,
            true,
        ),
        (
            "",
            "JWT has too long lifetime.",
            TokenLifetimeRefused,
            false,
        ),
        (
            "MP-200",
            "Token request contains invalid scopes for client, a:b",
            TokenScopeNotOnClient,
            false,
        ),
        (
            "MP-201",
            "Token request contains scopes not allowed for maskinporten",
            TokenScopeNotAllowed,
            false,
        ),
        (
            "MP-250",
            "Consumer has not been granted access to the scope a:b",
            TokenScopeNotGranted,
            false,
        ),
        (
            "MP-251",
            "Consumer 910753614 has not delegated access to the scope a:b to supplier 974760673",
            TokenNotDelegated,
            false,
        ),
        (
            "MP-301",
            "Unknown authorization details type",
            TokenDetailsTypeUnknown,
            false,
        ),
        (
            "MP-302",
            "Unknown fields in the authorization details",
            TokenDetailsMemberUnknown,
            false,
        ),
        (
            "MP-303",
            "Invalid authorization details values",
            TokenDetailsRefused,
            false,
        ),
        (
            "",
            "Validation of JWT claim failed: The combination consumer_org in claim and delegation scope on client is invalid",
            TokenConsumerIsSelf,
            false,
        ),
        (
            "",
            &format!("{said} Unknown key identifier (kid) for client"),
            TokenKidUnknown,
            true,
        ),
        (
            "",
            "Invalid JWT. The client requires pre-registered jwk and no key identifier (kid) provided",
            TokenKidRequired,
            false,
        ),
        (
            "",
            "Invalid assertion. Unknown claim foo",
            TokenClaimRefused,
            false,
        ),
        // A reason that nobody knows is not taken for one of these.
        (
            "",
            &format!("{said} Novel reason"),
            TokenInvalidGrant,
            false,
        ),
        ("MP-999", "Novel reason", TokenInvalidGrant, false),
    ] {
        let by_text = json!({"error": "invalid_grant", "error_description": text});
        let mut by_code = json!({"error": "invalid_grant", "error_description": "d"});
        by_code["error_uri"] = format!("https://maskinporten.no/errors/{provider_code}").into();
        let mut bodies = vec![by_text];
        if !provider_code.is_empty() {
            bodies.push(by_code);
        }
        for body in bodies {
            let error = refusal(json_answer(400, &body.to_string()));
            assert_eq!(error.code(), code, "{error}");
            assert_eq!(error.retryable(), retryable, "{error}");
            let details = error.details();
            assert_eq!(details.oauth_error.as_deref(), Some("invalid_grant"));
            assert_eq!(
                details.oauth_error_description.as_deref(),
                body["error_description"].as_str()
            );
            if code != TokenInvalidGrant {
                assert!(error.message().contains("); "), "has a remedy: {error}");
            }
        }
    }
    let altinn = json_answer(400, r#"{"error":"invalid_altinn_customer_configuration"}"#);
    assert_eq!(refusal(altinn).code(), TokenDetailsRefused);
    let target = json_answer(400, r#"{"error":"invalid_target"}"#);
    assert_eq!(refusal(target).code(), TokenInvalidTarget);
}

#[test]
fn a_server_that_fails_has_refused_nothing() {
    let body = r#"{"error":"invalid_grant","error_description":"Grant is used before","error_uri":"https://h/errors/MP-012"}"#;
    for (status, code) in [
        (503, ErrorCode::TokenServer),
        (429, ErrorCode::TokenRateLimited),
    ] {
        let error = refusal(json_answer(status, body));
        assert_eq!(error.code(), code, "{error}");
        assert!(error.retryable());
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
            ErrorCode::TokenTypeMismatch,
            "no DPoP proof was sent",
        ),
        (
            json_answer(200, r#"{"access_token":"t","token_type":"N_A"}"#),
            ErrorCode::TokenBadResponse,
            "Bearer and DPoP",
        ),
        (
            json_answer(
                200,
                r#"{"access_token":"t","token_type":"Bearer","expires_in":-1}"#,
            ),
            ErrorCode::TokenBadResponse,
            "expires_in",
        ),
        (
            json_answer(
                200,
                r#"{"access_token":"a\r\nX-Injected: b","token_type":"Bearer"}"#,
            ),
            ErrorCode::TokenBadResponse,
            "printable",
        ),
        (
            json_answer(200, r#"{"access_token":"a\u009b2J","token_type":"Bearer"}"#),
            ErrorCode::TokenBadResponse,
            "printable",
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
    // The client's clock shows 2023-11-14T22:13:20Z.
    let (own, date) = (
        "Tue, 14 Nov 2023 22:14:00 GMT",
        "Tue, 14 Nov 2023 22:14:10 GMT",
    );
    for (retry_after, sent, seconds) in [
        ("7", None, Some(7)),
        (" 0 ", None, Some(0)),
        ("3600", None, Some(3600)),
        ("3601", None, Some(3600)),
        ("99999999999999999999999", None, Some(3600)),
        (date, None, Some(50)),
        ("Tuesday, 14-Nov-23 22:14:10 GMT", None, Some(50)),
        ("Tue Nov 14 22:14:10 2023", None, Some(50)),
        // By the server's clock, where it tells.
        (date, Some(own), Some(10)),
        (date, Some("no date"), Some(50)),
        ("Tue, 14 Nov 2023 22:13:00 GMT", None, Some(0)),
        ("Wed, 15 Nov 2023 22:13:20 GMT", None, Some(3600)),
        ("soon", None, None),
        ("-1", None, None),
        ("+1", None, None),
        ("1.5", None, None),
        ("", None, None),
    ] {
        let mut headers = vec![("retry-after".into(), retry_after.into())];
        if let Some(sent) = sent {
            headers.push(("date".into(), sent.into()));
        }
        let error = refusal(Response::new(429, headers, b"{}".to_vec()));
        assert_eq!(error.code(), ErrorCode::TokenRateLimited);
        assert!(error.retryable());
        let waits = error.details().retry_after.map(|wait| wait.as_secs());
        assert_eq!(waits, seconds, "{retry_after}");
    }
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
