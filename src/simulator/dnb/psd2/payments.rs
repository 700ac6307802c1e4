//! Payments.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::super::reply;
use super::super::super::state::State;
use super::super::super::tls::Connection;
use super::messages::Refusal;
use super::request::{Admitted, require_json};

/// The product of DNB's samples.
const PRODUCT: &str = "norwegian-domestic-credit-transfers";

/// A payment that a third party initiated.
pub(super) struct Payment {
    tpp: String,
    status: &'static str,
    body: Map<String, Value>,
}

impl Payment {
    pub(super) fn approve(&mut self) -> Result<(), &'static str> {
        match self.status {
            "RCVD" => {
                self.status = "ACSC";
                Ok(())
            }
            _ => Err("the payment waits for nobody"),
        }
    }
}

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/dnb/psd2/v1/payments/{product}", post(create))
        .route("/dnb/psd2/v1/payments/{product}/{id}", get(read))
}

async fn create(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    Path(product): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let base = &state.urls(&connection).dnb_psd2;
    let created = Admitted::read(&state, &connection, &headers).and_then(|sender| {
        require_product(&product)?;
        require_json(&headers)?;
        sender.require_approver()?;
        let payment = Payment {
            tpp: sender.tpp,
            status: "RCVD",
            body: parse(&body)?,
        };
        let id = Uuid::new_v4().to_string();
        state.dnb.psd2.asked().payments.insert(id.clone(), payment);
        Ok(json!({
            "transactionStatus": "RCVD",
            "paymentId": id,
            "_links": {
                "scaRedirect": {"href": format!("{base}/sca/{id}")},
                "self": {"href": format!("{base}/v1/payments/{PRODUCT}/{id}")},
            },
        }))
    });
    match created {
        Ok(body) => reply::json(StatusCode::CREATED, &body),
        Err(refusal) => refusal.into_response(),
    }
}

async fn read(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    Path((product, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let found = Admitted::read(&state, &connection, &headers).and_then(|sender| {
        require_product(&product)?;
        let asked = state.dnb.psd2.asked();
        let payment = asked.payments.get(&id);
        let payment = payment.filter(|payment| payment.tpp == sender.tpp);
        let payment = payment
            .ok_or_else(|| Refusal::new(404, "RESOURCE_UNKNOWN", "There is no such payment"))?;
        let mut body = payment.body.clone();
        body.insert("transactionStatus".to_owned(), payment.status.into());
        Ok(Value::Object(body))
    });
    match found {
        Ok(body) => reply::json(StatusCode::OK, &body),
        Err(refusal) => refusal.into_response(),
    }
}

fn require_product(product: &str) -> Result<(), Refusal> {
    match product == PRODUCT {
        true => Ok(()),
        false => Err(Refusal::new(
            404,
            "PRODUCT_UNKNOWN",
            "There is no such payment product",
        )),
    }
}

fn parse(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let body: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|_| Refusal::format("body", "The body is no payment"))?;
    let amount = body
        .get("instructedAmount")
        .filter(|amount| amount.get("currency").is_some_and(Value::is_string))
        .and_then(|amount| amount.get("amount")?.as_str());
    if !amount.is_some_and(is_amount) {
        return Err(Refusal::format("instructedAmount", "is no amount"));
    }
    for account in ["debtorAccount", "creditorAccount"] {
        let account = body.get(account);
        let has = |name: &str| {
            account
                .and_then(|account| account.get(name))
                .is_some_and(Value::is_string)
        };
        if has("iban") == has("bban") {
            return Err(Refusal::format(
                "creditorAccount",
                "An account has an iban or a bban",
            ));
        }
    }
    match body.get("creditorName").and_then(Value::as_str) {
        Some(name) if !name.is_empty() => Ok(body),
        _ => Err(Refusal::format("creditorName", "is missing")),
    }
}

/// Digits, maybe with a point and more of them; more than zero.
fn is_amount(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text.parse::<f64>().is_ok_and(|amount| amount > 0.0)
}
