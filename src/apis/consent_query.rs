//! What is asked of an API that answers about a person who consented, where the paths are
//! the caller's to know.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::api_path::ApiPath;
use super::consent_token::ConsentToken;
use super::errors::{Meaning, require_success_where, with_request_id};
use super::header_template::Values;
use super::json_answer::JsonAnswer;
use super::service::{Repeat, Service};
use crate::call::Call;
use crate::error::Result;
use crate::http::Method;
use crate::person_id::PersonId;

/// What stands in the headers of such an API.
pub(super) const PLACEHOLDERS: &[&str] = &["api_key", "consent_token", "person", "request_id"];

/// A question to NAV or Skatteetaten: where, about whom, with which consent.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentQuery {
    path: ApiPath,
    /// The query's parameters by name.
    #[serde(default)]
    query: BTreeMap<String, String>,
    /// Whom it is about. Goes into the service's header for it and in the place of
    /// `{person}` in the path.
    #[serde(default)]
    person: Option<PersonId>,
    /// The consent; left out when it is in the access token (Altinn 3).
    #[serde(default)]
    consent_token: Option<ConsentToken>,
}

/// The answer to one, as an operation gives it.
#[derive(Serialize)]
pub(super) struct Answered {
    pub(super) answer: JsonAnswer,
}

impl ConsentQuery {
    /// What is at `path` below the service's base URL.
    pub fn new(path: ApiPath) -> Self {
        Self {
            path,
            query: BTreeMap::new(),
            person: None,
            consent_token: None,
        }
    }

    /// The same with one more parameter in the URL's query.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.insert(name.into(), value.into());
        self
    }

    /// The same about `person`: in the service's header for it, and in the place of
    /// `{person}` in the path.
    #[must_use]
    pub fn with_person(mut self, person: PersonId) -> Self {
        self.person = Some(person);
        self
    }

    /// The same with a consent of its own, beside the access token.
    #[must_use]
    pub fn with_consent_token(mut self, token: ConsentToken) -> Self {
        self.consent_token = Some(token);
        self
    }

    /// Asks `service`, where `meanings` says what its statuses mean.
    pub(super) fn ask(
        &self,
        service: &Service,
        meanings: &[Meaning],
        call: &Call,
    ) -> Result<JsonAnswer> {
        let person = self.person.as_ref();
        let segments = self.path.segments(person)?;
        let query: Vec<_> = self
            .query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let request_id = Uuid::new_v4().to_string();
        let token = self.consent_token.as_ref();
        let values = Values::default()
            .with("request_id", &*request_id)
            .with_optional("person", person.map(PersonId::expose))
            .with_optional("consent_token", token.map(ConsentToken::expose));
        let request = service.request(Method::Get, service.url(&segments, &query)?, values)?;
        let what = request.named();
        let asked = service
            .send(&request, Repeat::Safe, call)
            .and_then(|answer| {
                require_success_where(&answer, &what, meanings)?;
                JsonAnswer::of(&answer, &what)
            });
        asked.map_err(|error| with_request_id(error, &request_id))
    }
}

impl fmt::Debug for ConsentQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsentQuery")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
