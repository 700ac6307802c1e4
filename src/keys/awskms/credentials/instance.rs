//! Credentials of an EC2 instance, from its metadata service, version 2 ("Use the
//! Instance Metadata Service", EC2 user guide). Version 1 is not asked.

use zeroize::Zeroizing;

use super::{Credentials, machine, unusable};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Request};
use crate::keys::awskms::retry;
use crate::keys::awskms::variables::{is_true, variable};

const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// The credentials, or why there are none: the machine is no instance, or must not be
/// asked.
pub(super) fn credentials(call: &Call) -> Result<std::result::Result<Credentials, String>> {
    if is_true("AWS_EC2_METADATA_DISABLED") {
        return Ok(Err(
            "not asked, as AWS_EC2_METADATA_DISABLED is set".to_owned()
        ));
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
    // No second try where nothing answers: this is no instance.
    let asked = retry::run(call, |bounds| match machine::send(&ask, bounds) {
        Ok(response) => text(&response.body).map(Ok),
        Err(error) if is_absent(&error) && call.check("asking the instance").is_ok() => {
            Ok(Err(error.message().to_owned()))
        }
        Err(error) => Err(error),
    });
    let token = match asked.map_err(|error| error.in_context("instance credentials"))? {
        Ok(token) => token,
        Err(why) => return Ok(Err(why)),
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
        .map(Ok)
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

fn text(body: &[u8]) -> Result<Zeroizing<String>> {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    if text.is_empty()
        || !text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b'\n')
    {
        return Err(unusable("the instance's metadata is not what EC2 gives"));
    }
    Ok(Zeroizing::new(text.to_owned()))
}
