//! What the simulator knows while it runs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State as Extract};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;

use super::config::SimulatorConfig;
use super::dnb::{self, Dnb};
use super::in_progress::InProgress;
use super::maskinporten::{self, Maskinporten};
use super::outage::Outages;
use super::{api, reply, self_service};
use crate::clock::{Clock, UnixTime};
use crate::error::Result;
use crate::log::{self, Level};

/// Where the simulator answers. Every value is an absolute URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Urls {
    /// `http://` and the address, without a slash at the end.
    pub base: String,
    /// `iss` of its tokens and `aud` of grants, with a slash at the end.
    pub maskinporten_issuer: String,
    /// Where grants are posted.
    pub maskinporten_token_endpoint: String,
    /// The keys of its tokens.
    pub maskinporten_jwks_uri: String,
    /// The metadata document (RFC 8414).
    pub maskinporten_metadata: String,
    /// `iss` of its tokens.
    pub dnb_issuer: String,
    /// Where client assertions are posted, and one of the accepted `aud`.
    pub dnb_token_endpoint: String,
    /// The keys of its tokens.
    pub dnb_jwks_uri: String,
    /// The metadata document.
    pub dnb_metadata: String,
    /// An API for Maskinporten's access tokens.
    pub api: String,
    /// What the paths of Digdir's administration API begin with.
    pub self_service: String,
    /// What the paths of the admin endpoints begin with.
    pub admin: String,
}

impl Urls {
    pub(super) fn new(address: SocketAddr) -> Self {
        let base = format!("http://{address}");
        let at = |path: &str| format!("{base}{path}");
        Self {
            maskinporten_issuer: at("/maskinporten/"),
            maskinporten_token_endpoint: at(maskinporten::TOKEN_PATH),
            maskinporten_jwks_uri: at(maskinporten::JWK_PATH),
            maskinporten_metadata: at(maskinporten::METADATA_PATH),
            dnb_issuer: at("/dnb"),
            dnb_token_endpoint: at(dnb::TOKEN_PATH),
            dnb_jwks_uri: at(dnb::JWKS_PATH),
            dnb_metadata: at(dnb::METADATA_PATH),
            api: at(api::ECHO_PATH),
            self_service: at(self_service::BASE_PATH),
            admin: at("/admin"),
            base,
        }
    }
}

/// How many requests came in, outages included, and how many tokens went out.
/// All but `maskinporten_in_progress` only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Requests {
    /// Requests to Maskinporten's token endpoint.
    pub maskinporten_token: u64,
    /// Access tokens that Maskinporten issued.
    pub maskinporten_issued: u64,
    /// Requests for Maskinporten's JWKS.
    pub maskinporten_jwk: u64,
    /// Requests for Maskinporten's metadata.
    pub maskinporten_metadata: u64,
    /// Requests to DNB's token endpoint.
    pub dnb_token: u64,
    /// Access tokens that DNB issued.
    pub dnb_issued: u64,
    /// Requests for DNB's JWKS.
    pub dnb_jwks: u64,
    /// Requests for DNB's metadata.
    pub dnb_metadata: u64,
    /// Requests to Maskinporten's token endpoint with a grant that are not answered
    /// yet.
    pub maskinporten_in_progress: u64,
    /// The most token requests for the same grant that were ever in progress at
    /// once at Maskinporten: same client, scope, resource, consumer, person and
    /// authorisation details. Those that hang count too.
    pub maskinporten_most_at_once_per_grant: u64,
    /// Requests to the API under `/api/`.
    pub api: u64,
    /// Those of them that were answered with 401.
    pub api_unauthorized: u64,
    /// Requests to Digdir's administration API.
    pub self_service: u64,
    /// Those of them that changed keys.
    pub self_service_changes: u64,
}

/// Shared by every handler.
pub(super) struct State {
    pub(super) urls: Urls,
    pub(super) maskinporten: Maskinporten,
    pub(super) dnb: Dnb,
    pub(super) outages: Outages,
    pub(super) in_progress: InProgress,
    clock: Arc<dyn Clock>,
    requests: Mutex<Requests>,
}

impl State {
    pub(super) fn new(config: SimulatorConfig, urls: Urls, clock: Arc<dyn Clock>) -> Result<Self> {
        let now = clock.now();
        let outages = Outages::default();
        outages.set(config.outage.0);
        Ok(Self {
            maskinporten: Maskinporten::new(config.maskinporten, &urls, now)?,
            dnb: Dnb::new(config.dnb, &urls, now)?,
            outages,
            in_progress: InProgress::default(),
            urls,
            clock,
            requests: Mutex::default(),
        })
    }

    pub(super) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(super) fn requests(&self) -> Requests {
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the counters.
    pub(super) fn count(&self, change: impl FnOnce(&mut Requests)) {
        change(&mut self.requests.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn count_request(&self, path: &str) {
        self.count(|requests| match path {
            maskinporten::TOKEN_PATH => requests.maskinporten_token += 1,
            maskinporten::JWK_PATH => requests.maskinporten_jwk += 1,
            maskinporten::METADATA_PATH => requests.maskinporten_metadata += 1,
            dnb::TOKEN_PATH => requests.dnb_token += 1,
            dnb::JWKS_PATH => requests.dnb_jwks += 1,
            dnb::METADATA_PATH => requests.dnb_metadata += 1,
            path if path.starts_with(api::PREFIX) => requests.api += 1,
            path if path.starts_with(self_service::BASE_PATH) => requests.self_service += 1,
            _ => {}
        });
    }
}

/// Counts a request, logs it, and dates its answer by the simulator's clock.
pub(super) async fn observe(
    Extract(state): Extract<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    state.count_request(&path);
    let mut response = next.run(request).await;
    if let Some(date) = reply::http_date(state.now()) {
        response.headers_mut().insert(header::DATE, date);
    }
    let status = response.status().as_u16();
    log::emit(
        Level::Info,
        "simulator",
        format_args!("{method} {path}: {status}"),
    );
    response
}
