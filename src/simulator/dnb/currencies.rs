//! Currency rates with an API key. DNB's page and its public callers know different
//! answers; each can be had.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::super::reply;
use super::super::state::State;

pub(in super::super) const CURRENCIES_PATH: &str = "/dnb/currencies";

/// Settings of the rates.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CurrenciesConfig {
    /// The keys that are taken. Empty: any.
    api_keys: Vec<String>,
    /// Rates by currency: texts of numbers, which are written into the answer to the digit.
    #[serde(deserialize_with = "numbers")]
    rates: BTreeMap<String, Box<RawValue>>,
    form: Form,
}

/// What the answer looks like.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Form {
    /// `{"data": […]}`
    Data,
    /// `{"currencyRates": {…}}`
    CurrencyRates,
    /// `[…]`
    List,
}

impl Default for CurrenciesConfig {
    fn default() -> Self {
        Self {
            api_keys: Vec::new(),
            rates: [("EUR", "11.4350"), ("USD", "9.8765")]
                .into_iter()
                .filter_map(|(currency, rate)| Some((currency.to_owned(), number(rate).ok()?)))
                .collect(),
            form: Form::Data,
        }
    }
}

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/dnb/currencies/currencies/v2", get(all))
        .route(
            "/dnb/currencies/currencies/v2/convert/{currency}",
            get(against),
        )
}

async fn all(Extract(state): Extract<Arc<State>>, headers: HeaderMap) -> Response {
    answer(&state.dnb.currencies, &headers)
}

async fn against(
    Extract(state): Extract<Arc<State>>,
    Path(currency): Path<String>,
    headers: HeaderMap,
) -> Response {
    match currency == "NOK" || state.dnb.currencies.rates.contains_key(&currency) {
        true => answer(&state.dnb.currencies, &headers),
        false => message(StatusCode::NOT_FOUND, "Unknown currency"),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rate<'a> {
    currency: &'a str,
    mid_rate: &'a RawValue,
    updated_date: &'static str,
}

fn numbers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Box<RawValue>>, D::Error> {
    BTreeMap::<String, String>::deserialize(deserializer)?
        .into_iter()
        .map(|(currency, rate)| Ok((currency, number(&rate).map_err(D::Error::custom)?)))
        .collect()
}

fn number(text: &str) -> serde_json::Result<Box<RawValue>> {
    serde_json::from_str::<serde_json::Number>(text)?;
    RawValue::from_string(text.to_owned())
}

fn answer(config: &CurrenciesConfig, headers: &HeaderMap) -> Response {
    let key = headers.get("x-api-key").and_then(|key| key.to_str().ok());
    let is_known =
        |key: &str| config.api_keys.is_empty() || config.api_keys.iter().any(|own| own == key);
    if !key.is_some_and(is_known) || headers.contains_key(header::AUTHORIZATION) {
        return message(StatusCode::FORBIDDEN, "Forbidden");
    }
    let list: Vec<_> = config
        .rates
        .iter()
        .map(|(currency, rate)| Rate {
            currency,
            mid_rate: rate,
            updated_date: "2026-11-20",
        })
        .collect();
    let ok = StatusCode::OK;
    match config.form {
        Form::Data => reply::json(ok, &BTreeMap::from([("data", list)])),
        Form::CurrencyRates => reply::json(ok, &BTreeMap::from([("currencyRates", &config.rates)])),
        Form::List => reply::json(ok, &list),
    }
}

fn message(status: StatusCode, text: &str) -> Response {
    reply::json(status, &json!({ "message": text })).into_response()
}
