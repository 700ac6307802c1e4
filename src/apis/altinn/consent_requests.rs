//! Requests for consent at Altinn (docs.altinn.studio, "Request consent"; the path to read
//! one is that of Altinn's own clients).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::errors::{bad_response, json, require_success_as};
use super::super::header_template::Values;
use super::super::json_answer::JsonAnswer;
use super::super::json_body::with_json;
use super::super::operations::{Context, Describe};
use super::super::service::Repeat;
use super::{Altinn, ConsentId, ConsentRequest, problem};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::http::{Method, Response};

/// A request for consent as Altinn has it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CreatedConsentRequest {
    /// Its id.
    pub id: ConsentId,
    /// Where to send the browser of who is asked.
    pub view_uri: Endpoint,
    /// `Created`, `Accepted`, `Rejected`, `Revoked`, `Deleted` or `Expired`, where Altinn
    /// says so; otherwise the type of the last event.
    pub status: Option<String>,
    /// When consent was given, RFC 3339.
    pub consented: Option<String>,
    /// What has happened so far.
    pub events: Vec<ConsentEvent>,
}

/// Something that happened to a request for consent.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ConsentEvent {
    /// For example `Created` or `Accepted`.
    pub event_type: String,
    /// RFC 3339.
    pub created: String,
}

impl Altinn {
    /// Asks for consent. It needs the scope `altinn:consentrequests.write`. Altinn answers the
    /// same id from the same parties with the request that it has, so it is sent again after
    /// failures that pass.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when its time is over, and nothing is sent then;
    /// `API_INVALID_REQUEST` with Altinn's words and code when it wants another request, one
    /// that takes the id of other parties' too; otherwise as [`Altinn::exchange_token`].
    pub fn create_consent_request(
        &self,
        request: &ConsentRequest,
        call: &Call,
    ) -> Result<CreatedConsentRequest> {
        let (answer, what) = self.post_consent_request(request, call)?;
        read(&answer, &what, request.id())
    }

    /// A request for consent of this client's organisation. It needs the scope
    /// `altinn:consentrequests.read`.
    ///
    /// # Errors
    /// `API_NOT_FOUND` when there is none; otherwise as [`Altinn::exchange_token`].
    pub fn consent_request(&self, id: ConsentId, call: &Call) -> Result<CreatedConsentRequest> {
        let (answer, what) = self.get_consent_request(id, call)?;
        read(&answer, &what, id)
    }

    fn post_consent_request(
        &self,
        request: &ConsentRequest,
        call: &Call,
    ) -> Result<(Response, String)> {
        let body = request.body(self.service.clock().now())?;
        // The path ends with a slash in Altinn's documentation.
        let url = self.consent_url("")?;
        let post = self.service.request(Method::Post, url, Values::default())?;
        self.send_consent_request(&with_json(post, &body)?, call)
    }

    fn get_consent_request(&self, id: ConsentId, call: &Call) -> Result<(Response, String)> {
        let url = self.consent_url(&id.to_string())?;
        let get = self.service.request(Method::Get, url, Values::default())?;
        self.send_consent_request(&get, call)
    }

    fn consent_url(&self, last: &str) -> Result<Endpoint> {
        let path = [
            "accessmanagement",
            "api",
            "v1",
            "enterprise",
            "consentrequests",
            last,
        ];
        self.service.url(&path, &[])
    }

    fn send_consent_request(
        &self,
        request: &crate::http::Request,
        call: &Call,
    ) -> Result<(Response, String)> {
        let answer = self.service.send(request, Repeat::Safe, call)?;
        let what = request.named();
        require_success_as(&answer, &what, |body| problem::read(body, answer.status))?;
        Ok((answer, what))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: ConsentId,
    view_uri: String,
    status: Option<String>,
    consented: Option<String>,
    #[serde(default)]
    consent_request_events: Vec<ConsentEvent>,
}

fn read(answer: &Response, what: &str, id: ConsentId) -> Result<CreatedConsentRequest> {
    let wire: Wire = json(answer, what)?;
    if wire.id != id {
        return Err(bad_response(answer, what, "is about another request"));
    }
    let view_uri = wire
        .view_uri
        .parse()
        .map_err(|_| bad_response(answer, what, "has a viewUri that is no https URL"))?;
    let events = wire.consent_request_events;
    let last = events.last().map(|event| event.event_type.clone());
    Ok(CreatedConsentRequest {
        id,
        view_uri,
        status: wire.status.or(last),
        consented: wire.consented,
        events,
    })
}

/// Altinn's answer as it came, which was understood.
#[derive(Serialize)]
#[serde(transparent)]
pub(in super::super) struct Answer(JsonAnswer);

pub(in super::super) struct CreateConsentRequest;

impl Describe for CreateConsentRequest {
    const NAME: &'static str = "altinn.create_consent_request";
    const SUMMARY: &'static str = "Asks a person or an organisation for consent.";
    type Input = ConsentRequest;
    type Output = Answer;

    fn run(request: ConsentRequest, context: &Context<'_>) -> Result<Answer> {
        let altinn = Altinn::of(context)?;
        let (answer, what) = altinn.post_consent_request(&request, context.call)?;
        read(&answer, &what, request.id())?;
        JsonAnswer::of_object(&answer, &what).map(Answer)
    }
}

pub(in super::super) struct GetConsentRequest;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Wanted {
    id: ConsentId,
}

impl Describe for GetConsentRequest {
    const NAME: &'static str = "altinn.consent_request";
    const SUMMARY: &'static str = "Reads a request for consent: what became of it.";
    type Input = Wanted;
    type Output = Answer;

    fn run(wanted: Wanted, context: &Context<'_>) -> Result<Answer> {
        let altinn = Altinn::of(context)?;
        let (answer, what) = altinn.get_consent_request(wanted.id, context.call)?;
        read(&answer, &what, wanted.id)?;
        JsonAnswer::of_object(&answer, &what).map(Answer)
    }
}
