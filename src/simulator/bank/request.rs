//! What a bank wants of a request, and what it says to one that it does not take (DSOP
//! Control's OpenAPI document, 2.0.0).

use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use time::{Date, Month};
use url::form_urlencoded;
use uuid::Uuid;

use super::super::dpop::Target;
use super::super::reply;

/// A refusal, `ACC-` and its words. Never encrypted.
pub(super) struct Refusal(
    pub(super) StatusCode,
    pub(super) &'static str,
    pub(super) String,
);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        reply::json(status, &json!({ "code": code, "message": message }))
    }
}

/// How the answer may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Jose,
    Plain,
}

/// What is common to all paths. Gives how the answer is written.
pub(super) fn check(target: &Target, may_be_plain: bool) -> Result<Form, Refusal> {
    if target.method != Method::GET {
        let problem = "only GET is allowed".to_owned();
        return Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, "ACC-012", problem));
    }
    let headers = &target.headers;
    for name in ["CorrelationID", "AccountInfoRequestID"] {
        let value = text(headers, name)?;
        if Uuid::parse_str(value).is_err() {
            return Err(invalid(format!("{name} is no UUID")));
        }
    }
    let mandate = text(headers, "Legal-Mandate")?;
    if !mandate.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(invalid("Legal-Mandate is not encoded".to_owned()));
    }
    match (
        headers.get("AdditionalReferenceIDType"),
        headers.get("AdditionalReferenceID"),
    ) {
        (None, None) => {}
        (Some(kind), Some(_)) if kind == "pol1" || kind == "srf" => {}
        _ => {
            return Err(invalid(
                "AdditionalReferenceID and AdditionalReferenceIDType (pol1, srf) belong together"
                    .to_owned(),
            ));
        }
    }
    check_period(target)?;
    form(headers, may_be_plain)
}

/// `PartyID`: nine or 11 digits.
pub(super) fn party(headers: &HeaderMap) -> Result<&str, Refusal> {
    let party = text(headers, "PartyID")?;
    match party.len() {
        9 | 11 if party.bytes().all(|byte| byte.is_ascii_digit()) => Ok(party),
        _ => Err(invalid("PartyID is invalid".to_owned())),
    }
}

/// A parameter of the query, by its name in any case.
pub(super) fn parameter(target: &Target, name: &str) -> Option<String> {
    let query = target.uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.into_owned())
}

/// `ACC-001`.
pub(super) fn invalid(problem: String) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, "ACC-001", problem)
}

fn form(headers: &HeaderMap, may_be_plain: bool) -> Result<Form, Refusal> {
    let accept = headers.get("Accept").and_then(|value| value.to_str().ok());
    let accept = accept.unwrap_or("*/*");
    if may_be_plain && accept.contains("application/json") {
        return Ok(Form::Plain);
    }
    match accept.contains("application/jose") || accept.contains("*/*") {
        true => Ok(Form::Jose),
        false => Err(Refusal(
            StatusCode::NOT_ACCEPTABLE,
            "ACC-013",
            "answers are application/jose".to_owned(),
        )),
    }
}

fn check_period(target: &Target) -> Result<(), Refusal> {
    let day = |name: &str| {
        let Some(text) = parameter(target, name) else {
            return Ok(None);
        };
        match date(&text) {
            Some(date) => Ok(Some(date)),
            None => Err(invalid(format!("{name} is no date"))),
        }
    };
    match (day("fromDate")?, day("toDate")?) {
        (Some(from), Some(to)) if to < from => Err(invalid("toDate is before fromDate".to_owned())),
        _ => Ok(()),
    }
}

fn date(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month: u8 = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Refusal> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .filter(|value| !value.is_empty())
        .ok_or_else(|| invalid(format!("{name} is missing")))
}
