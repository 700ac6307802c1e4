//! Altinn's error bodies: problem details (RFC 9457) with a code, and more of them inside
//! (Altinn/altinn-authorization-utils, `AltinnProblemDetails`).

use serde_json::Value;

use super::super::errors::Said;
use crate::error::ErrorCode;

/// Most problems inside that are repeated.
const MOST: usize = 5;

/// What a body says. `status` is that of its answer.
pub(super) fn read(body: &Value, status: u16) -> Said {
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
    let own = text(body, "detail").or_else(|| text(body, "title"));
    let inside: Vec<&Value> = ["validationErrors", "problems"]
        .into_iter()
        .filter_map(|name| body.get(name)?.as_array())
        .flatten()
        .take(MOST)
        .collect();
    let mut words: Vec<String> = own.into_iter().collect();
    for problem in &inside {
        let code = text(problem, "code");
        let detail = text(problem, "detail").or_else(|| text(problem, "title"));
        let paths = problem.get("paths").and_then(Value::as_array);
        let paths: Vec<&str> = paths
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let parts = [code, detail, (!paths.is_empty()).then(|| paths.join(", "))];
        words.push(parts.into_iter().flatten().collect::<Vec<_>>().join(" "));
    }
    // The code of the whole says only that there are several.
    let code = match inside.first() {
        Some(first) => text(first, "code").or_else(|| text(body, "code")),
        None => text(body, "code"),
    };
    Said {
        text: (!words.is_empty()).then(|| words.join("; ")),
        provider_code: code,
        code: (status == 400).then_some(ErrorCode::ApiInvalidRequest),
        remedy: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_problems_inside_are_what_counts() {
        let body = json!({
            "title": "One or more validation errors occurred.",
            "code": "STD-00000",
            "validationErrors": [
                {"code": "AM.VLD-00019", "detail": "It is in the past", "paths": ["/validTo"]},
                7,
            ],
        });
        let said = read(&body, 400);
        assert_eq!(said.provider_code.unwrap(), "AM.VLD-00019");
        assert_eq!(
            said.text.unwrap(),
            "One or more validation errors occurred.; AM.VLD-00019 It is in the past /validTo; "
        );
        assert!(read(&Value::Null, 500).text.is_none());
    }
}
