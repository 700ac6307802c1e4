//! The token request as it leaves the machine.

use segl::{Call, TokenRequest};
use serde_json::json;

use crate::samples::{samples, text};
use crate::support::{builder, now, p256_key, signer};
use crate::wire::{self, Seen, TOKEN, Wire};

const CLIENT_ID: &str = "76aec8f8-8ef8-4ea6-a087-51cdacd53953";

/// What a client with these settings, besides the usual ones, sends for a token.
fn sent(more: &serde_json::Value) -> Seen {
    let server = Wire::new(|_| wire::json(200, TOKEN));
    let mut settings = json!({
        "profile": "dnb", "client_id": CLIENT_ID,
        "token_endpoint": format!("{}/as/token.oauth2", server.base),
        "scopes": ["openbanking.prevalidation.norway:validate", "openbanking.prevalidation.international:validate"],
    });
    let members = settings.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    let client = builder(&settings.to_string(), signer(&p256_key()), now())
        .build(&Call::none())
        .unwrap();
    client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    seen[0].clone()
}

fn assertion(body: &str) -> &str {
    let start = body.find("client_assertion=").unwrap() + "client_assertion=".len();
    body[start..].split('&').next().unwrap()
}

#[test]
fn the_body_is_the_samples_to_the_byte() {
    let samples = samples();
    let seen = sent(&json!({}));
    let sample = text(&samples, "/client_assertion/token");
    let as_sample = seen.text().replace(assertion(seen.text()), sample);
    assert_eq!(as_sample, text(&samples, "/token_request_form_body"));
    assert_eq!(as_sample.len(), 657);
    assert_eq!(
        seen.all("content-length"),
        [seen.body.len().to_string().as_str()]
    );
}

#[test]
fn it_is_a_form_in_the_body_of_a_post_and_nowhere_else() {
    let seen = sent(&json!({}));
    assert_eq!(seen.method, "POST");
    // DNB's page calls them "query parameters".
    assert_eq!(seen.target, "/as/token.oauth2");
    assert_eq!(
        seen.all("content-type"),
        ["application/x-www-form-urlencoded"]
    );
    assert!(!seen.text().starts_with('{'), "another block shows JSON");
    assert_eq!(seen.all("authorization"), [""; 0]);
    assert!(!seen.text().contains("client_id="));
}

#[test]
fn the_client_id_is_sent_where_it_is_wanted() {
    let seen = sent(&json!({"send_client_id": true}));
    let names: Vec<_> = url::form_urlencoded::parse(&seen.body)
        .map(|(name, _)| name.into_owned())
        .collect();
    let wanted = [
        "client_assertion",
        "client_assertion_type",
        "client_id",
        "grant_type",
        "scope",
    ];
    assert_eq!(names, wanted);
    assert!(seen.text().contains(&format!("client_id={CLIENT_ID}&")));
}
