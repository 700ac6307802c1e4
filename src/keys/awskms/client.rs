//! One operation of KMS (JSON 1.1 over HTTPS, service `kms`, target `TrentService`).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::Value;
use zeroize::Zeroizing;

use super::credentials::{CachedCredentials, Credentials, CredentialsProvider, DefaultCredentials};
use super::place::Place;
use super::refusal::{Refusal, Remedy};
use super::retry::Tries;
use super::sigv4::{self, Scope, Signable};
use crate::call::Call;
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Request, Response, Transport, TransportSettings, UreqTransport};
use crate::keys::uri::AwsKmsUri;

/// AWS takes requests up to five minutes off; what is nearer is not the clock.
const TOLERATED_SKEW: i64 = 240;

/// KMS in one region.
#[derive(Debug)]
pub(super) struct KmsClient {
    place: Place,
    transport: UreqTransport,
    credentials: CachedCredentials,
    /// Seconds that AWS's clock is ahead of this machine's, once it has said so.
    skew: AtomicI64,
}

/// What may be done after a request whose outcome is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It may be sent again: it changes nothing.
    Freely,
    /// It is not: the caller has no time to lose.
    Never,
    /// It makes something, and is sent again only when KMS says that it did not.
    WhenRefused,
}

impl KmsClient {
    /// For the key's region, with the credentials of `provider`, or those that AWS's
    /// own tools would find. Nothing is asked yet.
    pub(super) fn new(
        uri: &AwsKmsUri,
        provider: Option<Arc<dyn CredentialsProvider>>,
    ) -> Result<Self> {
        let place = Place::of(uri)?;
        let provider = match provider {
            Some(provider) => provider,
            None => Arc::new(DefaultCredentials::new(uri, &place)),
        };
        Ok(Self {
            place,
            transport: UreqTransport::new(TransportSettings::default()),
            credentials: CachedCredentials::new(provider),
            skew: AtomicI64::new(0),
        })
    }

    /// The region.
    pub(super) fn region(&self) -> &str {
        &self.place.region
    }

    /// Sends `operation` with `parameters` and returns the answer's members. `subject`
    /// is the key, for errors.
    ///
    /// # Errors
    /// 300 numbers of [`ErrorCode`], and those of the network.
    pub(super) fn send(
        &self,
        operation: &str,
        parameters: &Value,
        subject: &str,
        repeat: Repeat,
        call: &Call,
    ) -> Result<Value> {
        let make = || Ok(parameters.clone());
        self.send_made(operation, make, subject, repeat, call)
    }

    /// As [`KmsClient::send`], with parameters that are made anew for each try, once
    /// there are credentials.
    ///
    /// # Errors
    /// Those of `make`, as they are; otherwise as [`KmsClient::send`].
    pub(super) fn send_made(
        &self,
        operation: &str,
        mut make: impl FnMut() -> Result<Value>,
        subject: &str,
        repeat: Repeat,
        call: &Call,
    ) -> Result<Value> {
        let what = format!("AWS KMS {operation} of {subject} in {}", self.place.region);
        let mut tries = match repeat {
            Repeat::Never => Tries::one(),
            _ => Tries::default(),
        };
        let (mut reread, mut corrected) = (false, false);
        loop {
            let credentials = self
                .credentials
                .get(call)
                .map_err(|e| e.in_context(&what))?;
            let parameters = make()?;
            let sent = self.exchange(operation, &parameters, &credentials, &tries.bounds(call));
            let (response, time) = match sent {
                Ok(answered) => answered,
                Err(error) if error.code() == ErrorCode::ResponseTooLarge => {
                    return Err(bad_response(&what, "is larger than any of KMS").with_source(error));
                }
                Err(error) if repeat != Repeat::WhenRefused => {
                    tries.wait(error.in_context(&what), call)?;
                    continue;
                }
                Err(error) => return Err(error.in_context(&what)),
            };
            if response.status == 200 {
                return serde_json::from_slice(&response.body)
                    .ok()
                    .filter(Value::is_object)
                    .ok_or_else(|| bad_response(&what, "is not a JSON object"));
            }
            let Refusal { error, remedy } = Refusal::read(&what, &response);
            match remedy {
                Remedy::Clock if !corrected => {
                    corrected = true;
                    if !self.learn_clock(&response, time) {
                        return Err(error);
                    }
                }
                Remedy::Credentials if !reread => {
                    reread = true;
                    self.credentials.reject(&credentials);
                }
                _ if repeat == Repeat::WhenRefused && error.code() == ErrorCode::KmsUnavailable => {
                    return Err(error);
                }
                _ => tries.wait(error, call)?,
            }
        }
    }

    fn exchange(
        &self,
        operation: &str,
        parameters: &Value,
        credentials: &Credentials,
        call: &Call,
    ) -> Result<(Response, UnixTime)> {
        let time = SystemClock.now().plus(self.skew.load(Ordering::Relaxed));
        let headers = vec![
            ("Content-Type", "application/x-amz-json-1.1".to_owned()),
            ("X-Amz-Target", format!("TrentService.{operation}")),
        ];
        let body = Zeroizing::new(parameters.to_string().into_bytes());
        let service = Service {
            name: "kms",
            endpoint: &self.place.kms,
            region: &self.place.region,
        };
        let request = service.signed_post(headers, body, credentials, time)?;
        Ok((self.transport.send(&request, call)?, time))
    }

    /// Takes over the clock of AWS; false when it says the same as the one used.
    fn learn_clock(&self, response: &Response, used: UnixTime) -> bool {
        let date = response.header("date").and_then(|date| {
            let date = httpdate::parse_http_date(date).ok()?;
            let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
            i64::try_from(since.as_secs()).ok()
        });
        let Some(date) = date else {
            return false;
        };
        if (date - used.seconds()).abs() < TOLERATED_SKEW {
            return false;
        }
        self.skew
            .store(date - SystemClock.now().seconds(), Ordering::Relaxed);
        true
    }
}

/// An AWS service in one region.
pub(super) struct Service<'a> {
    pub(super) name: &'a str,
    pub(super) endpoint: &'a Endpoint,
    pub(super) region: &'a str,
}

impl Service<'_> {
    /// A `POST` of `body`, signed.
    pub(super) fn signed_post(
        &self,
        mut headers: Vec<(&'static str, String)>,
        body: Zeroizing<Vec<u8>>,
        credentials: &Credentials,
        time: UnixTime,
    ) -> Result<Request> {
        headers.push(("X-Amz-Date", sigv4::date_time(time)?));
        if let Some(token) = credentials.session_token() {
            headers.push(("X-Amz-Security-Token", token.to_owned()));
        }
        let mut signed: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        signed.push(("Host", self.endpoint.authority()));
        let signable = Signable {
            method: "POST",
            path: self.endpoint.path(),
            query: self.endpoint.query(),
            headers: &signed,
            body: &body,
        };
        let scope = Scope {
            region: self.region,
            service: self.name,
            time,
            normalize_path: true,
        };
        let authorization = sigv4::authorization(
            &signable,
            &scope,
            credentials.access_key_id(),
            credentials.secret_access_key(),
        )?;
        let mut request = Request::new(Method::Post, self.endpoint.clone());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request = request.header("Authorization", authorization);
        request.body = body;
        Ok(request)
    }
}

/// An answer that does not say what it must.
pub(super) fn bad_response(what: &str, problem: &str) -> Error {
    Error::new(
        ErrorCode::KmsBadResponse,
        format!(
            "{what}: the answer {problem}; is this the endpoint of AWS KMS, or does a proxy answer?"
        ),
    )
}

/// A member of an answer that must be a text.
pub(super) fn text<'a>(answer: &'a Value, member: &str, what: &str) -> Result<&'a str> {
    answer
        .get(member)
        .and_then(Value::as_str)
        .ok_or_else(|| bad_response(what, &format!("has no \"{member}\"")))
}
