//! `_links` of the bank's answers.

use serde::Deserialize;

use super::super::super::errors::bad_response;
use super::Answer;
use crate::endpoint::Endpoint;
use crate::error::Result;

/// Links by name, as far as they are used.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Links {
    sca_redirect: Option<Link>,
    pub(super) next: Option<Link>,
}

/// A link, or the text of one.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Link {
    Object { href: String },
    Text(String),
}

impl Link {
    pub(super) fn href(&self) -> &str {
        match self {
            Self::Object { href } | Self::Text(href) => href,
        }
    }
}

impl Links {
    /// Where the person is to approve, with the bank's strong authentication.
    ///
    /// # Errors
    /// `API_BAD_RESPONSE` for a link that no browser should be sent to.
    pub(super) fn sca_redirect(&self, answer: &Answer) -> Result<Option<Endpoint>> {
        let parse = |link: &Link| {
            link.href().parse().map_err(|_| {
                bad_response(
                    &answer.response,
                    &answer.what,
                    "has a link scaRedirect that is no https URL",
                )
            })
        };
        self.sca_redirect.as_ref().map(parse).transpose()
    }
}
