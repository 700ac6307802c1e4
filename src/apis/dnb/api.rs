//! Any of DNB's APIs behind access tokens. Their paths and bodies are not public, so
//! both are the caller's.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::api_path::ApiPath;
use super::super::errors::require_success;
use super::super::header::{check_name, check_value, reserved};
use super::super::header_template::Values;
use super::super::json_answer::JsonAnswer;
use super::super::json_body::with_json;
use super::super::operations::{Context, Describe};
use super::super::service::{Known, Repeat, Service};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Request, Response};
use crate::profiles::{ServiceName, TokenRequest};
use crate::token::TokenClient;

/// The pre-validation APIs' host is the one that DNB documents (developer.dnb.no,
/// "Account pre-validation"); it documents none for tests.
const DNB: Known = Known {
    name: ServiceName::Dnb,
    prod: Some("https://prevalidation.api.dnb.no"),
    test: None,
    headers: &[],
    placeholders: &[],
};

/// DNB's APIs below one base URL, with the client's tokens and its client certificate.
#[derive(Debug, Clone)]
pub struct DnbApi(Service);

/// One request to them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DnbCall {
    /// `GET`, `POST`, …
    #[serde(deserialize_with = "method")]
    #[schemars(with = "String")]
    pub method: Method,
    /// Below the base URL.
    pub path: ApiPath,
    /// Names and values of the query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Headers beside those that segl sets.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON, which is sent as it is written here.
    #[serde(default)]
    #[schemars(with = "Option<serde_json::Value>")]
    pub body: Option<Box<RawValue>>,
}

impl DnbCall {
    /// A request without query, headers and body.
    pub fn new(method: Method, path: ApiPath) -> Self {
        Self {
            method,
            path,
            query: BTreeMap::new(),
            headers: BTreeMap::new(),
            body: None,
        }
    }
}

impl DnbApi {
    /// DNB as `client`'s settings have it, with tokens for `token_request`.
    ///
    /// # Errors
    /// `CONFIG` naming the setting.
    pub fn new(client: Arc<TokenClient>, token_request: TokenRequest) -> Result<Self> {
        Service::new(&DNB, client, token_request).map(Self)
    }

    /// Sends a request; one that may change something is sent once. Every status is an
    /// answer; [`super::super::require_success`] says what one means.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for headers that are not the caller's to set, and for a body that
    /// the method does not have; otherwise as [`super::super::Authorized::send`].
    pub fn send(&self, wanted: &DnbCall, call: &Call) -> Result<Response> {
        let request = self.request(wanted)?;
        self.0.send(&request, repeat(wanted.method), call)
    }

    fn request(&self, wanted: &DnbCall) -> Result<Request> {
        let query: Vec<_> = wanted
            .query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let url = self.0.url(&wanted.path.segments(None)?, &query)?;
        let mut request = self.0.request(wanted.method, url, Values::default())?;
        for (name, value) in &wanted.headers {
            check_name(name)?;
            if name.eq_ignore_ascii_case("Authorization") {
                return Err(reserved(name));
            }
            let value = check_value(name, value)?;
            request = request.set_header(name.clone(), value);
        }
        let Some(body) = &wanted.body else {
            return Ok(request);
        };
        if !matches!(wanted.method, Method::Post | Method::Put | Method::Patch) {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "a {} request has no body; leave it out, or use POST, PUT or PATCH",
                    wanted.method
                ),
            ));
        }
        with_json(request, body)
    }
}

fn repeat(method: Method) -> Repeat {
    match method {
        Method::Get | Method::Head | Method::Options => Repeat::Safe,
        _ => Repeat::Never,
    }
}

fn method<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Method, D::Error> {
    let name = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
    name.parse().map_err(|_| {
        let names: Vec<_> = Method::ALL.iter().map(|method| method.name()).collect();
        // The input's values are not repeated.
        serde::de::Error::custom(format!("a method is one of {}", names.join(", ")))
    })
}

pub(in super::super) struct CallApi;

#[derive(Serialize)]
pub(in super::super) struct Answer {
    status: u16,
    body: JsonAnswer,
}

impl Describe for CallApi {
    const NAME: &'static str = "dnb.call";
    const SUMMARY: &'static str = "Sends any request to DNB's APIs and gives their JSON.";
    type Input = DnbCall;
    type Output = Answer;

    fn run(wanted: DnbCall, context: &Context<'_>) -> Result<Answer> {
        let dnb = DnbApi::new(Arc::clone(context.client), context.token_request.clone())?;
        let request = dnb.request(&wanted)?;
        let answer = dnb.0.send(&request, repeat(wanted.method), context.call)?;
        let what = request.named();
        require_success(&answer, &what)?;
        Ok(Answer {
            status: answer.status,
            body: JsonAnswer::of(&answer, &what)?,
        })
    }
}
