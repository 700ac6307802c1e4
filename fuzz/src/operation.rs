//! Operations of APIs: an input that is refused is not repeated, and no answer of an API
//! brings them down.

use std::sync::Arc;

use segl::apis::Operation;
use segl::{ErrorCode, TokenRequest};
use serde_json::{Map, Value, json};

use super::client::{Answering, client, json as answer, once};
use super::private::{MARK, assert_hidden, everything};

const STATUSES: [u16; 8] = [200, 201, 204, 400, 401, 403, 404, 500];

/// The first byte chooses the operation, the second the status of the API's answer. The
/// first line is the input, the rest the body of the answer.
pub(crate) fn check(data: &[u8]) {
    let [which, status, rest @ ..] = data else {
        return;
    };
    let operation = &Operation::ALL[usize::from(*which) % Operation::ALL.len()];
    let mut parts = rest.splitn(2, |byte| *byte == b'\n');
    let Ok(input) = std::str::from_utf8(parts.next().unwrap_or_default()) else {
        return;
    };
    let body = parts.next().unwrap_or_default();
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let _ = call(operation, input, status, body);
    // The same with a secret for each text, where segl alone judges it.
    let Ok(json @ Value::Object(_)) = serde_json::from_str::<Value>(input) else {
        return;
    };
    let marked = with_marks(&json).to_string();
    let known = everything_named(&json);
    if !known.iter().any(|name| name.contains(MARK))
        && let Err(error) = call(operation, &marked, 204, b"")
        && error.code() == ErrorCode::InvalidArgument
    {
        assert_hidden(&error, operation.name);
    }
}

fn call(operation: &Operation, input: &str, status: u16, body: &[u8]) -> segl::Result<()> {
    let mut services: Map<String, Value> = [
        "kfr",
        "krr",
        "lanekassen",
        "nav",
        "skatteetaten",
        "dsop_control",
        "altinn",
        "dnb",
        "dnb_currencies",
        "dnb_psd2",
    ]
    .into_iter()
    .map(|name| (name.to_owned(), json!({"base_url": "https://api.example"})))
    .collect();
    // Their usual headers want a key from a file.
    for (name, header) in [("dnb_currencies", "x-api-key"), ("lanekassen", "ApiKey")] {
        services[name]["headers"] = json!({ header: "key" });
    }
    let transport = Answering::with(answer(status, body.to_vec()));
    let client = Arc::new(client(&json!({ "services": services }), transport));
    let outcome = operation.call(&client, &TokenRequest::default(), input, &once());
    match outcome {
        Ok(output) => {
            let output: Value = serde_json::from_str(&output).unwrap();
            assert!(output.is_object(), "{}", operation.name);
            Ok(())
        }
        Err(error) => {
            assert!(error.message().contains(operation.name), "{error}");
            assert!(
                !everything(&error).contains(super::client::ACCESS_TOKEN),
                "{error:?}"
            );
            Err(error)
        }
    }
}

fn with_marks(value: &Value) -> Value {
    match value {
        Value::String(_) => MARK.into(),
        Value::Array(items) => items.iter().map(with_marks).collect(),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| (name.clone(), with_marks(value)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

fn everything_named(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().flat_map(everything_named).collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| [vec![name.as_str()], everything_named(value)].concat())
            .collect(),
        _ => Vec::new(),
    }
}
