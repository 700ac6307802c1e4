//! What a token is asked for.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use arc_swap::ArcSwapOption;
use pyo3::prelude::*;
use segl::TokenRequest;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::client::Held;
use crate::{bytes, errors, guard, pickle};

/// One token request. It does not change, can be compared, and is worth keeping: asking with the same
/// object again is the fastest way to a cached token. What is left out comes from the client's settings.
///
/// `scopes` and `resource` (RFC 8707) stand in the place of the client's. `consumer_org` is the organisation
/// number of the consumer (delegation), or `ConsumerOrg.OWN` for none whatever the settings say. `pid` is the
/// person to whom the token is restricted. `authorization_details` (RFC 9396) may be JSON text.
///
/// Raises `InvalidArgumentError` that names the member; values are not shown.
#[pyclass(frozen, module = "segl", name = "TokenRequest", weakref)]
pub(crate) struct PyTokenRequest {
    pub(crate) request: TokenRequest,
    pub(crate) held: ArcSwapOption<Held>,
}

impl From<TokenRequest> for PyTokenRequest {
    fn from(request: TokenRequest) -> Self {
        Self {
            request,
            held: ArcSwapOption::const_empty(),
        }
    }
}

#[pymethods]
impl PyTokenRequest {
    #[new]
    #[pyo3(signature = (*, scopes=None, resource=None, consumer_org=None, pid=None, authorization_details=None))]
    fn new(
        py: Python<'_>,
        scopes: Option<Vec<String>>,
        resource: Option<Vec<String>>,
        consumer_org: Option<Bound<'_, PyAny>>,
        pid: Option<String>,
        authorization_details: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        guard::quick(py, || {
            let mut members = Map::new();
            if let Some(scopes) = scopes {
                members.insert("scopes".into(), scopes.into());
            }
            if let Some(resource) = resource {
                members.insert("resource".into(), resource.into());
            }
            if let Some(consumer_org) = consumer_org {
                members.insert("consumer_org".into(), self::consumer_org(&consumer_org)?);
            }
            if let Some(pid) = pid {
                members.insert("pid".into(), pid.into());
            }
            let mut json = Zeroizing::new(Value::Object(members).to_string());
            if let Some(details) = authorization_details {
                let details = Zeroizing::new(bytes::json(&details)?);
                let comma = if json.len() > 2 { "," } else { "" };
                json.pop();
                json.push_str(&format!("{comma}\"authorization_details\":{}}}", &*details));
            }
            Self::from_json(py, &json)
        })
    }

    /// From a JSON object with the members that `segl token --request` takes.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        guard::quick(py, || {
            let request = TokenRequest::from_json(text);
            request
                .map(Self::from)
                .map_err(|error| errors::to_python(py, error))
        })
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let other = other.cast::<Self>();
        other.is_ok_and(|other| other.get().request == self.request)
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.request.hash(&mut hasher);
        hasher.finish()
    }

    /// Shows the scopes alone: the rest may name a person.
    fn __reduce__(&self) -> PyResult<()> {
        pickle::refused("TokenRequest")
    }

    fn __repr__(&self) -> String {
        match &self.request.scopes {
            None => "<segl.TokenRequest>".to_owned(),
            Some(scopes) => {
                let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
                format!("<segl.TokenRequest scopes={:?}>", scopes.join(" "))
            }
        }
    }
}

/// `ConsumerOrg.OWN` is null in JSON.
fn consumer_org(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(number) = value.extract::<String>() {
        return Ok(number.into());
    }
    let own = value
        .py()
        .import("segl")?
        .getattr("ConsumerOrg")?
        .getattr("OWN")?;
    if value.is(&own) {
        return Ok(Value::Null);
    }
    Err(bytes::wrong_type(
        "consumer_org",
        "str, ConsumerOrg.OWN or None",
        value,
    ))
}
