//! The bank's error bodies: `tppMessages` (Berlin Group, NextGenPSD2 section 4.13).

use serde::Deserialize;
use serde_json::Value;

use super::super::super::errors::Said;
use crate::error::ErrorCode;

/// Most messages that are repeated.
const MOST: usize = 5;

#[derive(Deserialize)]
struct Message {
    code: Option<String>,
    text: Option<String>,
    path: Option<String>,
}

/// What a body says. `status` is that of its answer.
pub(super) fn read(body: &Value, status: u16) -> Said {
    let messages = body.get("tppMessages").and_then(Value::as_array);
    let messages: Vec<Message> = messages
        .into_iter()
        .flatten()
        .take(MOST)
        .filter_map(|message| Message::deserialize(message).ok())
        .collect();
    let words = messages.iter().map(|message| {
        let path = message.path.as_ref().map(|path| format!("at {path}"));
        let parts = [message.code.clone(), message.text.clone(), path];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    let words = words.collect::<Vec<_>>().join("; ");
    let first = messages.first();
    let code = match status {
        400..=499 => first.and_then(meaning),
        _ => None,
    };
    Said {
        text: (!words.is_empty()).then_some(words),
        provider_code: first.and_then(|message| message.code.clone()),
        remedy: match (code, status) {
            (Some(ErrorCode::ApiConsentRefused), _) => Some("ask the person for a new consent"),
            (None, 401 | 403) => Some(
                "it knows its callers by their client certificate (QWAC); check the setting \"tls\", and what \
                 the certificate was registered for",
            ),
            _ => None,
        },
        code,
    }
}

fn meaning(message: &Message) -> Option<ErrorCode> {
    let is_about_user = |text: &str| text.starts_with("User id can be either");
    if message.text.as_deref().is_some_and(is_about_user) {
        return Some(ErrorCode::ApiInvalidIdentifier);
    }
    Some(match message.code.as_deref()? {
        "FORMAT_ERROR" | "PARAMETER_NOT_CONSISTENT" | "PERIOD_INVALID" | "TIMESTAMP_INVALID" => {
            ErrorCode::ApiInvalidRequest
        }
        "PSU_CREDENTIALS_INVALID" => ErrorCode::ApiInvalidIdentifier,
        "CONSENT_INVALID" | "CONSENT_EXPIRED" | "CONSENT_UNKNOWN" => ErrorCode::ApiConsentRefused,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_have_a_meaning() {
        let said = |code: &str, text: &str, status| {
            let message =
                json!({"category": "ERROR", "code": code, "text": text, "path": "PSU-ID"});
            read(&json!({"tppMessages": [message]}), status)
        };
        // The text that DNB's public callers look for.
        let user = "User id can be either an 11 digit valid Norwegian ssn - or 2 letters followed by 5 digits (business)";
        let said_of = said("FORMAT_ERROR", user, 400);
        assert_eq!(said_of.code, Some(ErrorCode::ApiInvalidIdentifier));
        assert_eq!(said_of.provider_code.as_deref(), Some("FORMAT_ERROR"));
        assert_eq!(
            said_of.text.unwrap(),
            format!("FORMAT_ERROR {user} at PSU-ID")
        );
        assert_eq!(
            said("CONSENT_EXPIRED", "x", 401).code,
            Some(ErrorCode::ApiConsentRefused)
        );
        assert_eq!(said("CONSENT_EXPIRED", "x", 500).code, None);
        assert_eq!(said("ACCESS_EXCEEDED", "x", 429).code, None);
        assert!(read(&json!({"tppMessages": 7}), 400).text.is_none());
    }
}
