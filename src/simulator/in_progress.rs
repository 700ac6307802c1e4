//! How many token requests for one grant are in progress at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::to_bytes;
use axum::extract::{Request, State as Extract};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::assertion::Jws;
use super::form::Form;
use super::maskinporten;
use super::server::MAX_BODY;
use super::state::State;

/// The claims that make a grant: all but those that are new in each assertion.
const CLAIMS: [&str; 7] = [
    "iss",
    "scope",
    "resource",
    "consumer_org",
    "iss_onbehalfof",
    "pid",
    "authorization_details",
];

/// The grants in progress, with the number of requests for each.
#[derive(Default)]
pub(super) struct InProgress(Mutex<BTreeMap<String, u64>>);

impl InProgress {
    fn change<T>(&self, work: impl FnOnce(&mut BTreeMap<String, u64>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Counts a grant from its arrival until its answer is made or its sender has
/// gone away.
pub(super) async fn observe(
    Extract(state): Extract<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    if request.uri().path() != maskinporten::TOKEN_PATH {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let grant = Form::parse(&head.headers, &body)
        .ok()
        .and_then(|form| grant(form.get("assertion")?));
    let _turn = grant.map(|grant| Turn::begin(&state, grant));
    next.run(Request::from_parts(head, body.into())).await
}

/// What the assertion asks for, as text that is the same for the same grant.
fn grant(assertion: &str) -> Option<String> {
    let mut claims = Jws::parse(assertion).ok()?.claims;
    if let Some(Value::String(scope)) = claims.get_mut("scope") {
        let mut scopes: Vec<_> = scope.split_ascii_whitespace().collect();
        scopes.sort_unstable();
        *scope = scopes.join(" ");
    }
    let mut members: Map<_, _> = CLAIMS
        .iter()
        .filter_map(|name| claims.remove_entry(*name))
        .collect();
    members.sort_keys();
    Some(Value::Object(members).to_string())
}

/// One request in progress; over when dropped, also when its sender went away.
struct Turn<'a> {
    state: &'a State,
    grant: String,
}

impl<'a> Turn<'a> {
    fn begin(state: &'a State, grant: String) -> Self {
        let now = state.in_progress.change(|grants| {
            let now = grants.entry(grant.clone()).or_default();
            *now += 1;
            *now
        });
        state.count(|requests| {
            requests.maskinporten_in_progress += 1;
            let most = &mut requests.maskinporten_most_at_once_per_grant;
            *most = now.max(*most);
        });
        Self { state, grant }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.state.in_progress.change(|grants| {
            if let Some(now) = grants.get_mut(&self.grant) {
                *now -= 1;
                if *now == 0 {
                    grants.remove(&self.grant);
                }
            }
        });
        self.state
            .count(|requests| requests.maskinporten_in_progress -= 1);
    }
}
