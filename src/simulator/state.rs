//! What the simulator knows while it runs.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State as Extract};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;

use super::altinn::{self, Altinn};
use super::bank::{self, BankConfig};
use super::config::SimulatorConfig;
use super::consents::Consent;
use super::dnb::{self, Dnb};
use super::helseid::{self, Helseid};
use super::in_progress::InProgress;
use super::issued::IssuedTokens;
use super::kfr::{self, Kfr};
use super::krr::{self, KrrConfig};
use super::lanekassen::{self, Lanekassen};
use super::maskinporten::{self, Maskinporten};
use super::outage::Outages;
use super::tls::{Connection, Identity};
use super::urls::Urls;
use super::{api, nav, reply, self_service, skatteetaten};
use crate::clock::{Clock, UnixTime};
use crate::error::Result;
use crate::log::{self, Level};
use crate::person_id::without_numbers;

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
    /// Requests for Altinn's own tokens.
    pub altinn_exchange: u64,
    /// Tokens that Altinn issued.
    pub altinn_issued: u64,
    /// Requests to Altinn, those for tokens included.
    pub altinn: u64,
    /// Requests to DNB's accounts and payments for third parties.
    pub dnb_psd2: u64,
    /// Requests to Digdir's administration API.
    pub self_service: u64,
    /// Those of them that changed keys.
    pub self_service_changes: u64,
    /// Requests to DNB's API.
    pub dnb_api: u64,
    /// Those of them that were answered with 401.
    pub dnb_api_unauthorized: u64,
    /// Requests to the HelseID-like service's token endpoint.
    pub helseid_token: u64,
    /// Access tokens that it issued.
    pub helseid_issued: u64,
    /// Requests for its JWKS.
    pub helseid_jwks: u64,
    /// Requests for its metadata.
    pub helseid_metadata: u64,
    /// Requests to its API.
    pub helseid_api: u64,
    /// Those of them that were answered with 401, for want of a nonce too.
    pub helseid_api_unauthorized: u64,
    /// Requests to KRR.
    pub krr: u64,
    /// Requests to Lånekassen.
    pub lanekassen: u64,
    /// Requests to NAV.
    pub nav: u64,
    /// Requests to Skatteetaten.
    pub skatteetaten: u64,
    /// Requests to KFR.
    pub kfr: u64,
    /// Batches that KFR accepted.
    pub kfr_batches: u64,
    /// The relations in them, those that it had already too.
    pub kfr_relations: u64,
    /// DPoP proofs that were accepted, at token endpoints and APIs.
    pub dpop_accepted: u64,
    /// DPoP proofs that were refused, missing ones included.
    pub dpop_refused: u64,
    /// DPoP proofs that were right but for the nonce: it was missing, or replaced.
    pub dpop_nonce_demanded: u64,
    /// TLS handshakes that succeeded.
    pub tls_connections: u64,
    /// Those of them that resumed a session.
    pub tls_resumed: u64,
    /// Those of them whose client showed a certificate.
    pub tls_with_certificate: u64,
    /// TLS handshakes that failed.
    pub tls_refused: u64,
}

/// Shared by every handler.
pub(super) struct State {
    pub(super) urls: Urls,
    pub(super) altinn: Altinn,
    pub(super) maskinporten: Maskinporten,
    pub(super) dnb: Dnb,
    pub(super) helseid: Helseid,
    pub(super) krr: KrrConfig,
    pub(super) lanekassen: Lanekassen,
    pub(super) consents: Vec<Consent>,
    pub(super) kfr: Kfr,
    pub(super) bank: BankConfig,
    pub(super) bank_turns: bank::Turns,
    /// What the HTTPS listener shows; none without one.
    pub(super) identity: Option<Identity>,
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
        let identity = config.tls.as_ref().map(|tls| Identity::new(tls, &clock));
        let trusted = config.tls.map(|tls| tls.trusted_certificates.0);
        let altinn = Altinn::new(config.altinn)?;
        let consents = Arc::clone(&altinn.consents);
        Ok(Self {
            altinn,
            maskinporten: Maskinporten::new(config.maskinporten, consents, now)?,
            dnb: Dnb::new(config.dnb, trusted.unwrap_or_default(), &urls, now)?,
            helseid: Helseid::new(config.helseid, now)?,
            krr: config.krr,
            lanekassen: Lanekassen::new(config.lanekassen),
            consents: config.consents,
            kfr: Kfr::new(config.kfr),
            bank: config.bank,
            bank_turns: bank::Turns::default(),
            identity: identity.transpose()?,
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

    /// Those of the listener that a request came to.
    pub(super) fn urls(&self, connection: &Connection) -> &Urls {
        match &self.urls.https {
            Some(https) if connection.is_tls() => https,
            _ => &self.urls,
        }
    }

    pub(super) fn requests(&self) -> Requests {
        let mut requests = *self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for dpop in [
            &self.maskinporten.dpop,
            &self.maskinporten.api_dpop,
            &self.helseid.dpop,
            &self.helseid.api_dpop,
        ] {
            let proofs = dpop.counted();
            requests.dpop_accepted += proofs.accepted;
            requests.dpop_refused += proofs.refused;
            requests.dpop_nonce_demanded += proofs.without_nonce;
        }
        requests
    }

    /// Makes the APIs refuse the access tokens that were issued so far; gives their
    /// number.
    pub(super) fn reject_tokens(&self) -> usize {
        let now = self.now();
        self.issued().map(|issued| issued.reject_all(now)).sum()
    }

    /// Makes the APIs refuse one token; false when there is none alive with this
    /// `jti`.
    pub(super) fn reject_token(&self, jti: &str) -> bool {
        let now = self.now();
        self.issued().any(|issued| issued.reject(jti, now))
    }

    fn issued(&self) -> impl Iterator<Item = &IssuedTokens> {
        [
            &self.altinn.issued,
            &self.maskinporten.issued,
            &self.dnb.issued,
            &self.helseid.issued,
        ]
        .into_iter()
    }

    /// Changes the counters.
    pub(super) fn count(&self, change: impl FnOnce(&mut Requests)) {
        change(&mut self.requests.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn count_request(&self, path: &str) {
        self.count(|requests| match path {
            altinn::EXCHANGE_PATH => {
                requests.altinn += 1;
                requests.altinn_exchange += 1;
            }
            maskinporten::TOKEN_PATH => requests.maskinporten_token += 1,
            maskinporten::JWK_PATH => requests.maskinporten_jwk += 1,
            maskinporten::METADATA_PATH => requests.maskinporten_metadata += 1,
            dnb::TOKEN_PATH => requests.dnb_token += 1,
            dnb::JWKS_PATH => requests.dnb_jwks += 1,
            dnb::METADATA_PATH | dnb::OAUTH_METADATA_PATH => requests.dnb_metadata += 1,
            helseid::TOKEN_PATH => requests.helseid_token += 1,
            helseid::JWKS_PATH => requests.helseid_jwks += 1,
            helseid::METADATA_PATH => requests.helseid_metadata += 1,
            path if path.starts_with(altinn::PREFIX) => requests.altinn += 1,
            path if path.starts_with(dnb::PSD2_PREFIX) => requests.dnb_psd2 += 1,
            path if path.starts_with(dnb::API_PREFIX) => requests.dnb_api += 1,
            path if path.starts_with(helseid::API_PREFIX) => requests.helseid_api += 1,
            path if path.starts_with(kfr::BASE_PATH) => requests.kfr += 1,
            path if path.starts_with(api::PREFIX) => requests.api += 1,
            path if path.starts_with(self_service::BASE_PATH) => requests.self_service += 1,
            path if path.starts_with(krr::BASE_PATH) => requests.krr += 1,
            path if path.starts_with(lanekassen::BASE_PATH) => requests.lanekassen += 1,
            path if path.starts_with(nav::BASE_PATH) => requests.nav += 1,
            path if path.starts_with(skatteetaten::BASE_PATH) => requests.skatteetaten += 1,
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
        format_args!("{method} {}: {status}", without_numbers(&path)),
    );
    response
}
