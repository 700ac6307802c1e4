//! A request to an API of any kind, from texts that a person or a program wrote.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::authorized::Authorized;
use super::header::{check_name, check_value, reserved};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Request, Response};
use crate::person_id::without_numbers;
use crate::token::{TokenClient, TokenRequest};

/// One request to an API behind a client's tokens. It asks for JSON unless it has an
/// `Accept` of its own.
#[derive(Debug, Clone)]
pub struct ApiRequest(Request);

impl ApiRequest {
    /// A request without body. `method` is upper case, as in `"POST"`; `url` is https,
    /// or http on the loopback interface.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a method that segl does not send, `URL`.
    pub fn new(method: &str, url: &str) -> Result<Self> {
        let method: Method = method.parse()?;
        Ok(Self(Request::new(method, url.parse()?)))
    }

    /// The same request with one more header. Blanks around the value are dropped.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a name or value that HTTP does not know (RFC 9110 section
    /// 5), line breaks above all, and for the headers that segl sets itself:
    /// `Authorization`, `DPoP`, `Host`, `Content-Length` and those of the connection.
    pub fn header(self, name: &str, value: &str) -> Result<Self> {
        check_name(name)?;
        if name.eq_ignore_ascii_case("Authorization") {
            return Err(reserved(name));
        }
        let value = check_value(name, value)?;
        Ok(Self(match name.eq_ignore_ascii_case("Accept") {
            true => self.0.set_header(name.to_owned(), value),
            false => self.0.header(name.to_owned(), value),
        }))
    }

    /// The same request with this body. Its `Content-Type` is the caller's to set.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a method whose requests have no body (RFC 9110 section
    /// 9.3).
    pub fn body(mut self, body: Vec<u8>) -> Result<Self> {
        let body = Zeroizing::new(body);
        let method = self.0.method;
        if !matches!(method, Method::Post | Method::Put | Method::Patch) && !body.is_empty() {
            return Err(wrong(format_args!(
                "a {method} request has no body; leave it out, or use POST, PUT or PATCH"
            )));
        }
        self.0.body = body;
        Ok(self)
    }

    /// Where the request goes.
    pub fn url(&self) -> &Endpoint {
        &self.0.url
    }

    /// Sends it with `client`'s token for `token_request`, as [`Authorized::send`] does.
    /// Every status is an answer; [`super::require_success`] says what one means.
    ///
    /// # Errors
    /// `API_NOT_ALLOWED` when the client's setting `apis` does not have the URL; nothing
    /// is fetched or sent then. Otherwise as [`Authorized::send`].
    pub fn send(
        &self,
        client: &Arc<TokenClient>,
        token_request: TokenRequest,
        call: &Call,
    ) -> Result<Response> {
        require_allowed(self.url(), client.apis())?;
        Authorized::new(Arc::clone(client), token_request).send(&self.0, call)
    }
}

/// Refuses a URL to which a client's tokens may not be sent: one that none of `apis`
/// ([`TokenClient::apis`]) covers, if there are any.
///
/// # Errors
/// `API_NOT_ALLOWED`.
pub fn require_allowed(url: &Endpoint, apis: &[Endpoint]) -> Result<()> {
    if apis.is_empty() || apis.iter().any(|base| base.covers(url)) {
        return Ok(());
    }
    let bases: Vec<_> = apis.iter().map(Endpoint::as_str).collect();
    Err(Error::new(
        ErrorCode::ApiNotAllowed,
        format!(
            "the client's tokens may not be sent to {}, but to {} and below; correct the URL, or add its base \
             to the setting \"apis\"",
            without_numbers(&url.without_query()),
            bases.join(", ")
        ),
    )
    .with_details(|details| details.config_path = Some("apis".to_owned())))
}

fn wrong(problem: std::fmt::Arguments<'_>) -> Error {
    Error::new(ErrorCode::InvalidArgument, problem.to_string())
}
