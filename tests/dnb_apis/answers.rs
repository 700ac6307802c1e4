//! What is sent to the bank, and answers that the simulator does not give.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use segl::apis::DnbPsd2;
use segl::apis::dnb::{AccountKind, AccountUse, Psu, RequestId};
use segl::http::{Request, Response};
use segl::profiles::ClientSettings;
use segl::{Call, Error, ErrorCode, Result, TokenClient};
use serde_json::{Value, json};

use crate::stub_transport::{StubTransport, header};
use crate::support::{json_answer, p256_key, signer};
use crate::world::{PERSON, run};

fn client(
    settings: Value,
    answer: impl Fn(&Request) -> Result<Response> + Send + Sync + 'static,
) -> (Arc<TokenClient>, Arc<StubTransport>) {
    let transport = StubTransport::new(answer);
    let mut all = json!({
        "profile": "dnb", "environment": "prod", "client_id": "bank", "scopes": ["a"],
    });
    for (name, value) in settings.as_object().unwrap() {
        all[name] = value.clone();
    }
    let client = TokenClient::builder(ClientSettings::from_json(&all.to_string()).unwrap())
        .signer(signer(&p256_key()))
        .transport(transport.clone())
        .build(&Call::none());
    (Arc::new(client.unwrap()), transport)
}

fn accounts(id: RequestId) -> AccountUse {
    let psu = Psu::new(PERSON.parse().unwrap())
        .at([192, 0, 2, 7].into())
        .with_user_agent("Firefox")
        .with_request_id(id);
    AccountUse::new(AccountKind::Accounts, "the-consent".parse().unwrap(), psu)
}

#[test]
fn the_headers_are_those_of_the_berlin_group() {
    let (client, transport) = client(json!({}), |_| Ok(json_answer(200, r#"{"accounts":[]}"#)));
    let id = RequestId::random();
    let bank = DnbPsd2::new(client.clone()).unwrap();
    bank.accounts(&accounts(id), &Call::none()).unwrap();
    let seen = transport.seen("").remove(0);
    assert_eq!(seen.url.as_str(), "https://api.psd.dnb.no/v1/accounts");
    let id = id.to_string();
    for (name, value) in [
        ("X-Request-ID", Some(id.as_str())),
        ("PSU-ID", Some(PERSON)),
        ("PSU-IP-Address", Some("192.0.2.7")),
        ("PSU-User-Agent", Some("Firefox")),
        ("Consent-ID", Some("the-consent")),
        ("TPP-Redirect-URI", None),
        ("Authorization", None),
    ] {
        assert_eq!(header(&seen, name), value, "{name}");
    }
    assert!(!format!("{seen:?} {:?}", accounts(RequestId::random())).contains(PERSON));

    // Each request has an id of its own, unless the caller has one.
    let alone = json!({"consent_id": "c"});
    for _ in 0..2 {
        run(&client, "dnb.psd2_accounts", &alone).unwrap();
    }
    let seen = transport.seen("");
    assert_ne!(
        header(&seen[1], "x-request-id"),
        header(&seen[2], "x-request-id")
    );
    assert_eq!(header(&seen[1], "psu-id"), None);
}

#[test]
fn a_token_is_sent_where_the_settings_have_a_header_with_it() {
    let services = json!({"dnb_psd2": {"headers": {"Authorization": "Bearer {access_token}"}}});
    let (client, transport) = client(json!({"services": services}), |request| {
        let is_token = request.url.as_str().ends_with("token.oauth2");
        Ok(match is_token {
            true => json_answer(
                200,
                r#"{"access_token":"own","token_type":"Bearer","expires_in":600}"#,
            ),
            false => json_answer(200, r#"{"accounts":[]}"#),
        })
    });
    run(&client, "dnb.psd2_accounts", &json!({"consent_id": "c"})).unwrap();
    let seen = transport.seen("/v1/accounts").remove(0);
    assert_eq!(header(&seen, "authorization"), Some("Bearer own"));
}

#[test]
fn the_setting_apis_counts_without_a_token_too() {
    let (client, transport) = client(
        json!({"apis": ["https://prevalidation.api.dnb.no/"]}),
        |_| Ok(json_answer(200, "{}")),
    );
    let error = run(&client, "dnb.psd2_accounts", &json!({"consent_id": "c"})).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiNotAllowed);
    assert!(transport.seen("").is_empty());
}

fn payment() -> Value {
    json!({
        "product": "norwegian-domestic-credit-transfers",
        "payment": {
            "instructedAmount": {"currency": "NOK", "amount": 12.50},
            "debtorAccount": {"bban": "1"}, "creditorAccount": {"bban": "2"}, "creditorName": "K",
        },
        "psu": {"id": PERSON}, "redirect_uri": "https://tpp.example/",
    })
}

#[test]
fn payments_and_consents_are_sent_once_and_questions_again() {
    let consent = json!({
        "consent": {"access": {}, "validUntil": "2099-01-01", "frequencyPerDay": 1, "recurringIndicator": true},
        "psu": {"id": PERSON}, "redirect_uri": "https://tpp.example/",
    });
    let lost = || Error::new(ErrorCode::Network, "the connection was cut").with_retryable(true);
    let question = json!({"consent_id": "c"});
    for (operation, input, times) in [
        ("dnb.psd2_create_payment", payment(), 1),
        ("dnb.psd2_create_consent", consent, 1),
        ("dnb.psd2_accounts", question, 4),
    ] {
        for fails in [true, false] {
            let (client, transport) = client(json!({}), move |_| match fails {
                true => Err(lost()),
                false => Ok(Response::new(
                    503,
                    vec![("retry-after".into(), "0".into())],
                    Vec::new(),
                )),
            });
            let error = run(&client, operation, &input).unwrap_err();
            assert!(error.retryable(), "{error}");
            assert_eq!(transport.seen("").len(), times, "{operation}");
        }
    }
}

#[test]
fn a_consent_that_is_over_when_it_is_ended_again_was_ended() {
    let message = |code: &str| json!({"tppMessages": [{"category": "ERROR", "code": code}]});
    let unknown = message("CONSENT_UNKNOWN").to_string();
    let expired = message("CONSENT_EXPIRED").to_string();
    let blocked = message("SERVICE_BLOCKED").to_string();
    let invalid = message("CONSENT_INVALID").to_string();
    let end = |first: Option<u16>, status: u16, body: &str| {
        let (body, count) = (body.to_owned(), AtomicUsize::new(0));
        let (client, transport) = client(json!({}), move |_| {
            let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
            match first {
                None if is_first => {
                    Err(Error::new(ErrorCode::Network, "the connection was cut")
                        .with_retryable(true))
                }
                Some(first) if is_first => Ok(Response::new(
                    first,
                    vec![("retry-after".into(), "0".into())],
                    Vec::new(),
                )),
                _ => Ok(json_answer(status, &body)),
            }
        });
        let input = json!({"consent_id": "c"});
        let ended = run(&client, "dnb.psd2_delete_consent", &input);
        (
            ended.err().map(|error| error.code()),
            transport.seen("").len(),
        )
    };
    for (status, body) in [
        (204, ""),
        (404, ""),
        (410, ""),
        (403, &*unknown),
        (401, &expired),
    ] {
        assert_eq!(end(None, status, body), (None, 2), "{status}");
        assert_eq!(end(Some(502), status, body), (None, 2), "{status}");
    }
    // Of these nothing was ended.
    assert_eq!(end(None, 403, &blocked), (Some(ErrorCode::ApiForbidden), 2));
    let refused = (Some(ErrorCode::ApiConsentRefused), 2);
    assert_eq!(end(None, 401, &invalid), refused, "it may be another's");
    assert_eq!(end(Some(429), 404, ""), (Some(ErrorCode::ApiNotFound), 2));
    assert_eq!(end(Some(404), 204, ""), (Some(ErrorCode::ApiNotFound), 1));
}

#[test]
fn amounts_are_sent_as_texts_to_the_digit() {
    let (client, transport) = client(json!({}), |_| {
        Ok(json_answer(
            201,
            r#"{"transactionStatus":"RCVD","paymentId":"p"}"#,
        ))
    });
    let input = payment().to_string().replace("12.5", "12.50");
    crate::world::run_text(&client, "dnb.psd2_create_payment", &input).unwrap();
    let body = String::from_utf8(transport.seen("")[0].body.to_vec()).unwrap();
    assert!(body.contains(r#""amount":"12.50""#), "{body}");
}

#[test]
fn what_the_banks_messages_mean() {
    let refused = |status: u16, code: &str, text: &str| {
        let body = json!({"tppMessages": [
            {"category": "ERROR", "code": code, "text": text, "path": "PSU-ID"},
        ]});
        let (client, _) = client(json!({}), move |_| {
            Ok(json_answer(status, &body.to_string()))
        });
        run(&client, "dnb.psd2_create_payment", &payment()).unwrap_err()
    };
    let user = "User id can be either an 11 digit valid Norwegian ssn - or 2 letters followed by 5 digits (business)";
    for (status, code, text, meaning) in [
        (400, "FORMAT_ERROR", "x", ErrorCode::ApiInvalidRequest),
        (400, "FORMAT_ERROR", user, ErrorCode::ApiInvalidIdentifier),
        (401, "CONSENT_EXPIRED", "x", ErrorCode::ApiConsentRefused),
        (401, "CERTIFICATE_INVALID", "x", ErrorCode::ApiUnauthorized),
        (403, "SERVICE_BLOCKED", "x", ErrorCode::ApiForbidden),
        (500, "INTERNAL_SERVER_ERROR", "x", ErrorCode::ApiServer),
    ] {
        let error = refused(status, code, text);
        assert_eq!(error.code(), meaning, "{error}");
        assert_eq!(error.details().provider_code.as_deref(), Some(code));
        assert!(error.message().contains(text), "{error}");
    }
    let error = refused(401, "CERTIFICATE_INVALID", "of 23079422568");
    assert!(error.message().contains("QWAC"), "{error}");
    assert!(!error.message().contains(PERSON), "{error}");
}

#[test]
fn a_link_that_no_browser_should_follow_is_refused() {
    for (link, good) in [
        (json!({"href": "https://bank.example/sca"}), true),
        (json!("https://bank.example/sca"), true),
        (json!({"href": "http://bank.example/sca"}), false),
        (json!({"href": "javascript:alert(1)"}), false),
        (json!({"href": 7}), false),
    ] {
        let body = json!({
            "transactionStatus": "RCVD", "paymentId": "p", "_links": {"scaRedirect": link},
        });
        let text = body.to_string();
        let (client, _) = client(json!({}), move |_| Ok(json_answer(201, &text)));
        let answer = run(&client, "dnb.psd2_create_payment", &payment());
        match answer {
            Ok(_) => assert!(good, "{body}"),
            Err(error) => assert!(
                !good && error.code() == ErrorCode::ApiBadResponse,
                "{error}"
            ),
        }
    }
}
