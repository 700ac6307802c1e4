//! HTTP as segl needs it: one request, one bounded answer.

mod header_value;
mod method;
pub mod tls;
mod transport;

use std::borrow::Cow;
use std::fmt;

use zeroize::Zeroizing;

pub use header_value::HeaderValue;
pub use method::Method;
pub use tls::{ClientCertificate, SignatureScheme, TlsOptions};
pub(crate) use transport::too_large;
pub use transport::{TransportSettings, UreqTransport};

use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::json;
use crate::person_id::without_numbers;

/// One request.
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Endpoint,
    /// Name and value, in order.
    pub headers: Vec<(Cow<'static, str>, HeaderValue)>,
    /// The body; wiped after use, as it may hold an assertion.
    pub body: Zeroizing<Vec<u8>>,
    /// What messages show in place of the URL.
    shown: Option<String>,
}

impl Request {
    /// A request without body that asks for JSON.
    pub fn new(method: Method, url: Endpoint) -> Self {
        Self {
            method,
            url,
            headers: vec![("Accept".into(), "application/json".into())],
            body: Zeroizing::default(),
            shown: None,
        }
    }

    /// The same request with `url` in messages in place of its own, of which a part may be
    /// a person's.
    #[must_use]
    pub(crate) fn shown_as(mut self, url: impl Into<String>) -> Self {
        self.shown = Some(url.into());
        self
    }

    /// The same request with one more header.
    #[must_use]
    pub fn header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<HeaderValue>,
    ) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same request with this header, in place of those of the same name.
    #[must_use]
    pub(crate) fn set_header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<HeaderValue>,
    ) -> Self {
        let name = name.into();
        self.headers
            .retain(|(own, _)| !own.eq_ignore_ascii_case(&name));
        self.header(name, value)
    }

    /// Whether it has a header of this name.
    pub(crate) fn has_header(&self, name: &str) -> bool {
        let mut names = self.headers.iter().map(|(name, _)| name);
        names.any(|own| own.eq_ignore_ascii_case(name))
    }

    /// The same request with `body` as its JSON.
    #[must_use]
    pub fn json(mut self, body: &serde_json::Value) -> Self {
        // A value has text for names only, which is all that could fail.
        self.body = json::to_wiped_text(body).unwrap_or_default();
        self.header("Content-Type", "application/json")
    }

    /// Method and URL, for messages. What a query asks for may be a person's, and so may a
    /// long number in the path.
    pub(crate) fn named(&self) -> String {
        let url = match &self.shown {
            Some(shown) => without_numbers(shown),
            None => without_numbers(&self.url.without_query()),
        };
        format!("{} {url}", self.method)
    }

    /// A `POST` of `application/x-www-form-urlencoded` that asks for JSON.
    pub fn post_form(url: Endpoint, form: String) -> Self {
        let mut request = Self::new(Method::Post, url)
            .header("Content-Type", "application/x-www-form-urlencoded");
        request.body = Zeroizing::new(form.into_bytes());
        request
    }
}

/// Shows neither header values nor the body.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({})", self.named())
    }
}

/// One answer, whatever its status.
#[derive(Clone)]
#[non_exhaustive]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Header names (lower case) and values, in order.
    pub headers: Vec<(String, HeaderValue)>,
    /// The whole body; wiped after use, as it may hold a token.
    pub body: Zeroizing<Vec<u8>>,
}

impl Response {
    /// An answer with these parts. The headers' names must be lower case; their values are
    /// taken over, and wiped with it.
    pub fn new(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: headers
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect(),
            body: Zeroizing::new(body),
        }
    }

    /// The first header with this name, which must be lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Shows neither header values nor the body.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}

/// Sends requests. Redirects are not followed, and every status is an answer.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends one request and waits for the whole answer within the call's bounds.
    ///
    /// # Errors
    /// 400 numbers of [`crate::ErrorCode`], `TIMEOUT` or `CANCELLED`; what the key of a
    /// client certificate reports.
    fn send(&self, request: &Request, call: &Call) -> Result<Response>;
}
