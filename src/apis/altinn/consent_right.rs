//! What is consented to.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode, Result};

const RESOURCE: &str = "urn:altinn:resource";

/// One resource in Altinn's register and what its owner wants to know, for example the
/// year (`metaData`). Most resources have the action `consent`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Wire")]
#[schemars(with = "Wire")]
pub struct ConsentRight {
    resource: String,
    actions: Vec<String>,
    metadata: BTreeMap<String, String>,
}

impl ConsentRight {
    /// The right to `resource`, its identifier in Altinn's register, with the action
    /// `consent`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for what is no identifier: empty, or not of letters, digits,
    /// `_`, `-` and `.`.
    pub fn new(resource: &str) -> Result<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if resource.is_empty() || !resource.bytes().all(is_allowed) {
            return Err(wrong(
                "the resource of a right has letters, digits, '_', '-' and '.'; copy it from Altinn's register",
            ));
        }
        Ok(Self {
            resource: resource.to_owned(),
            actions: vec!["consent".to_owned()],
            metadata: BTreeMap::new(),
        })
    }

    /// The same with another action than `consent`.
    #[must_use]
    pub fn with_action(mut self, action: impl Into<String>) -> Self {
        self.actions = vec![action.into()];
        self
    }

    /// The same with one more value that the resource wants. Altinn compares names in the
    /// resource's own case.
    #[must_use]
    pub fn with_metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    pub(super) fn body(&self) -> Body<'_> {
        Body {
            action: &self.actions,
            resource: [ResourceBody {
                r#type: RESOURCE,
                value: &self.resource,
            }],
            metadata: &self.metadata,
        }
    }
}

/// What Altinn is sent.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    action: &'a [String],
    resource: [ResourceBody<'a>; 1],
    #[serde(rename = "metaData", skip_serializing_if = "BTreeMap::is_empty")]
    metadata: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct ResourceBody<'a> {
    r#type: &'static str,
    value: &'a str,
}

/// The languages of a message to who is asked (docs.altinn.studio, "Samtykke").
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MessageLanguage {
    /// Bokmål.
    Nb,
    /// Nynorsk.
    Nn,
    /// English.
    En,
}

/// One right. Altinn's pages write both `metaData` and `metadata`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(default = "consent")]
    action: Vec<String>,
    resource: Vec<Resource>,
    #[serde(default, rename = "metaData", alias = "metadata")]
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Resource {
    /// `urn:altinn:resource`
    r#type: String,
    /// The identifier in Altinn's register.
    value: String,
}

fn consent() -> Vec<String> {
    vec!["consent".to_owned()]
}

impl TryFrom<Wire> for ConsentRight {
    type Error = Error;

    fn try_from(wire: Wire) -> Result<Self> {
        let [resource] = wire.resource.as_slice() else {
            return Err(wrong("a right has one resource; make more rights for more"));
        };
        if resource.r#type != RESOURCE {
            return Err(wrong(
                "the type of a right's resource is urn:altinn:resource",
            ));
        }
        if wire.action.is_empty() || wire.action.iter().any(String::is_empty) {
            return Err(wrong("a right has an action, usually \"consent\""));
        }
        Ok(Self {
            actions: wire.action,
            metadata: wire.metadata,
            ..Self::new(&resource.value)?
        })
    }
}

fn wrong(problem: &str) -> Error {
    Error::new(ErrorCode::InvalidArgument, problem)
}
