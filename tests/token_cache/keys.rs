//! What is one token, and how many are kept.

use std::collections::BTreeSet;

use segl::{Call, ErrorCode, TokenRequest};

use super::support::{p256_key, signer};
use super::{GENERIC, setup, setup_with};

#[test]
fn what_means_the_same_is_one_token() {
    let setup = setup();
    let same = [
        r#"{}"#,
        r#"{"scopes":["a:b"]}"#,
        r#"{"scopes":["a:b","a:b"]}"#,
    ];
    for json in same {
        let request = TokenRequest::from_json(json).unwrap();
        let token = setup.client.token(&request, &Call::none()).unwrap();
        assert_eq!(token.access_token(), "token-1", "{json}");
    }
    for json in [
        r#"{"scopes":["x:1","x:2"],"resource":["https://a.example","https://b.example"]}"#,
        r#"{"scopes":["x:2","x:1"],"resource":["https://b.example","https://a.example"]}"#,
    ] {
        let request = TokenRequest::from_json(json).unwrap();
        let token = setup.client.token(&request, &Call::none()).unwrap();
        assert_eq!(token.access_token(), "token-2", "{json}");
    }
    assert_eq!(setup.endpoint.requests(), 2);
}

#[test]
fn whatever_changes_a_token_has_a_place_in_its_key() {
    let setup = setup();
    let system_user = |org: &str| {
        format!(
            r#"{{"authorization_details":[{{"type":"urn:altinn:systemuser","systemuser_org":{{"authority":"iso6523-actorid-upis","ID":"0192:{org}"}}}}]}}"#
        )
    };
    let mut requests: Vec<String> = [
        r#"{"scopes":["x:1"]}"#,
        r#"{"scopes":["x:1","x:2"]}"#,
        r#"{"resource":["https://a.example"]}"#,
        r#"{"resource":["https://b.example"]}"#,
        r#"{"consumer_org":"910753614"}"#,
        r#"{"consumer_org":"974760673"}"#,
        r#"{"pid":"23079422568"}"#,
        r#"{"pid":"23079421936"}"#,
    ]
    .map(String::from)
    .into();
    requests.extend(["910753614", "974760673"].map(system_user));
    let mut generations = BTreeSet::new();
    for _ in 0..2 {
        for json in &requests {
            let request = TokenRequest::from_json(json).unwrap();
            let token = setup.client.token(&request, &Call::none()).unwrap();
            generations.insert(token.generation());
        }
    }
    assert_eq!(generations.len(), requests.len());
    assert_eq!(setup.endpoint.requests(), requests.len());
}

#[test]
fn a_token_is_forgotten_when_asked_to() {
    let setup = setup();
    let other = TokenRequest::from_json(r#"{"scopes":["c:d"]}"#).unwrap();
    setup.text();
    setup.client.token(&other, &Call::none()).unwrap();
    setup.client.forget(Some(&other));
    assert!(setup.client.cached(&other).is_none());
    assert!(setup.client.cached(&TokenRequest::default()).is_some());
    setup.client.forget(None);
    assert!(setup.client.cached(&TokenRequest::default()).is_none());
    assert_eq!(setup.client.token_health().cached, 0);
    assert_eq!(setup.text(), "token-3");
}

#[test]
fn the_cache_is_bounded_and_keeps_what_lives_longest() {
    let setup = setup_with(GENERIC, signer(&p256_key()));
    let request =
        |index: usize| TokenRequest::from_json(&format!(r#"{{"scopes":["s:{index}"]}}"#)).unwrap();
    setup.endpoint.set(|state| state.life = 7200);
    let kept = request(1_000_000);
    setup.client.token(&kept, &Call::none()).unwrap();
    setup.endpoint.set(|state| state.life = 600);
    for index in 0..12_000 {
        setup.client.token(&request(index), &Call::none()).unwrap();
    }
    let cached = setup.client.token_health().cached;
    assert!((5_000..=10_016).contains(&cached), "{cached}");
    assert!(setup.client.cached(&kept).is_some());
}

#[test]
fn a_request_that_is_refused_here_reaches_nobody() {
    let setup = setup();
    let request = TokenRequest::from_json(r#"{"resource":["no uri"]}"#).unwrap();
    let error = setup.client.token(&request, &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert_eq!(setup.endpoint.requests(), 0);
}

#[test]
fn every_resource_of_a_form_has_a_place_in_its_key() {
    let setup = setup_with(GENERIC, signer(&p256_key()));
    let token = |json: &str| {
        let request = TokenRequest::from_json(json).unwrap();
        let token = setup.client.token(&request, &Call::none()).unwrap();
        token.access_token().to_owned()
    };
    let resources = |first: &str| format!(r#"{{"resource":["{first}","https://z.example"]}}"#);
    assert_eq!(token(&resources("https://a.example")), "token-1");
    assert_eq!(token(&resources("https://b.example")), "token-2");
    assert_eq!(token(r#"{"resource":["https://z.example"]}"#), "token-3");
    let turned = r#"{"resource":["https://z.example","https://a.example"]}"#;
    assert_eq!(token(turned), "token-1");
    assert_eq!(token(r#"{"scopes":["x:1","x:2"]}"#), "token-4");
    assert_eq!(token(r#"{"scopes":["x:2","x:1"]}"#), "token-4");
}
