//! Consents to read accounts.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::format_description::well_known::Iso8601;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::super::super::reply;
use super::super::super::state::State;
use super::super::super::tls::Connection;
use super::messages::Refusal;
use super::request::{Admitted, require_json};
use crate::clock::UnixTime;

/// A consent that a third party asked for.
pub(super) struct Consent {
    tpp: String,
    pub(super) psu_id: String,
    status: &'static str,
    wanted: Wanted,
    valid_until: Date,
    /// The day of the last requests without a person, and how many they were.
    used: (Option<Date>, u8),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wanted {
    access: Access,
    recurring_indicator: bool,
    valid_until: String,
    frequency_per_day: u8,
    combined_service_indicator: bool,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Access {
    #[serde(default)]
    accounts: Vec<Value>,
    #[serde(default)]
    balances: Vec<Value>,
    #[serde(default)]
    transactions: Vec<Value>,
}

impl Consent {
    pub(super) fn approve(&mut self) -> Result<(), &'static str> {
        match self.status {
            "received" => {
                self.status = "valid";
                Ok(())
            }
            _ => Err("the consent waits for nobody"),
        }
    }

    /// Counts one use by `sender`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn take(&mut self, sender: &Admitted, now: UnixTime) -> Result<(), Refusal> {
        if self.tpp != sender.tpp {
            return Err(Refusal::new(
                403,
                "CONSENT_UNKNOWN",
                "The consent is another party's",
            ));
        }
        let today = today(now);
        if self.status == "valid" && self.valid_until < today {
            self.status = "expired";
        }
        match self.status {
            "valid" => {}
            "expired" => {
                return Err(Refusal::new(
                    401,
                    "CONSENT_EXPIRED",
                    "The consent has expired",
                ));
            }
            _ => {
                return Err(Refusal::new(
                    401,
                    "CONSENT_INVALID",
                    "The consent is not valid",
                ));
            }
        }
        if sender.has_psu {
            return Ok(());
        }
        if self.used.0 != Some(today) {
            self.used = (Some(today), 0);
        }
        if self.used.1 >= self.wanted.frequency_per_day {
            return Err(Refusal::new(
                429,
                "ACCESS_EXCEEDED",
                "frequencyPerDay is used up",
            ));
        }
        self.used.1 += 1;
        Ok(())
    }
}

pub(super) fn routes() -> Router<Arc<State>> {
    let mut router = Router::new();
    for version in ["v1", "v2"] {
        let base = format!("/dnb/psd2/{version}/consents");
        router = router
            .route(&base, post(create))
            .route(&format!("{base}/{{id}}"), get(read).delete(end))
            .route(&format!("{base}/{{id}}/status"), get(status));
    }
    router
}

async fn create(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let base = &state.urls(&connection).dnb_psd2;
    let created = Admitted::read(&state, &connection, &headers).and_then(|sender| {
        require_json(&headers)?;
        sender.require_approver()?;
        let consent = parse(&body, sender, state.now())?;
        let id = Uuid::new_v4().to_string();
        state.dnb.psd2.asked().consents.insert(id.clone(), consent);
        Ok(json!({
            "consentStatus": "received",
            "consentId": id,
            "_links": {
                "scaRedirect": {"href": format!("{base}/sca/{id}")},
                "self": {"href": format!("{base}/v1/consents/{id}")},
                "status": {"href": format!("{base}/v1/consents/{id}/status")},
            },
        }))
    });
    match created {
        Ok(body) => reply::json(StatusCode::CREATED, &body),
        Err(refusal) => refusal.into_response(),
    }
}

fn parse(body: &[u8], sender: Admitted, now: UnixTime) -> Result<Consent, Refusal> {
    let wanted: Wanted = serde_json::from_slice(body)
        .map_err(|_| Refusal::format("body", "The body is no request for consent"))?;
    let valid_until = Date::parse(&wanted.valid_until, &Iso8601::DATE)
        .map_err(|_| Refusal::format("validUntil", "is no day"))?;
    if valid_until < today(now) {
        return Err(Refusal::new(
            400,
            "PERIOD_INVALID",
            "validUntil is in the past",
        ));
    }
    if wanted.combined_service_indicator {
        return Err(Refusal::new(
            400,
            "SESSIONS_NOT_SUPPORTED",
            "combinedServiceIndicator",
        ));
    }
    let most = if wanted.recurring_indicator { 4 } else { 1 };
    if !(1..=most).contains(&wanted.frequency_per_day) {
        return Err(Refusal::format("frequencyPerDay", "is out of range"));
    }
    Ok(Consent {
        tpp: sender.tpp,
        psu_id: sender.psu_id.unwrap_or_default(),
        status: "received",
        wanted,
        valid_until,
        used: (None, 0),
    })
}

async fn read(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    with_own(&state, &connection, &id, &headers, |consent| {
        let mut body = json!(consent.wanted);
        body["consentStatus"] = consent.status.into();
        reply::json(StatusCode::OK, &body)
    })
}

async fn status(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    with_own(&state, &connection, &id, &headers, |consent| {
        reply::json(StatusCode::OK, &json!({ "consentStatus": consent.status }))
    })
}

async fn end(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    with_own(&state, &connection, &id, &headers, |consent| {
        consent.status = "terminatedByTpp";
        StatusCode::NO_CONTENT.into_response()
    })
}

/// What `work` makes of a consent of the sender's own.
fn with_own(
    state: &State,
    connection: &Connection,
    id: &str,
    headers: &HeaderMap,
    work: impl FnOnce(&mut Consent) -> Response,
) -> Response {
    let sender = match Admitted::read(state, connection, headers) {
        Ok(sender) => sender,
        Err(refusal) => return refusal.into_response(),
    };
    let mut asked = state.dnb.psd2.asked();
    match asked.consents.get_mut(id) {
        Some(consent) if consent.tpp == sender.tpp => work(consent),
        _ => Refusal::new(403, "CONSENT_UNKNOWN", "There is no such consent").into_response(),
    }
}

fn today(now: UnixTime) -> Date {
    OffsetDateTime::from_unix_timestamp(now.seconds())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .date()
}
