//! What a bank says of a request that it refuses.

use serde_json::Value;

use crate::error::Error;
use crate::http::Response;

/// The bank's own code, `ACC-` and three digits.
pub(super) fn with_bank_code(error: Error, answer: &Response) -> Error {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = body.get("code").and_then(Value::as_str);
    let is_code = |code: &&str| {
        let digits = code.strip_prefix("ACC-");
        digits.is_some_and(|digits| {
            digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    match code.filter(is_code) {
        Some(code) => error.with_details(|details| details.provider_code = Some(code.to_owned())),
        None => error,
    }
}
