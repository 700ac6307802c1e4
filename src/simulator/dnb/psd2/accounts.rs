//! Accounts, with a consent.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::super::super::reply;
use super::super::super::state::State;
use super::super::super::tls::Connection;
use super::Account;
use super::messages::Refusal;
use super::request::Admitted;

pub(super) fn routes() -> Router<Arc<State>> {
    let below = |path: &str| format!("/dnb/psd2/v1/{{kind}}{path}");
    Router::new()
        .route(&below(""), get(list))
        .route(&below("/{id}"), get(one))
        .route(&below("/{id}/balances"), get(balances))
        .route(&below("/{id}/transactions"), get(transactions))
}

/// The names of lists and of one in answers.
struct Names {
    is_card: bool,
    all: &'static str,
    one: &'static str,
    transactions: &'static str,
}

fn names(kind: &str) -> Result<Names, Refusal> {
    match kind {
        "accounts" => Ok(Names {
            is_card: false,
            all: "accounts",
            one: "account",
            transactions: "transactions",
        }),
        "card-accounts" => Ok(Names {
            is_card: true,
            all: "cardAccounts",
            one: "cardAccount",
            transactions: "cardTransactions",
        }),
        _ => Err(Refusal::new(
            404,
            "RESOURCE_UNKNOWN",
            "There is no such path",
        )),
    }
}

/// The accounts of the consent that came with a request.
fn own(
    state: &State,
    connection: &Connection,
    headers: &HeaderMap,
    names: &Names,
) -> Result<Vec<Account>, Refusal> {
    let sender = Admitted::read(state, connection, headers)?;
    let id = sender
        .consent_id
        .as_deref()
        .ok_or_else(|| Refusal::format("Consent-ID", "Consent-ID is missing"))?;
    let psd2 = &state.dnb.psd2;
    let mut asked = psd2.asked();
    let consent = asked
        .consents
        .get_mut(id)
        .ok_or_else(|| Refusal::new(403, "CONSENT_UNKNOWN", "There is no such consent"))?;
    consent.take(&sender, state.now())?;
    let is_own = |account: &&Account| {
        account.card == names.is_card
            && account
                .psu_id
                .as_ref()
                .is_none_or(|psu| *psu == consent.psu_id)
    };
    Ok(psd2.accounts.iter().filter(is_own).cloned().collect())
}

fn find(accounts: Vec<Account>, id: &str) -> Result<Account, Refusal> {
    let found = accounts
        .into_iter()
        .find(|account| account.resource_id == id);
    found.ok_or_else(|| Refusal::new(404, "RESOURCE_UNKNOWN", "There is no such account"))
}

fn details(account: &Account) -> Value {
    json!({
        "resourceId": account.resource_id,
        "bban": account.bban,
        "currency": account.currency,
        "name": account.name,
        "status": "enabled",
    })
}

fn answer(body: Result<Value, Refusal>) -> Response {
    match body {
        Ok(body) => reply::json(StatusCode::OK, &body),
        Err(refusal) => refusal.into_response(),
    }
}

async fn list(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    Path(kind): Path<String>,
    headers: HeaderMap,
) -> Response {
    answer(names(&kind).and_then(|names| {
        let accounts = own(&state, &connection, &headers, &names)?;
        let accounts: Vec<_> = accounts.iter().map(details).collect();
        Ok(json!({ names.all: accounts }))
    }))
}

async fn one(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    answer(names(&kind).and_then(|names| {
        let account = find(own(&state, &connection, &headers, &names)?, &id)?;
        Ok(json!({ names.one: details(&account) }))
    }))
}

async fn balances(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    answer(names(&kind).and_then(|names| {
        let account = find(own(&state, &connection, &headers, &names)?, &id)?;
        let amount = json!({"currency": account.currency, "amount": account.balance});
        Ok(json!({
            names.one: {"bban": account.bban},
            "balances": [{"balanceAmount": amount, "balanceType": "expected"}],
        }))
    }))
}

async fn transactions(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    Path((kind, id)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    answer(names(&kind).and_then(|names| {
        let account = find(own(&state, &connection, &headers, &names)?, &id)?;
        let query: Vec<_> = form_urlencoded::parse(uri.query().unwrap_or("").as_bytes()).collect();
        let asked = |wanted: &str| {
            let found = query.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_ref())
        };
        let status = asked("bookingStatus")
            .filter(|status| matches!(*status, "booked" | "pending" | "both"))
            .ok_or_else(|| Refusal::format("bookingStatus", "is booked, pending or both"))?;
        let is_in_time = |day: &str| {
            asked("dateFrom").is_none_or(|from| from <= day)
                && asked("dateTo").is_none_or(|to| day <= to)
        };
        let day = |transaction: &Value| transaction.get("bookingDate")?.as_str().map(str::to_owned);
        let (booked, pending): (Vec<_>, Vec<_>) = account
            .transactions
            .into_iter()
            .partition(|transaction| day(transaction).is_some());
        let booked: Vec<_> = booked
            .into_iter()
            .filter(|transaction| day(transaction).is_some_and(|day| is_in_time(&day)))
            .collect();
        let mut lists = json!({});
        if status != "pending" {
            lists["booked"] = booked.into();
        }
        if status != "booked" {
            lists["pending"] = pending.into();
        }
        Ok(json!({ names.one: {"bban": account.bban}, names.transactions: lists }))
    }))
}
