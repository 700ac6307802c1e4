//! What the bank answers, made up from its configuration.

use serde_json::{Value, json};

use super::super::dpop::Target;
use super::config::Account;
use super::request::{Refusal, invalid, parameter};

/// One page of a list, with a link to the next.
pub(super) fn list(
    name: &str,
    items: Vec<Value>,
    page_size: usize,
    target: &Target,
) -> Result<Value, Refusal> {
    let page_size = page_size.max(1);
    let page: usize = match parameter(target, "page") {
        None => 1,
        Some(text) => text
            .parse()
            .ok()
            .filter(|page| *page > 0)
            .ok_or_else(|| invalid("page is none".to_owned()))?,
    };
    let begin = page_size.saturating_mul(page - 1).min(items.len());
    let end = begin.saturating_add(page_size).min(items.len());
    let mut links = vec![json!({ "rel": "self", "href": href(target, page) })];
    if end < items.len() {
        links.push(json!({ "rel": "next", "href": href(target, page + 1) }));
    }
    Ok(json!({
        "responseDetails": complete(),
        name: items[begin..end],
        "links": links,
    }))
}

/// An account with its balance.
pub(super) fn details(of: &Account) -> Value {
    let mut details = account(of);
    details["balances"] = json!([{
        "type": "bookedBalance",
        "amount": 1250.50,
        "currency": "NOK",
        "creditDebitIndicator": "credit",
    }]);
    json!({ "responseDetails": complete(), "account": details })
}

pub(super) fn account(account: &Account) -> Value {
    json!({
        "status": "enabled",
        "accountIdentifier": account.reference,
        "accountReference": account.reference,
        "type": "salaryAccount",
        "currency": "NOK",
        "primaryOwner": {
            "permission": "rightToUseAlone",
            "identifier": party(&account.owner),
        },
    })
}

pub(super) fn transactions(account: &Account) -> Vec<Value> {
    let transaction = |number| {
        json!({
            "transactionIdentifier": format!("T{number}"),
            "status": "booked",
            "creditDebitIndicator": "debit",
            "amount": 100 + number,
            "currency": "NOK",
        })
    };
    (1..=account.transactions).map(transaction).collect()
}

pub(super) fn cards(account: &Account) -> Vec<Value> {
    vec![json!({
        "cardIdentifier": "************1234",
        "cardStatus": "active",
        "holder": { "identifier": party(&account.owner) },
    })]
}

pub(super) fn roles(account: &Account) -> Vec<Value> {
    let role =
        |holder: &String| json!({ "permission": "rightToUseAlone", "identifier": party(holder) });
    account.holders.iter().map(role).collect()
}

fn party(number: &str) -> Value {
    let kind = match number.len() {
        9 => "orgNumber",
        _ => "nationalIdentityNumber",
    };
    json!({ "countryOfResidence": "NO", "value": number, "type": kind })
}

fn complete() -> Value {
    json!({ "status": "complete" })
}

/// A relative URL, as it should be.
fn href(target: &Target, page: usize) -> String {
    let query = target.uri.query().unwrap_or_default();
    let kept = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("page="));
    let page = format!("page={page}");
    let query: Vec<_> = kept.chain([page.as_str()]).collect();
    format!("{}?{}", target.uri.path(), query.join("&"))
}
