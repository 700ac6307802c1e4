//! What the bank is told about the person behind a request (payment service user, PSU).

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::super::uuid_type::uuid_type;
use super::PsuId;

uuid_type! {
    /// The UUID of a request, for the bank's support (`X-Request-ID`).
    RequestId, "the id of a request"
}

/// Who is behind a request, and what their browser told the caller. A request that nobody
/// sits and waits for has neither address nor browser.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Psu {
    /// `PSU-ID`
    pub id: Option<PsuId>,
    /// `PSU-IP-Address`
    pub ip_address: Option<IpAddr>,
    /// `PSU-User-Agent`
    pub user_agent: Option<String>,
    /// `X-Request-ID`; a new one each time when it is left out.
    pub request_id: Option<RequestId>,
}

impl Psu {
    /// This person or business, of whom nothing else is known.
    pub fn new(id: PsuId) -> Self {
        Self {
            id: Some(id),
            ..Self::default()
        }
    }

    /// The same at this address.
    #[must_use]
    pub fn at(mut self, address: IpAddr) -> Self {
        self.ip_address = Some(address);
        self
    }

    /// The same with this browser.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// The same with an `X-Request-ID` of the caller's.
    #[must_use]
    pub fn with_request_id(mut self, id: RequestId) -> Self {
        self.request_id = Some(id);
        self
    }
}

/// Shows nothing of the person.
impl fmt::Debug for Psu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Psu([redacted])")
    }
}
