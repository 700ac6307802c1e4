//! Refusals of the token endpoint (RFC 6749 section 5.2), with the provider's
//! own codes.

use std::time::{Duration, UNIX_EPOCH};

use serde::Deserialize;

use super::response::content_type;
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode};
use crate::http::Response;
use crate::person_id::without_numbers;
use crate::profiles::{KnownRefusal, Profile, ServerRefusal};

#[derive(Default, Deserialize)]
struct Wire {
    error: Option<String>,
    error_description: Option<String>,
    error_uri: Option<String>,
}

/// The error that an answer with a status other than 200 means. `now` counts
/// where the answer has no `Date` of its own.
pub(super) fn from_response(response: &Response, profile: &dyn Profile, now: UnixTime) -> Error {
    let wire: Wire = serde_json::from_slice(&response.body).unwrap_or_default();
    let retry_after = retry_after(response, now);
    let status = response.status;
    let who = format!(
        "{} ({})",
        profile.name(),
        profile.token_endpoint().authority()
    );
    let description = wire.error_description.as_deref().map(clean);
    let provider_code = provider_code(&wire);
    let verdict = judge(status, &wire, provider_code.as_deref(), profile);
    let mut message = match &wire.error {
        Some(error) => format!("{who} refused the token request: {}", clean(error)),
        None => format!(
            "{who} answered HTTP {status} with {}",
            content_type(response)
        ),
    };
    if let Some(provider_code) = &provider_code {
        message.push_str(&format!(", {provider_code}"));
    }
    if let Some(description) = &description {
        message.push_str(&format!(" ({description})"));
    }
    if !verdict.remedy.is_empty() {
        message.push_str(&format!("; {}", verdict.remedy));
    }
    let trace_id = wire.error_description.as_deref().and_then(trace_id);
    Error::new(verdict.code, message).with_details(|details| {
        details.retryable = verdict.retryable;
        details.retry_after = retry_after;
        details.http_status = Some(status);
        details.oauth_error = wire.error.as_deref().map(clean);
        details.oauth_error_description = description;
        details.error_uri = wire.error_uri.as_deref().map(clean);
        details.provider_code = provider_code;
        details.trace_id = trace_id;
    })
}

/// What the answer means: to the service, if it documents it, else to OAuth. A
/// server that fails or asks to slow down has judged nothing.
fn judge(
    status: u16,
    wire: &Wire,
    provider_code: Option<&str>,
    profile: &dyn Profile,
) -> KnownRefusal {
    let code = code(status, wire.error.as_deref());
    let refusal = ServerRefusal {
        error: wire.error.as_deref().unwrap_or_default(),
        description: wire.error_description.as_deref().unwrap_or_default(),
        provider_code,
    };
    let is_passing = matches!(code, ErrorCode::TokenServer | ErrorCode::TokenRateLimited);
    let known = match is_passing || wire.error.is_none() {
        true => None,
        false => profile.classify(&refusal),
    };
    known.copied().unwrap_or(KnownRefusal {
        code,
        remedy: general_remedy(code).unwrap_or_default(),
        retryable: is_passing,
    })
}

fn code(status: u16, error: Option<&str>) -> ErrorCode {
    match (status, error) {
        (429, _) => ErrorCode::TokenRateLimited,
        (500..=599, _) => ErrorCode::TokenServer,
        (_, Some("invalid_request")) => ErrorCode::TokenInvalidRequest,
        (_, Some("invalid_client")) => ErrorCode::TokenInvalidClient,
        (_, Some("invalid_grant")) => ErrorCode::TokenInvalidGrant,
        (_, Some("unauthorized_client")) => ErrorCode::TokenUnauthorizedClient,
        (_, Some("unsupported_grant_type")) => ErrorCode::TokenUnsupportedGrantType,
        (_, Some("invalid_scope")) => ErrorCode::TokenInvalidScope,
        (_, Some("invalid_target")) => ErrorCode::TokenInvalidTarget,
        (_, Some("use_dpop_nonce")) => ErrorCode::TokenDpopNonce,
        (_, Some("invalid_dpop_proof")) => ErrorCode::TokenDpopProofRefused,
        (_, Some("access_denied" | "forbidden")) => ErrorCode::TokenAccessDenied,
        (_, Some("invalid_authorization_details" | "invalid_altinn_customer_configuration")) => {
            ErrorCode::TokenInvalidAuthorizationDetails
        }
        (_, Some("temporarily_unavailable" | "server_error")) => ErrorCode::TokenServer,
        (_, Some(_)) => ErrorCode::TokenOther,
        (_, None) => ErrorCode::TokenBadResponse,
    }
}

fn general_remedy(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::TokenRateLimited => "ask for fewer tokens and use each until it expires",
        ErrorCode::TokenServer => "the fault is the server's; try again later",
        ErrorCode::TokenInvalidClient => {
            "check client_id, that this key is registered under its kid, and that audience is what the server wants"
        }
        ErrorCode::TokenInvalidTarget => {
            "resource must be an absolute URI without fragment, one that the API's owner uses"
        }
        ErrorCode::TokenInvalidScope => "check that each scope is granted to this client",
        ErrorCode::TokenDpopNonce => {
            "if the client has no setting \"dpop\", set it; else the server asks for another nonce each time, \
             or gives none, which only its owner can mend"
        }
        ErrorCode::TokenDpopProofRefused => {
            "check that the server takes the algorithm of the DPoP key, that token_endpoint is the URL that it calls \
             its own, and this machine's clock"
        }
        ErrorCode::TokenBadResponse => "is the token endpoint right, or is a proxy in the way?",
        _ => return None,
    })
}

/// `MP-122` from `error_uri` (`…/errors/MP-122`) or from the description.
fn provider_code(wire: &Wire) -> Option<String> {
    let from_uri = wire
        .error_uri
        .as_deref()
        .and_then(|uri| uri.rsplit('/').next())
        .filter(|code| is_provider_code(code));
    let from_text = || {
        wire.error_description
            .as_deref()?
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .find(|word| is_provider_code(word))
    };
    from_uri.or_else(from_text).map(str::to_owned)
}

fn is_provider_code(text: &str) -> bool {
    text.strip_prefix("MP-")
        .is_some_and(|number| number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()))
}

/// The id in `(trace_id: …)`, or `(correlation id: …)` of older answers.
pub(crate) fn trace_id(description: &str) -> Option<String> {
    ["trace_id: ", "correlation id: "].iter().find_map(|label| {
        let rest = description.split(label).nth(1)?;
        let id = rest.split(')').next()?.trim();
        let is_id = (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (is_id && !is_person(id)).then(|| id.to_owned())
    })
}

/// Eleven digits may identify a person.
fn is_person(text: &str) -> bool {
    text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The longest `Retry-After` that is believed, in seconds.
const MAX_RETRY_AFTER: u64 = 3600;

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date, which is compared
/// with the answer's own `Date` where it has one, as clocks may differ.
pub(crate) fn retry_after(response: &Response, now: UnixTime) -> Option<Duration> {
    let text = response.header("retry-after")?.trim();
    let is_seconds = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = match is_seconds {
        // More digits than a number holds are more than is believed.
        true => text.parse().unwrap_or(u64::MAX),
        false => {
            let sent = response.header("date").and_then(http_date);
            let wait = http_date(text)?.seconds() - sent.unwrap_or(now).seconds();
            u64::try_from(wait).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds.min(MAX_RETRY_AFTER)))
}

/// A time as in `Date` (RFC 9110 section 5.6.7).
pub(super) fn http_date(text: &str) -> Option<UnixTime> {
    let time = httpdate::parse_http_date(text.trim()).ok()?;
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    Some(UnixTime::from_seconds(i64::try_from(since.as_secs()).ok()?))
}

/// A server's text as it may be shown: one line, at most 500 characters, without
/// JWTs, and without runs of 11 digits and more, which may identify a person.
pub(crate) fn clean(text: &str) -> String {
    let redacted = redact(text);
    let line = redacted.chars().take(500);
    line.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn redact(text: &str) -> String {
    let is_in_word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let pieces = text.split_inclusive(|c| !is_in_word(c)).map(|piece| {
        let word = piece.trim_end_matches(|c| !is_in_word(c));
        // The first characters of `{"` in base64url: what was sent, come back.
        if word.starts_with("eyJ") && word.len() >= 20 {
            return format!("[redacted]{}", &piece[word.len()..]);
        }
        match is_hex_id(word) {
            true => piece.to_owned(),
            false => without_numbers(piece),
        }
    });
    pieces.collect()
}

/// A trace id; digits in it are no person's.
fn is_hex_id(word: &str) -> bool {
    let is_hex = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    word.len() >= 16
        && word.bytes().all(is_hex)
        && word.bytes().any(|byte| byte.is_ascii_alphabetic())
}
