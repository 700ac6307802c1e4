//! The request that a DPoP proof came with.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use url::Url;

use super::super::consent::at_least_one;
use crate::error::{Error, ErrorCode, Result};

/// A proof that the sender of a request has the key that its token is bound to (RFC 9449), and
/// the request that it must be for.
///
/// An API that takes tokens of both kinds gives this for requests with the header `DPoP`, and for
/// no others; one that takes no other tokens gives it always, with an empty `proof` where the
/// header is missing.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DpopRequirement {
    /// The value of the header `DPoP`. Of several such headers, all, with commas between
    /// them; they are refused.
    pub proof: String,
    /// The request's method, as it was sent.
    pub method: String,
    /// The URL that the client sent the request to, as clients see it, also behind a proxy. Its
    /// query does not count.
    #[serde(deserialize_with = "http_url")]
    pub url: Url,
    /// Nonces that this API gave out and still takes; the proof must have one of them. Left out
    /// where it gives out none.
    #[serde(default, deserialize_with = "some_nonces")]
    pub nonces: Option<Vec<String>>,
}

impl DpopRequirement {
    /// `proof` for a request with `method` to `url`.
    ///
    /// # Errors
    /// `URL` when that is no http or https URL.
    pub fn new(proof: &str, method: &str, url: &str) -> Result<Self> {
        Ok(Self {
            proof: proof.to_owned(),
            method: method.to_owned(),
            url: parse(url)?,
            nonces: None,
        })
    }

    /// The same, whose proof must have one of `nonces`. With none of them it takes no proof.
    #[must_use]
    pub fn with_nonces(mut self, nonces: impl IntoIterator<Item = String>) -> Self {
        self.nonces = Some(nonces.into_iter().collect());
        self
    }
}

/// Shows the method only: a URL may name a person.
impl fmt::Debug for DpopRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DpopRequirement({:?})", self.method)
    }
}

fn parse(text: &str) -> Result<Url> {
    let url = Url::parse(text).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Error::new(
                ErrorCode::Url,
                "the URL of the request (not shown) is no absolute http or https URL",
            )
        })
}

fn http_url<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(D::Error::custom)
}

fn some_nonces<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Vec<String>>, D::Error> {
    at_least_one(deserializer).map(Some)
}
