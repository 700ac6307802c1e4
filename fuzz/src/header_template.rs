//! Header values with placeholders, through the settings of a service: what is sent is the
//! value with the token in its place, and nothing that ends a header.

use std::sync::Arc;

use segl::apis::Altinn;
use segl::apis::altinn::TokenExchange;
use segl::{Call, ErrorCode, TokenRequest};
use serde_json::json;

use super::client::{ACCESS_TOKEN, Answering, client, json as answer};

const PLACEHOLDER: &str = "{access_token}";

/// The first line is a header's name, the rest its value.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (name, value) = text.split_once('\n').unwrap_or(("X-Header", text));
    let transport = Answering::with(answer(200, b"a.b.c".to_vec()));
    let settings = json!({"services": {"altinn": {
        "base_url": "https://altinn.example", "headers": {name: value},
    }}});
    let client = Arc::new(client(&settings, Arc::clone(&transport) as _));
    let has_lone_brace = value.replace(PLACEHOLDER, "").contains(['{', '}']);
    let altinn = match Altinn::new(client, TokenRequest::default()) {
        Ok(altinn) => altinn,
        Err(error) => {
            assert_eq!(error.code(), ErrorCode::Config);
            let is_repeated = !name.contains(value) && error.message().contains(value);
            assert!(value.len() < 12 || !is_repeated, "{error}");
            return;
        }
    };
    assert!(!has_lone_brace || value.is_empty());
    let outcome = altinn.exchange_token(TokenExchange::default(), &Call::none());
    let expected = value.replace(PLACEHOLDER, ACCESS_TOKEN);
    let expected = expected.trim_matches([' ', '\t']);
    for request in transport.sent.lock().unwrap().iter() {
        for (name, value) in &request.headers {
            let is_clean = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
            assert!(value.as_str().bytes().all(is_clean), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_graphic()), "{name}");
        }
        let found = request
            .headers
            .iter()
            .filter(|(own, _)| own.eq_ignore_ascii_case(name));
        let found: Vec<_> = found.map(|(_, value)| value.as_str()).collect();
        let is_sent = found == [expected];
        // An empty setting leaves out a header that the service has, and adds none.
        assert!(is_sent || value.is_empty(), "{name}: {found:?}");
    }
    if let Err(error) = outcome {
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
    }
}
