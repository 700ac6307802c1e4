//! Lånekassen's balance of student loans (dokumentasjon.dsop.no, `dsop_saldostudielan_*`).
//! The texts of its refusals are the documented ones; in which JSON they come is not
//! public.

mod config;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use serde_json::json;
use serde_json::value::RawValue;

pub(super) use config::LanekassenConfig;

use super::access_token::AccessToken;
use super::consents::{self, ConsentService};
use super::reply;
use super::state::State;
use crate::clock::UnixTime;
use crate::person_id::PersonId;
use config::{Account, Borrower, Cents};

pub(super) const BASE_PATH: &str = "/lanekassen/saldo/v1";

const SCOPE: &str = "lanekassen:lan/v1/saldoopplysninger";

/// What it knows, and the consents that it has answered to.
pub(super) struct Lanekassen {
    config: LanekassenConfig,
    consented: Mutex<HashMap<(PersonId, String), UnixTime>>,
}

impl Lanekassen {
    pub(super) fn new(config: LanekassenConfig) -> Self {
        Self {
            config,
            consented: Mutex::default(),
        }
    }

    /// Whether it keeps a consent of `person` to `consumer`.
    fn keeps(&self, person: &PersonId, consumer: &str, now: UnixTime) -> bool {
        let consented = self
            .consented
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let valid_to = consented.get(&(person.clone(), consumer.to_owned()));
        valid_to.is_some_and(|valid_to| now < *valid_to)
    }

    fn keep(&self, person: &PersonId, consumer: &str, valid_to: UnixTime) {
        let mut consented = self
            .consented
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        consented.insert((person.clone(), consumer.to_owned()), valid_to);
    }
}

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new().route(&format!("{BASE_PATH}/Accounts"), get(accounts))
}

/// The documented refusals.
enum Refusal {
    Headers,
    Token,
    Consent,
    Person,
}

async fn accounts(Extract(state): Extract<Arc<State>>, headers: HeaderMap) -> Response {
    let (status, text) = match balance(&state, &headers) {
        Ok(balance) => return reply::json(StatusCode::OK, &balance),
        Err(Refusal::Headers) => (StatusCode::BAD_REQUEST, "One or more headers are invalid"),
        Err(Refusal::Token) => (StatusCode::UNAUTHORIZED, "Authorization token is invalid"),
        Err(Refusal::Consent) => (StatusCode::FORBIDDEN, "Consent token is invalid"),
        Err(Refusal::Person) => (StatusCode::NOT_FOUND, "Requested PSU_ID does not exist"),
    };
    reply::json(status, &json!({ "message": text }))
}

fn balance(state: &State, headers: &HeaderMap) -> Result<Box<RawValue>, Refusal> {
    let text = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(value).filter(|value| !value.is_empty())
    };
    let lanekassen = &state.lanekassen;
    let key = text("ApiKey").ok_or(Refusal::Headers)?;
    if lanekassen
        .config
        .api_key
        .as_deref()
        .is_some_and(|own| own != key)
    {
        return Err(Refusal::Headers);
    }
    text("X-Request-Id").ok_or(Refusal::Headers)?;
    let person: PersonId = text("PSU_ID")
        .and_then(|person| person.parse().ok())
        .ok_or(Refusal::Headers)?;
    let token = token(state, text(header::AUTHORIZATION.as_str()))?;
    let now = state.now();
    let header = text("Consent-ID");
    if header.is_some() || !lanekassen.keeps(&person, token.consumer(), now) {
        let service = ConsentService::Lanekassen;
        let consent = consents::check(&state.consents, service, header, &token, now)
            .map_err(|_| Refusal::Consent)?;
        if consent.person != person {
            return Err(Refusal::Consent);
        }
        let borrower = lanekassen
            .config
            .persons
            .get(&person)
            .ok_or(Refusal::Person)?;
        lanekassen.keep(&person, token.consumer(), consent.valid_to);
        return answer(&person, borrower);
    }
    let borrower = lanekassen
        .config
        .persons
        .get(&person)
        .ok_or(Refusal::Person)?;
    answer(&person, borrower)
}

/// The access token, which stands there without "Bearer".
fn token(state: &State, value: Option<&str>) -> Result<AccessToken, Refusal> {
    let token = value
        .and_then(|token| state.maskinporten.verify_token(token, state.now()).ok())
        .ok_or(Refusal::Token)?;
    match token.has_scope(SCOPE) && token.bound_key().is_none() {
        true => Ok(token),
        false => Err(Refusal::Token),
    }
}

/// Amounts are numbers with two decimals, which only text can be.
fn answer(person: &PersonId, borrower: &Borrower) -> Result<Box<RawValue>, Refusal> {
    let account = |account: &Account| {
        format!(
            r#"{{"Balances":[{{"BalanceType":"closingBooked","BalanceAmount":{{"currency":"NOK","amount":{}}},"LastChangeDateTime":{}}}],"Name":"{}","Bban":"{}","Assert":""}}"#,
            account.amount.to_json(),
            json!(account.changed),
            account.name.as_str(),
            person.expose()
        )
    };
    let accounts: Vec<_> = borrower.accounts.iter().map(account).collect();
    let total = borrower
        .accounts
        .iter()
        .map(|account| account.amount.0)
        .sum();
    let json = format!(
        r#"{{"Accounts":[{}],"TotalAmount":{}}}"#,
        accounts.join(","),
        Cents(total).to_json()
    );
    RawValue::from_string(json).map_err(|_| Refusal::Headers)
}
