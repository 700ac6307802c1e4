//! Answers that the simulator does not give.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use segl::http::{Request, Response};
use segl::profiles::ClientSettings;
use segl::{Call, ErrorCode, Result, TokenClient};
use serde_json::{Value, json};

use crate::stub_transport::{StubTransport, header};
use crate::support::{json_answer, rsa_key, signer};
use crate::world::run;

const ID: &str = "77ed8698-e619-4066-9eb4-5c1eb3f165a1";

/// A client in `environment` behind whose tokens `api` answers.
fn client(
    environment: &str,
    api: impl Fn(&Request) -> Response + Send + Sync + 'static,
) -> (Arc<TokenClient>, Arc<StubTransport>) {
    let transport = StubTransport::new(move |request: &Request| {
        if request.url.as_str().ends_with("/token") {
            let token = r#"{"access_token":"own","token_type":"Bearer","expires_in":600}"#;
            return Ok(json_answer(200, token));
        }
        Ok(api(request))
    });
    let settings = json!({
        "profile": "maskinporten", "environment": environment, "client_id": "bank", "kid": "k",
        "scopes": ["altinn:consentrequests.read"],
    });
    let client = TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
        .signer(signer(&rsa_key()))
        .transport(transport.clone())
        .build(&Call::none());
    (Arc::new(client.unwrap()), transport)
}

fn exchange(body: &'static [u8], status: u16) -> Result<Value> {
    let (client, _) = client("test", move |_| {
        Response::new(status, Vec::new(), body.to_vec())
    });
    run(&client, "altinn.exchange_token", &json!({}))
}

#[test]
fn it_is_where_the_environment_says() {
    for (environment, host) in [
        ("test", "https://platform.tt02.altinn.no"),
        ("prod", "https://platform.altinn.no"),
    ] {
        let (client, transport) = client(environment, |_| json_answer(200, "\"a.b.c\""));
        run(&client, "altinn.exchange_token", &json!({"test": true})).unwrap();
        let seen = transport.seen("/exchange/");
        assert_eq!(
            seen[0].url.as_str(),
            format!("{host}/authentication/api/v1/exchange/maskinporten?test=true")
        );
        assert_eq!(header(&seen[0], "authorization"), Some("Bearer own"));
    }
}

#[test]
fn a_token_that_cannot_be_read_is_not_kept() {
    let (client, transport) = client("test", |_| json_answer(200, "\"a.b.c\""));
    for _ in 0..2 {
        let answer = run(&client, "altinn.exchange_token", &json!({})).unwrap();
        assert_eq!(answer["token"], "a.b.c");
    }
    assert_eq!(transport.seen("/exchange/").len(), 2);
}

#[test]
fn a_token_that_is_forgotten_while_it_is_got_is_not_kept() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let exp = crate::support::now() + 1800;
    let header = json!({ "alg": "RS256" });
    let token = format!("{}.{}.AAAA", part(header), part(json!({ "exp": exp })));
    let owner: Arc<OnceLock<Arc<TokenClient>>> = Arc::default();
    let owners = Arc::clone(&owner);
    let count = AtomicUsize::new(0);
    let (client, transport) = client("test", move |_| {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            owners.get().unwrap().forget(None);
        }
        json_answer(200, &token)
    });
    owner.set(Arc::clone(&client)).unwrap();
    for asked in [1, 2, 2] {
        run(&client, "altinn.exchange_token", &json!({})).unwrap();
        assert_eq!(transport.seen("/exchange/").len(), asked);
    }
}

#[test]
fn an_answer_that_is_no_token_is_refused() {
    for body in ["", "<html>", "{\"token\":\"a.b.c\"}", "a b.c.d", "\"a.b.c"] {
        let error = exchange(body.as_bytes(), 200).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ApiBadResponse, "{body}");
    }
}

#[test]
fn refusals_without_details_say_what_to_do() {
    let error = exchange(b"", 401).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiUnauthorized);
    assert!(error.message().contains("same environment"), "{error}");
    let error = exchange(b"Invalid token provider.", 400).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiInvalidRequest);
    // Of an enterprise user, which segl does not have.
    let gone = br#"{"title":"Virksomhetsbruker is no longer available","status":410}"#;
    let error = exchange(gone, 410).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiRefused);
    assert!(error.message().contains("Virksomhetsbruker"), "{error}");
}

#[test]
fn too_many_requests_are_waited_for() {
    let count = AtomicUsize::new(0);
    let (client, transport) = client("test", move |_| {
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => Response::new(429, vec![("retry-after".into(), "1".into())], Vec::new()),
            _ => json_answer(200, "a.b.c"),
        }
    });
    let begin = std::time::Instant::now();
    run(&client, "altinn.exchange_token", &json!({})).unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert_eq!(transport.seen("/exchange/").len(), 2);
}

#[test]
fn an_answer_about_another_request_or_with_a_bad_link_is_refused() {
    let read = |answer: Value| {
        let (client, _) = client("test", move |_| json_answer(200, &answer.to_string()));
        run(&client, "altinn.consent_request", &json!({"id": ID}))
    };
    let good = json!({"id": ID, "viewUri": "https://am.ui.tt02.altinn.no/x"});
    assert!(read(good.clone()).is_ok());
    for (name, value) in [
        ("id", json!("87ed8698-e619-4066-9eb4-5c1eb3f165a1")),
        ("viewUri", json!("http://am.ui.altinn.no/x")),
        ("viewUri", json!("javascript:alert(1)")),
        ("viewUri", json!(7)),
    ] {
        let mut wrong = good.clone();
        wrong[name] = value;
        let error = read(wrong.clone()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ApiBadResponse, "{wrong}");
    }
}

#[test]
fn problems_inside_problems_are_told() {
    let body = json!({
        "title": "One or more validation errors occurred.", "code": "STD-00000",
        "validationErrors": [{
            "code": "AM.VLD-00019", "detail": "of 23079422568", "paths": ["/validTo"],
        }],
    });
    let (client, _) = client("test", move |_| json_answer(400, &body.to_string()));
    let error = run(&client, "altinn.consent_request", &json!({"id": ID})).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiInvalidRequest);
    assert_eq!(
        error.details().provider_code.as_deref(),
        Some("AM.VLD-00019")
    );
    assert!(error.message().contains("/validTo"), "{error}");
    assert!(!error.message().contains("23079422568"), "{error}");
}
