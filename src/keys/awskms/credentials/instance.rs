//! Credentials of an EC2 instance, from its metadata service, version 2 ("Use the
//! Instance Metadata Service", EC2 user guide). Version 1 is not asked.

use super::{Credentials, machine, unusable};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Request};
use crate::keys::awskms::retry;
use crate::keys::awskms::variables::{is_true, variable};
use crate::log::{self, Level};

const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// `None` on a machine that is no instance, or has no role.
pub(super) fn credentials(call: &Call) -> Result<Option<Credentials>> {
    if is_true("AWS_EC2_METADATA_DISABLED") {
        return Ok(None);
    }
    let base = base();
    let endpoint = |path: &str| {
        Endpoint::of_machine(&format!("{base}{path}")).map_err(|error| {
            error.in_context(
                "variable AWS_EC2_METADATA_SERVICE_ENDPOINT (loopback, 169.254.169.254 or [fd00:ec2::254])",
            )
        })
    };
    let ask = Request::new(Method::Put, endpoint("/latest/api/token")?)
        .header("X-aws-ec2-metadata-token-ttl-seconds", "21600");
    // No second try: where nothing answers, this is no instance.
    let token = match machine::send(&ask, call) {
        Ok(response) => text(&response.body)?,
        Err(error) if is_absent(&error) && call.check("asking the instance").is_ok() => {
            log::emit(
                Level::Debug,
                "awskms",
                format_args!("no instance metadata: {error}"),
            );
            return Ok(None);
        }
        Err(error) => return Err(error.in_context("instance credentials")),
    };
    let get = |path: &str| -> Result<Request> {
        Ok(Request::new(Method::Get, endpoint(path)?)
            .header("X-aws-ec2-metadata-token", token.clone()))
    };
    let found = retry::run(call, |call| {
        let roles = machine::send(&get(ROLES)?, call)?;
        let role = text(&roles.body)?;
        let role = role.lines().next().unwrap_or_default();
        let request = get(&format!("{ROLES}{role}"))?;
        let response = machine::send(&request, call)?;
        machine::credentials(&request, &response)
    });
    found
        .map(Some)
        .map_err(|error| error.in_context("instance credentials"))
}

fn base() -> String {
    let named = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    let is_ipv6 = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")
        .is_some_and(|mode| mode.eq_ignore_ascii_case("IPv6"));
    match named {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None if is_ipv6 => "http://[fd00:ec2::254]".to_owned(),
        None => "http://169.254.169.254".to_owned(),
    }
}

fn is_absent(error: &Error) -> bool {
    matches!(error.code(), ErrorCode::Network | ErrorCode::Timeout)
}

fn text(body: &[u8]) -> Result<String> {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    if text.is_empty()
        || !text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b'\n')
    {
        return Err(unusable("the instance's metadata is not what EC2 gives"));
    }
    Ok(text.to_owned())
}
