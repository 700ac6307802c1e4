//! What the APIs of one service have in common: where it is, the headers that it wants,
//! and what is sent again when it fails.

mod known;

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub(super) use known::{Known, wrong};
use known::{base_url, headers_of};

use super::api_request::require_allowed;
use super::authorized::Authorized;
use super::header::{check_name, check_value};
use super::header_template::{ACCESS_TOKEN, HeaderTemplate, Values};
use crate::call::Call;
use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::error::{ErrorCode, Result};
use crate::http::{Method, Request, Response};
use crate::keys::uri::PinSource;
use crate::log::{self, Level};
use crate::profiles::{ServiceName, TokenRequest};
use crate::token::TokenClient;
use crate::token::oauth_error::retry_after;
use crate::token::retry::backoff;

/// How often a request is sent that may be sent again.
const TRIES: u32 = 4;

/// The longest that a call without a deadline waits before it sends a request again.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What is encoded in a path: all but unreserved characters (RFC 3986 section 2.3).
pub(super) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Whether a request may be sent again when nobody knows what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It changes nothing, or the same thing only.
    Safe,
    /// Once more might do it twice.
    Never,
}

/// One service behind the tokens of one client.
#[derive(Debug, Clone)]
pub(super) struct Service {
    client: Arc<TokenClient>,
    api: Authorized,
    /// Whether requests carry a token; else they have the client's transport alone.
    sends_token: bool,
    /// Whether one of the headers has the token.
    has_token_header: bool,
    name: ServiceName,
    base: String,
    headers: Vec<(String, HeaderTemplate)>,
}

impl Service {
    /// The service as `client`'s settings have it, with tokens for `token_request`.
    /// Nothing is sent.
    ///
    /// # Errors
    /// `CONFIG` naming the setting.
    pub(super) fn new(
        known: &Known,
        client: Arc<TokenClient>,
        token_request: TokenRequest,
    ) -> Result<Self> {
        let settings = client.service_settings(known.name);
        let base = base_url(known, settings, client.environment())?;
        let mut headers = Vec::new();
        for (name, template) in headers_of(known, settings) {
            let template = check_name(&name)
                .map_err(|error| error.message().to_owned())
                .and_then(|()| HeaderTemplate::parse(&template, known.placeholders))
                .map_err(|problem| wrong(known.name, &format!("headers.{name}"), &problem))?;
            headers.push((name, template));
        }
        // The token is known when it is sent, so these are made then.
        let (of_token, headers): (Vec<_>, Vec<_>) = headers
            .into_iter()
            .partition(|(_, template)| template.mentions(ACCESS_TOKEN));
        let has_token_header = !of_token.is_empty();
        let is_authorization =
            |(name, _): &&(String, HeaderTemplate)| name.eq_ignore_ascii_case("Authorization");
        if let Some((name, _)) = headers
            .iter()
            .find(is_authorization)
            .filter(|_| of_token.is_empty())
        {
            let problem = "is set, and no header has {access_token}; put that into this header or another one";
            return Err(wrong(known.name, &format!("headers.{name}"), problem));
        }
        let mut api = Authorized::new(Arc::clone(&client), token_request);
        if has_token_header {
            api = api.with_token_headers(of_token);
        }
        Ok(Self {
            client,
            api,
            sends_token: true,
            has_token_header,
            name: known.name,
            base,
            headers,
        })
    }

    /// The same without an access token, for a service that knows its callers by their
    /// client certificate or API key; unless the settings have a header with the token.
    pub(super) fn without_token(mut self) -> Self {
        self.sends_token = self.has_token_header;
        self
    }

    /// The same service at another base URL, for services that have many.
    pub(super) fn at(mut self, base: &Endpoint) -> Self {
        self.base = base.without_query().trim_end_matches('/').to_owned();
        self
    }

    /// The clock that the client goes by.
    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        self.client.clock()
    }

    /// The URL of `segments` below the base, encoded, with `query`.
    ///
    /// # Errors
    /// `URL`.
    pub(super) fn url(&self, segments: &[&str], query: &[(&str, &str)]) -> Result<Endpoint> {
        let mut url = self.base.clone();
        for segment in segments {
            url.push('/');
            url.extend(utf8_percent_encode(segment, ENCODED));
        }
        for (index, (name, value)) in query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.extend(utf8_percent_encode(name, ENCODED));
            url.push('=');
            url.extend(utf8_percent_encode(value, ENCODED));
        }
        url.parse()
    }

    /// A request with the service's headers. `values` stand for their placeholders;
    /// `{api_key}` is read from where the settings say.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a value that no header may have, `CONFIG` when the API key
    /// cannot be read.
    pub(super) fn request(&self, method: Method, url: Endpoint, values: Values) -> Result<Request> {
        let values = self.with_api_key(values)?;
        let mut request = Request::new(method, url);
        for (name, template) in &self.headers {
            if let Some(value) = template.render(&values) {
                request = request.set_header(name.clone(), check_value(name, &value)?);
            }
        }
        Ok(request)
    }

    /// Sends `request` with a token, as [`Authorized::send`] does, or without one, see
    /// [`Service::without_token`]. What may be repeated is
    /// sent again, up to three times within the call's time, after failures that pass:
    /// of the network, 429, 502, 503 and 504, not before `Retry-After`. One that is longer
    /// than the call's time, or than a minute for a call without a deadline, is not waited
    /// for: the answer is given.
    ///
    /// # Errors
    /// `CANCELLED` when the call is cancelled while it waits;
    /// `API_NOT_ALLOWED` when the client's setting `apis` does not have the URL;
    /// otherwise as [`Authorized::send`].
    pub(super) fn send(&self, request: &Request, repeat: Repeat, call: &Call) -> Result<Response> {
        self.send_noting(request, repeat, call)
            .map(|(answer, _)| answer)
    }

    /// As [`Service::send`]; also whether the request had been sent before, and may have been
    /// carried out though its answer was lost.
    pub(super) fn send_noting(
        &self,
        request: &Request,
        repeat: Repeat,
        call: &Call,
    ) -> Result<(Response, bool)> {
        require_allowed(&request.url, self.client.apis())?;
        let (mut failures, mut may_be_done) = (0, false);
        let noted =
            |outcome: Result<Response>, may_be_done| outcome.map(|answer| (answer, may_be_done));
        loop {
            let outcome = match self.sends_token {
                true => self.api.send(request, call),
                false => self.client.transport().send(request, call),
            };
            failures += 1;
            let wait = match &outcome {
                Ok(answer) if matches!(answer.status, 429 | 502..=504) => {
                    retry_after(answer, self.clock().now())
                }
                Err(error) if matches!(error.code(), ErrorCode::Network) && error.retryable() => {
                    None
                }
                _ => return noted(outcome, may_be_done),
            };
            if repeat == Repeat::Never || failures == TRIES {
                return noted(outcome, may_be_done);
            }
            let wait = wait.unwrap_or_else(|| backoff(failures - 1));
            if !has_waited(wait, call)? {
                return noted(outcome, may_be_done);
            }
            may_be_done |= !matches!(&outcome, Ok(answer) if answer.status == 429);
            log::emit(
                Level::Warn,
                "apis",
                format_args!("{} failed and is sent again", request.named()),
            );
        }
    }

    fn with_api_key(&self, values: Values) -> Result<Values> {
        const API_KEY: &str = "api_key";
        let wants = |(_, template): &(String, HeaderTemplate)| template.mentions(API_KEY);
        if values.has(API_KEY) || !self.headers.iter().any(wants) {
            return Ok(values);
        }
        let settings = self.client.service_settings(self.name);
        let Some(place) = settings.and_then(|settings| settings.api_key.as_ref()) else {
            return Err(wrong(
                self.name,
                API_KEY,
                "is not set; give the place of the key that the service's owner gave you, \
                 as file:/ABSOLUTE/PATH or env:NAME",
            ));
        };
        let source = PinSource::parse_place(place.expose())
            .map_err(|error| {
                wrong(
                    self.name,
                    API_KEY,
                    &format!("is wrong: {}", error.message()),
                )
            })?
            // It may be the key itself, so it is not repeated.
            .ok_or_else(|| {
                wrong(
                    self.name,
                    API_KEY,
                    "must be file:/ABSOLUTE/PATH or env:NAME",
                )
            })?;
        let key = source.read_secret("key").map_err(|error| {
            let problem = format!("names {source}: {}", error.message());
            wrong(self.name, API_KEY, &problem)
        })?;
        let key = std::str::from_utf8(key.expose())
            .map_err(|_| wrong(self.name, API_KEY, "names a key that is not text"))?;
        Ok(values.with(API_KEY, key))
    }
}

/// Waits for `wait`; false when the call is over before that.
fn has_waited(wait: Duration, call: &Call) -> Result<bool> {
    let what = "waiting to ask again";
    let waited = match call.remaining(LONGEST_WAIT, what) {
        Ok(left) if left <= wait => return Ok(false),
        Ok(_) => call.pause(wait, what),
        Err(error) => Err(error),
    };
    match waited {
        Err(error) if error.code() == ErrorCode::Cancelled => Err(error),
        waited => Ok(waited.is_ok()),
    }
}
