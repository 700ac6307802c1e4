//! Requests for consent over HTTP (docs.altinn.studio, "Request consent").

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;
use uuid::Uuid;

use super::super::access_token::{AccessToken, Refusal};
use super::super::form::media_type;
use super::super::reply;
use super::super::state::State;
use super::super::tls::Connection;
use super::consents::{ConsentRequest, Known};
use super::problem::Problem;
use crate::clock::UnixTime;
use crate::keys::OrgNumber;
use crate::person_id::PersonId;

const PERSON: &str = "urn:altinn:person:identifier-no:";
const ORGANISATION: &str = "urn:altinn:organization:identifier-no:";

const MEMBERS: [&str; 9] = [
    "id",
    "from",
    "to",
    "validTo",
    "consentRights",
    "redirectUrl",
    "requiredDelegator",
    "requestMessage",
    "portalViewMode",
];

pub(super) fn routes() -> Router<Arc<State>> {
    let base = "/altinn/accessmanagement/api/v1/enterprise/consentrequests";
    Router::new()
        .route(base, post(create))
        .route(&format!("{base}/"), post(create))
        .route(&format!("{base}/{{id}}"), get(read))
}

async fn create(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let token = match admit(&state, &headers, "altinn:consentrequests.write") {
        Ok(token) => token,
        Err(refusal) => return refusal.into_response(),
    };
    if media_type(&headers) != Some("application/json") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let now = state.now();
    let kept = parse(&body, now).and_then(|(id, request)| {
        if request.to.as_str() != token.consumer() {
            return Err(Problem::NotAuthorized);
        }
        let (known, is_new) = state.altinn.consents.put(id, request, now)?;
        Ok((id, known, is_new))
    });
    match kept {
        Ok((id, known, is_new)) => {
            let status = match is_new {
                true => StatusCode::CREATED,
                false => StatusCode::OK,
            };
            let base = &state.urls(&connection).base;
            reply::json(status, &document(id, &known, base))
        }
        Err(problem) => problem.into_response(),
    }
}

async fn read(
    Extract(state): Extract<Arc<State>>,
    connection: Connection,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let token = match admit(&state, &headers, "altinn:consentrequests.read") {
        Ok(token) => token,
        Err(refusal) => return refusal.into_response(),
    };
    let Ok(id) = Uuid::try_parse(&id) else {
        return Problem::Invalid("/id", "is no UUID").into_response();
    };
    match state.altinn.consents.get(id) {
        Some(known) if known.request.to.as_str() == token.consumer() => {
            let base = &state.urls(&connection).base;
            reply::json(StatusCode::OK, &document(id, &known, base))
        }
        Some(_) => Problem::NotAuthorized.into_response(),
        None => Problem::NotFound.into_response(),
    }
}

fn admit(state: &State, headers: &HeaderMap, scope: &str) -> Result<AccessToken, Refusal> {
    let now = state.now();
    let verify = |token: &str| state.maskinporten.verify_token(token, now);
    let token = AccessToken::bearer(headers, verify)?;
    token.require_scope(&[scope])?;
    Ok(token)
}

fn document(id: Uuid, known: &Known, base: &str) -> Value {
    let events: Vec<_> = known
        .events
        .iter()
        .map(|(status, at, event)| {
            json!({
                "consentEventID": event.to_string(),
                "created": at.to_string(),
                "performedBy": format!("{ORGANISATION}{}", known.request.to),
                "eventType": status,
                "consentRequestID": id.to_string(),
            })
        })
        .collect();
    let mut document = known.request.body.clone();
    document["consented"] = json!(known.consented().map(|at| at.to_string()));
    document["status"] = json!(known.status);
    document["consentRequestEvents"] = events.into();
    document["viewUri"] = format!("{base}/altinn/ui/consent/request?id={id}").into();
    document
}

/// The checked request; what the answer repeats is in its `body`.
fn parse(body: &[u8], now: UnixTime) -> Result<(Uuid, ConsentRequest), Problem> {
    let body: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| Problem::Invalid("/", "is no JSON object"))?;
    if body.keys().any(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(Problem::Invalid("/", "has an unknown member"));
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let id = text("id").and_then(|id| Uuid::try_parse(id).ok());
    let id = id.ok_or(Problem::Invalid("/id", "is no UUID"))?;
    let from = text("from").filter(|from| is_party(from));
    let from = from.ok_or(Problem::Invalid("/from", "is no party"))?;
    let to: Option<OrgNumber> = text("to")
        .and_then(|to| to.strip_prefix(ORGANISATION))
        .and_then(|to| to.parse().ok());
    let to = to.ok_or(Problem::Invalid("/to", "is no organisation"))?;
    let valid_to = text("validTo")
        .and_then(|time| OffsetDateTime::parse(time, &Rfc3339).ok())
        .map(|time| UnixTime::from_seconds(time.unix_timestamp()));
    let valid_to = valid_to.ok_or(Problem::Invalid("/validTo", "is no RFC 3339 time"))?;
    if valid_to <= now {
        return Err(Problem::Invalid("/validTo", "is in the past"));
    }
    let rights = body.get("consentRights").and_then(Value::as_array);
    let rights = rights.filter(|rights| !rights.is_empty() && rights.iter().all(is_right));
    let rights = rights.ok_or(Problem::Invalid("/consentRights", "are no rights"))?;
    let redirect = text("redirectUrl").and_then(|url| Url::parse(url).ok());
    if redirect.is_none_or(|url| url.scheme() != "https") {
        return Err(Problem::Invalid("/redirectUrl", "is no https URL"));
    }
    if text("requiredDelegator").is_some_and(|party| !is_party(party)) {
        return Err(Problem::Invalid("/requiredDelegator", "is no party"));
    }
    if !matches!(text("portalViewMode"), None | Some("show" | "hide")) {
        return Err(Problem::Invalid("/portalViewMode", "is show or hide"));
    }
    let request = ConsentRequest {
        from: from.to_owned(),
        to,
        valid_to,
        rights: rights.clone(),
        body: Value::Object(body.clone()),
    };
    Ok((id, request))
}

fn is_party(urn: &str) -> bool {
    let person = urn.strip_prefix(PERSON);
    let organisation = urn.strip_prefix(ORGANISATION);
    person.is_some_and(|person| person.parse::<PersonId>().is_ok())
        || organisation.is_some_and(|orgno| orgno.parse::<OrgNumber>().is_ok())
}

fn is_right(right: &Value) -> bool {
    let actions = right.get("action").and_then(Value::as_array);
    let resource = right.pointer("/resource/0");
    let text = |name: &str| resource?.get(name)?.as_str();
    actions.is_some_and(|actions| !actions.is_empty())
        && text("type") == Some("urn:altinn:resource")
        && text("value").is_some_and(|value| !value.is_empty())
}
