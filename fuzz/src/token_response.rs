//! Answers of token endpoints: a token is one that can be sent, and a refusal is shown as
//! one line without tokens and persons.

use std::sync::Arc;

use segl::http::Response;
use segl::{Error, TokenRequest};
use serde_json::json;

use super::client::{Always, client, once};
use super::private::digits;

/// Of answers that are looked at, and two that are tried again.
const STATUSES: [u16; 8] = [200, 200, 200, 400, 401, 403, 429, 503];

/// The first byte chooses the status and whether the token is to be bound to a key. The
/// first line is the headers `Retry-After`, `Date` and `Content-Type`, parted by `;`; the
/// rest is the body.
pub(crate) fn check(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    let status = STATUSES[usize::from(choice & 7)];
    let settings = match choice & 8 == 0 {
        true => json!({}),
        false => json!({"dpop": {}}),
    };
    let mut parts = rest.splitn(2, |byte| *byte == b'\n');
    let head = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let body = parts.next().unwrap_or_default();
    let names = ["retry-after", "date", "content-type"];
    let headers = names.iter().zip(head.split(';'));
    let headers = headers.map(|(name, value)| ((*name).to_owned(), value.to_owned()));
    let answer = Response::new(status, headers.collect(), body.to_vec());
    let client = client(&settings, Arc::new(Always(answer)));
    match client.token(&TokenRequest::default(), &once()) {
        Ok(token) => {
            assert_eq!(status, 200);
            let text = token.access_token();
            assert!(!text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            let kind = if choice & 8 == 0 { "Bearer " } else { "DPoP " };
            assert!(token.authorization().starts_with(kind));
            assert_eq!(token.response_json().as_bytes(), body);
            let shown = format!("{token:?} {token:#?}");
            assert!(
                text.len() < 12 || !shown.contains(text) || said_so(&token, text),
                "{shown}"
            );
        }
        Err(error) => is_fit_to_show(&error),
    }
}

/// A server may name its token in its scope.
fn said_so(token: &segl::Token, text: &str) -> bool {
    token.scope().is_some_and(|scope| scope.contains(text))
        || "Bearer DPoP Token token_type scope expires_at".contains(text)
}

fn is_fit_to_show(error: &Error) {
    let details = error.details();
    let texts = [
        Some(error.message()),
        details.oauth_error.as_deref(),
        details.oauth_error_description.as_deref(),
        details.error_uri.as_deref(),
        details.trace_id.as_deref(),
    ];
    for text in texts.into_iter().flatten() {
        assert!(!text.chars().any(char::is_control), "{text:?}");
        let is_in_word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        for word in text.split(|c| !is_in_word(c)) {
            assert!(!(word.starts_with("eyJ") && word.len() >= 20), "{text}");
            let is_id = word.len() >= 16 && word.bytes().any(|byte| byte.is_ascii_alphabetic());
            assert!(
                is_id || digits(word, 11).all(|run| run.len() > 11),
                "{text}"
            );
        }
        assert!(text.chars().count() < 3000, "{text}");
    }
    if let Some(wait) = details.retry_after {
        assert!(wait.as_secs() <= 3600);
    }
}
