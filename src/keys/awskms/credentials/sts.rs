//! Roles, from the Security Token Service (query protocol, answers in XML).

use std::path::Path;

use roxmltree::{Document, Node};
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::{Credentials, read_time, unusable};
use crate::call::Call;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorCode, Result};
use crate::file;
use crate::http::{Request, Response, Transport, TransportSettings, UreqTransport};
use crate::keys::awskms::client::Service;
use crate::keys::awskms::place::Place;
use crate::keys::awskms::refusal::{CLOCK, is_of_time, readable};
use crate::keys::awskms::retry;
use crate::secret::Secret;

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// A role to take.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) session_name: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) duration_seconds: Option<u32>,
}

/// `AssumeRole`, with the credentials of who may take the role.
pub(super) fn assume(
    place: &Place,
    role: &Role,
    own: &Credentials,
    call: &Call,
) -> Result<Credentials> {
    send("AssumeRole", place, role, None, call, |form| {
        let service = Service {
            name: "sts",
            endpoint: &place.sts,
            region: &place.region,
        };
        let headers = vec![("Content-Type", CONTENT_TYPE.to_owned())];
        service.signed_post(headers, form.into_bytes().into(), own, SystemClock.now())
    })
}

/// `AssumeRoleWithWebIdentity`, with the token that the file holds now.
pub(super) fn assume_with_web_identity(
    place: &Place,
    role: &Role,
    token_file: &Path,
    call: &Call,
) -> Result<Credentials> {
    let token = file::read_text(token_file, "web identity token")?;
    let operation = "AssumeRoleWithWebIdentity";
    send(operation, place, role, Some(token.trim()), call, |form| {
        Ok(Request::post_form(place.sts.clone(), form))
    })
}

fn send(
    operation: &str,
    place: &Place,
    role: &Role,
    token: Option<&str>,
    call: &Call,
    request: impl Fn(String) -> Result<Request>,
) -> Result<Credentials> {
    let what = format!(
        "AWS STS {operation} of {} in {}",
        role.arn.escape_debug(),
        place.region
    );
    let transport = UreqTransport::new(TransportSettings::default());
    let sent = retry::run(call, |call| {
        let request = request(form(operation, role, token))?;
        let response = transport.send(&request, call)?;
        match response.status {
            200 => read(&response),
            _ => Err(refusal(&response)),
        }
    });
    sent.map_err(|error| error.in_context(what))
}

fn form(operation: &str, role: &Role, token: Option<&str>) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("Action", operation)
        .append_pair("Version", "2011-06-15")
        .append_pair("RoleArn", &role.arn)
        .append_pair(
            "RoleSessionName",
            role.session_name.as_deref().unwrap_or("segl"),
        );
    if let Some(id) = &role.external_id {
        form.append_pair("ExternalId", id);
    }
    if let Some(seconds) = role.duration_seconds {
        form.append_pair("DurationSeconds", &seconds.to_string());
    }
    if let Some(token) = token {
        form.append_pair("WebIdentityToken", token);
    }
    form.finish()
}

fn read(response: &Response) -> Result<Credentials> {
    let text = std::str::from_utf8(&response.body).unwrap_or_default();
    let document = Document::parse(text).map_err(|_| bad("is not XML"))?;
    let credentials =
        find(&document, "Credentials").ok_or_else(|| bad("has no \"Credentials\""))?;
    let member = |name: &str| {
        credentials
            .children()
            .find(|node| node.tag_name().name() == name)
            .and_then(|node| node.text())
            .map(|text| Zeroizing::new(text.trim().to_owned()))
            .ok_or_else(|| bad(&format!("has no \"{name}\"")))
    };
    let secret = Secret::from(member("SecretAccessKey")?.as_bytes());
    let token = Secret::from(member("SessionToken")?.as_bytes());
    let credentials = Credentials::new(&member("AccessKeyId")?, secret)?;
    Ok(credentials
        .with_session_token(&token)?
        .expiring_at(read_time(&member("Expiration")?)?))
}

fn refusal(response: &Response) -> Error {
    let text = std::str::from_utf8(&response.body).unwrap_or_default();
    let document = Document::parse(text).ok();
    let member = |name| {
        let document = document.as_ref()?;
        find(document, name)?.text().map(readable)
    };
    let kind = member("Code").unwrap_or_else(|| format!("HTTP status {}", response.status));
    let said = member("Message").unwrap_or_default();
    let is_of_time = kind == "RequestExpired" || is_of_time(&said);
    let advice = match is_of_time {
        true => CLOCK,
        false => "check the role's trust policy and who takes it",
    };
    let message = format!(
        "{kind}: {said} (request id {}); {advice}",
        member("RequestId").unwrap_or_default()
    );
    let (code, retryable) = match kind.as_str() {
        _ if is_of_time => (ErrorCode::KmsClock, false),
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => {
            (ErrorCode::KmsThrottled, true)
        }
        "IDPCommunicationError" => (ErrorCode::KmsUnavailable, true),
        _ if response.status >= 500 => (ErrorCode::KmsUnavailable, true),
        _ => (ErrorCode::KmsCredentials, false),
    };
    Error::new(code, message).with_retryable(retryable)
}

fn find<'a, 'input>(document: &'a Document<'input>, name: &str) -> Option<Node<'a, 'input>> {
    document
        .descendants()
        .find(|node| node.tag_name().name() == name)
}

fn bad(problem: &str) -> Error {
    unusable(format!("the answer {problem}"))
}
