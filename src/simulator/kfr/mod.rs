//! Bits' register of customer relationships (KFR), as its OpenAPI document 1.1.2 and the
//! pages of dokumentasjon.dsop.no have it.
//!
//! What those documents do not say is chosen strictly: identifiers have right control
//! digits, a batch of more than 10 MB is 400 `KFR-004`, an account of no known bank is
//! 400 `ERR-004`.

mod admission;
mod batch;
mod config;
mod form;
mod lookups;
mod refusal;
mod registry;
mod relationship;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;
use uuid::Uuid;

pub(super) use config::KfrConfig;
pub use form::KfrBatch;
pub use refusal::KfrRefusal;

use super::reply;
use super::state::State;
use crate::log::{self, Level};
use registry::Registry;

pub(super) const BASE_PATH: &str = "/kfr/kar-ws/api/v1";

/// "Max file 10 MB" (onboarding, step D-3), taken for the whole request.
const MAX_BATCH: usize = 10_000_000;

/// The register: its settings, and the relations that it has.
#[derive(Debug)]
pub(super) struct Kfr {
    config: KfrConfig,
    registry: Registry,
}

impl Kfr {
    pub(super) fn new(config: KfrConfig) -> Self {
        Self {
            config,
            registry: Registry::default(),
        }
    }
}

pub(super) fn routes() -> Router<Arc<State>> {
    let at = |path: &str| format!("{BASE_PATH}/customers{path}");
    let institution = "/financialInstitutions/{fid}";
    Router::new()
        .route(
            &at(&format!("{institution}/batch")),
            post(batch::accept).layer(DefaultBodyLimit::max(MAX_BATCH)),
        )
        .route(
            &at(&format!("{institution}/relationshipType/{{type}}")),
            post(relationship::add).delete(relationship::remove),
        )
        .route(&at(&format!("{institution}/")), get(lookups::own))
        .route(&at("/customerRelationships"), get(lookups::relationships))
        .route(&at("/accountServicingProvider"), get(lookups::provider))
        .route("/admin/kfr/relations/{fid}", get(relations))
}

/// What the register has of an institution, for tests.
async fn relations(Extract(state): Extract<Arc<State>>, Path(fid): Path<String>) -> Response {
    let (loaded, waiting) = state.kfr.registry.all(&fid, state.now());
    let body = json!({ "loaded": loaded, "waiting": waiting });
    reply::json(StatusCode::OK, &body)
}

/// `CorrelationID`, which is a UUID.
fn correlation_id(headers: &HeaderMap) -> Option<Uuid> {
    let text = headers.get("correlationid")?.to_str().ok()?;
    Uuid::try_parse(text).ok()
}

/// The answer with the `CorrelationID` of its request. Why something is refused is in the
/// log, for the documented body does not say it.
fn answer(headers: &HeaderMap, result: Result<Response, KfrRefusal>, state: &State) -> Response {
    let mut response = result.unwrap_or_else(|refusal| {
        log::emit(
            Level::Info,
            "simulator",
            format_args!("KFR refuses with {}: {}", refusal.code(), refusal.reason()),
        );
        refusal.response(state.now())
    });
    let id = correlation_id(headers)
        .and_then(|id| HeaderValue::from_str(&id.hyphenated().to_string()).ok());
    if let Some(id) = id {
        response.headers_mut().insert("correlationid", id);
    }
    response
}
