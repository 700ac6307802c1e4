//! Requests to the addresses at which a machine or a container finds its own
//! credentials.

use std::time::Duration;

use super::{Credentials, unusable};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Request, Response, Transport, TransportSettings, UreqTransport};

/// Most machines have nothing there, and find out only by waiting.
const CONNECT_TIME: Duration = Duration::from_secs(1);
const TIME: Duration = Duration::from_secs(5);

/// Sends `request`. A status other than 200 is an error.
pub(super) fn send(request: &Request, call: &Call) -> Result<Response> {
    let transport = UreqTransport::new(TransportSettings {
        connect_timeout: CONNECT_TIME,
        timeout: TIME,
        ..TransportSettings::default()
    });
    let response = transport.send(request, call)?;
    match response.status {
        200 => Ok(response),
        status => Err(refused(request, status)),
    }
}

/// The credentials in an answer.
pub(super) fn credentials(request: &Request, response: &Response) -> Result<Credentials> {
    let what = format!("{} {}", request.method, request.url);
    Credentials::from_json(&response.body).map_err(|error| error.in_context(what))
}

fn refused(request: &Request, status: u16) -> Error {
    let message = format!(
        "{} {} was answered with HTTP status {status}",
        request.method, request.url
    );
    match status {
        429 | 500.. => Error::new(ErrorCode::KmsUnavailable, message).with_retryable(true),
        _ => unusable(message),
    }
}
