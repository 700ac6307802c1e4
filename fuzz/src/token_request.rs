//! Token requests: no error, and no `Debug`, shows the person that one is about.

use segl::{ErrorCode, TokenRequest};
use serde_json::{Value, json};

use super::private::everything;

/// From KRR's documentation: a person of its test environment.
const PERSON: &str = "23079422568";

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match TokenRequest::from_json(text) {
        Ok(request) => {
            let shown = format!("{request:?} {request:#?}");
            if let Some(person) = &request.pid {
                assert!(!shown.contains(person.expose()), "{shown}");
            }
            assert_eq!(request, request.clone());
        }
        Err(error) => assert_eq!(error.code(), ErrorCode::InvalidArgument),
    }
    if text.contains(PERSON) {
        return;
    }
    let Ok(Value::Object(mut members)) = serde_json::from_str(text) else {
        return;
    };
    for person in [
        json!(PERSON),
        json!([PERSON]),
        json!(PERSON.parse::<u64>().unwrap()),
        json!(format!("{PERSON} ")),
    ] {
        members.insert("pid".into(), person);
        let shown = match TokenRequest::from_json(&Value::Object(members.clone()).to_string()) {
            Ok(request) => format!("{request:?} {request:#?}"),
            Err(error) => everything(&error),
        };
        assert!(!shown.contains(PERSON), "{shown}");
    }
}
