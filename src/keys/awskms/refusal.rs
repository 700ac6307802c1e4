//! What KMS says when it does not do what it was asked.

use std::time::Duration;

use serde_json::Value;

use crate::error::{Error, ErrorCode};
use crate::http::Response;

/// A refusal, and what may be done about it at once.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: Error,
    pub(super) remedy: Remedy,
}

/// What helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Nothing but another try, if the error says so.
    None,
    /// Reading the credentials again.
    Credentials,
    /// The clock of AWS.
    Clock,
}

impl Refusal {
    /// Reads an answer that is no success. `what` is the operation and the key.
    pub(super) fn read(what: &str, response: &Response) -> Self {
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let member = |names: [&str; 2]| {
            names
                .iter()
                .find_map(|name| body.get(*name)?.as_str().map(str::to_owned))
        };
        let kind = member(["__type", "code"])
            .or_else(|| response.header("x-amzn-errortype").map(str::to_owned))
            .unwrap_or_default();
        let kind = bare(&kind);
        let said = readable(&member(["message", "Message"]).unwrap_or_default());
        let request_id = response.header("x-amzn-requestid").map(readable);
        let (code, retryable, remedy, advice) = classify(&kind, response.status, &said);
        let mut message = match kind.is_empty() {
            true => format!("{what}: KMS answered with HTTP status {}", response.status),
            false => format!("{what}: {kind}"),
        };
        if !said.is_empty() {
            message.push_str(&format!(": {said}"));
        }
        if let Some(id) = &request_id {
            message.push_str(&format!(" (request id {id})"));
        }
        message.push_str(&format!("; {advice}"));
        // Not the HTTP status: it stands for an answer of the token endpoint.
        let error = Error::new(code, message)
            .with_retryable(retryable)
            .with_details(|details| {
                details.trace_id = request_id;
                details.retry_after = response.header("retry-after").and_then(seconds);
                details.provider_code = (!kind.is_empty()).then_some(kind);
            });
        Self { error, remedy }
    }
}

/// `com.amazonaws.kms#NotFoundException:http://…` without what is around it.
fn bare(kind: &str) -> String {
    let kind = kind.rsplit_once('#').map_or(kind, |(_, kind)| kind);
    let kind = kind.split(':').next().unwrap_or_default();
    kind.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(100)
        .collect()
}

/// A server's text as one line of bounded length.
pub(super) fn readable(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().map(visible).take(500).collect()
}

/// `Retry-After` in seconds; AWS sends no dates there.
fn seconds(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(Duration::from_secs)
}

fn classify(kind: &str, status: u16, said: &str) -> (ErrorCode, bool, Remedy, &'static str) {
    use ErrorCode::*;
    match kind {
        "NotFoundException" => (
            KmsNotFound,
            false,
            Remedy::None,
            "check the name, the region and the account; a key in another account needs its ARN",
        ),
        "InvalidArnException" | "InvalidAliasNameException" => (
            KmsNotFound,
            false,
            Remedy::None,
            "check the spelling of the key's name",
        ),
        "AlreadyExistsException" => (
            KeyExists,
            false,
            Remedy::None,
            "choose another name, or remove that one first",
        ),
        "DisabledException" => (
            KmsDisabled,
            false,
            Remedy::None,
            "enable the key in KMS (aws kms enable-key)",
        ),
        "KMSInvalidStateException" => (
            KmsState,
            false,
            Remedy::None,
            "look at the key's state in KMS; a planned deletion can be cancelled (aws kms cancel-key-deletion)",
        ),
        "AccessDeniedException" | "InvalidGrantTokenException" | "OptInRequired" => (
            KmsAccessDenied,
            false,
            Remedy::None,
            "allow it in the key's policy or in the policy of whom the credentials belong to",
        ),
        "ThrottlingException"
        | "Throttling"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "RequestThrottled"
        | "RequestThrottledException" => (
            KmsThrottled,
            true,
            Remedy::None,
            "ask less often, or have the quota raised (Service Quotas)",
        ),
        "KeyUnavailableException"
        | "DependencyTimeoutException"
        | "KMSInternalException"
        | "InternalFailure"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "RequestTimeout"
        | "RequestTimeoutException" => (
            KmsUnavailable,
            true,
            Remedy::None,
            "try again; if it stays so, look at AWS's service health",
        ),
        "ExpiredTokenException" | "ExpiredToken" => (
            KmsCredentials,
            false,
            Remedy::Credentials,
            "the credentials have expired; renew them where they come from",
        ),
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestExpiredException" => {
            (KmsClock, false, Remedy::Clock, CLOCK)
        }
        "InvalidSignatureException" | "SignatureDoesNotMatch" if is_of_time(said) => {
            (KmsClock, false, Remedy::Clock, CLOCK)
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => (
            KmsCredentials,
            false,
            Remedy::Credentials,
            "AWS does not take the credentials; check access key, secret key and session token",
        ),
        "InvalidKeyUsageException" | "UnsupportedOperationException" => (
            KmsKeyUsage,
            false,
            Remedy::None,
            "use an asymmetric key made for SIGN_VERIFY, or ENCRYPT_DECRYPT to decrypt, with an algorithm that it has",
        ),
        _ if status == 429 => (
            KmsThrottled,
            true,
            Remedy::None,
            "ask less often, or have the quota raised (Service Quotas)",
        ),
        _ if status >= 500 => (
            KmsUnavailable,
            true,
            Remedy::None,
            "try again; if it stays so, look at AWS's service health",
        ),
        "" => (
            KmsBadResponse,
            false,
            Remedy::None,
            "is this the endpoint of AWS KMS, or does a proxy answer?",
        ),
        _ => (
            KmsRefused,
            false,
            Remedy::None,
            "look the error up in the KMS API reference",
        ),
    }
}

/// True for the words with which AWS refuses the time of a signature.
pub(super) fn is_of_time(said: &str) -> bool {
    ["Signature expired", "not yet current", "skew"]
        .iter()
        .any(|words| said.contains(words))
}

/// What helps against it.
pub(super) const CLOCK: &str = "set this machine's clock by NTP";
