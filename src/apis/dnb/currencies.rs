//! Currency rates. DNB's page and the public callers of the API do not agree on it: where
//! it is and how the key is sent are settings, and each form of the answer is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::decimal::Decimal;
use super::super::errors::{bad_response, require_success};
use super::super::header_template::Values;
use super::super::operations::{Context, Describe};
use super::super::service::{Known, Repeat, Service};
use super::CurrencyCode;
use crate::call::Call;
use crate::error::Result;
use crate::http::Method;
use crate::profiles::{ServiceName, TokenRequest};
use crate::token::TokenClient;

/// The header is that of the API's public callers. DNB's page has a query parameter
/// `apiKey`, which would put the key into logs.
const CURRENCIES: Known = Known {
    name: ServiceName::DnbCurrencies,
    prod: Some("https://api.dnb.no"),
    test: None,
    headers: &[("x-api-key", "{api_key}")],
    placeholders: &["api_key"],
};

/// DNB's currency rates, with an API key. It sends no access token, unless the settings
/// have a header with one.
#[derive(Debug, Clone)]
pub struct DnbCurrencies(Service);

/// One rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CurrencyRate {
    /// The currency.
    pub currency: CurrencyCode,
    /// Its rate to the digit (`midRate`).
    #[serde(alias = "midRate")]
    pub rate: Decimal,
    /// When it was set, as the API writes it.
    #[serde(
        alias = "updatedDate",
        skip_serializing_if = "Option::is_none",
        default
    )]
    pub updated: Option<String>,
}

impl DnbCurrencies {
    /// The rates as `client`'s settings have them; the key is at
    /// `services.dnb_currencies.api_key`.
    ///
    /// # Errors
    /// `CONFIG` naming the setting.
    pub fn new(client: Arc<TokenClient>) -> Result<Self> {
        let service = Service::new(&CURRENCIES, client, TokenRequest::default())?;
        Ok(Self(service.without_token()))
    }

    /// The rates, of which there is one for each of more than 50 currencies: against
    /// `currency`, or as the API has them.
    ///
    /// # Errors
    /// `CONFIG` without a key; the API numbers of [`crate::ErrorCode`].
    pub fn rates(&self, currency: Option<&CurrencyCode>, call: &Call) -> Result<Vec<CurrencyRate>> {
        let mut path = vec!["currencies", "v2"];
        path.extend(currency.iter().flat_map(|code| ["convert", code.as_str()]));
        let url = self.0.url(&path, &[])?;
        let request = self.0.request(Method::Get, url, Values::default())?;
        let answer = self.0.send(&request, Repeat::Safe, call)?;
        let what = request.named();
        require_success(&answer, &what)?;
        std::str::from_utf8(&answer.body)
            .ok()
            .and_then(read)
            .ok_or_else(|| bad_response(&answer, &what, "has no currency rates"))
    }
}

/// `[…]`, or the same or an object of rates by currency as `data` or `currencyRates`.
fn read(text: &str) -> Option<Vec<CurrencyRate>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wrapped<'a> {
        #[serde(borrow)]
        data: Option<&'a RawValue>,
        #[serde(borrow)]
        currency_rates: Option<&'a RawValue>,
    }
    let text = text.trim_start();
    if text.starts_with('[') {
        return serde_json::from_str(text).ok();
    }
    let wrapped: Wrapped<'_> = serde_json::from_str(text).ok()?;
    let rates = wrapped.data.or(wrapped.currency_rates)?.get();
    if rates.starts_with('[') {
        return serde_json::from_str(rates).ok();
    }
    let rates: BTreeMap<CurrencyCode, Decimal> = serde_json::from_str(rates).ok()?;
    let rate = |(currency, rate)| CurrencyRate {
        currency,
        rate,
        updated: None,
    };
    Some(rates.into_iter().map(rate).collect())
}

pub(in super::super) struct CurrencyRates;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Wanted {
    /// Rates against this currency; left out, as the API has them.
    currency: Option<CurrencyCode>,
}

#[derive(Serialize)]
pub(in super::super) struct Answer {
    rates: Vec<CurrencyRate>,
}

impl Describe for CurrencyRates {
    const NAME: &'static str = "dnb.currency_rates";
    const SUMMARY: &'static str = "Gets DNB's currency rates.";
    type Input = Wanted;
    type Output = Answer;

    fn run(wanted: Wanted, context: &Context<'_>) -> Result<Answer> {
        let currencies = DnbCurrencies::new(Arc::clone(context.client))?;
        let rates = currencies.rates(wanted.currency.as_ref(), context.call)?;
        Ok(Answer { rates })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_the_answer_is_read_to_the_digit() {
        for text in [
            r#"{"data":[{"currency":"USD","midRate":10.1230,"country":"US"}]}"#,
            r#" [{"currency":"USD","midRate":"10.1230"}]"#,
            r#"{"currencyRates":{"USD":10.1230}}"#,
            r#"{"data":{"USD":10.1230},"other":1}"#,
        ] {
            let rates = read(text).unwrap();
            assert_eq!((rates.len(), rates[0].currency.as_str()), (1, "USD"));
            assert_eq!(rates[0].rate.as_str(), "10.1230", "{text}");
        }
        for text in [
            "",
            "{}",
            "7",
            "{\"data\":7}",
            "[{}]",
            "{\"data\":{\"usd\":1}}",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".{0,60}") {
            read(&text);
            read(&format!("{{\"data\":{text}}}"));
        }
    }
}
