//! Credentials of a container: ECS, and EKS Pod Identity ("Container credential
//! provider", AWS SDKs and tools reference guide).

use std::path::Path;

use super::{Credentials, machine, unusable};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::file;
use crate::http::{Method, Request};
use crate::keys::awskms::retry;
use crate::keys::awskms::variables::variable;

/// `None` when the environment names none.
pub(super) fn credentials(call: &Call) -> Result<Option<Credentials>> {
    let Some(endpoint) = endpoint()? else {
        return Ok(None);
    };
    let mut request = Request::new(Method::Get, endpoint);
    if let Some(token) = authorization()? {
        request = request.header("Authorization", token);
    }
    retry::run(call, |call| {
        let response = machine::send(&request, call)?;
        machine::credentials(&request, &response)
    })
    .map(Some)
    .map_err(|error| error.in_context("container credentials"))
}

fn endpoint() -> Result<Option<Endpoint>> {
    if let Some(path) = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        if !path.starts_with('/') {
            return Err(unusable(
                "variable AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash",
            ));
        }
        return Endpoint::of_machine(&format!("http://169.254.170.2{path}")).map(Some);
    }
    let Some(url) = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") else {
        return Ok(None);
    };
    let endpoint = Endpoint::of_machine(&url);
    endpoint.map(Some).map_err(|error| {
        error.in_context(
            "variable AWS_CONTAINER_CREDENTIALS_FULL_URI (https, or http to loopback, ECS or EKS)",
        )
    })
}

fn authorization() -> Result<Option<String>> {
    let token = match variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(path) => file::read_text(Path::new(&path), "container authorization token")?
            .trim_end_matches(['\r', '\n'])
            .to_owned(),
        None => match variable("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
            Some(token) => token,
            None => return Ok(None),
        },
    };
    if token.chars().any(char::is_control) {
        return Err(unusable(
            "the container authorization token holds a line break or another control character",
        ));
    }
    Ok(Some(token))
}
