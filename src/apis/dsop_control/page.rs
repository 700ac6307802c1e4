//! One page of an answer.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;
use url::Url;
use zeroize::Zeroizing;

use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};

/// What a bank answers, decrypted: JSON as it came, and where more of it is. It is wiped,
/// and `Debug` does not show it.
#[derive(Clone)]
pub struct Page {
    json: Zeroizing<String>,
    next: Option<Endpoint>,
}

/// `links` of an answer; `rel` is `next`, `self`, `prev` or `last`.
#[derive(Deserialize)]
struct Linked {
    #[serde(default)]
    links: Option<Vec<Link>>,
}

#[derive(Deserialize)]
struct Link {
    rel: Option<String>,
    href: Option<String>,
}

impl Page {
    /// Reads an answer to a request for `url`, which is below `base`.
    ///
    /// # Errors
    /// What is wrong, for `API_BAD_RESPONSE`.
    pub(super) fn read(
        json: Zeroizing<String>,
        url: &Endpoint,
        base: &Endpoint,
    ) -> std::result::Result<Self, &'static str> {
        if !json.trim_start().starts_with('{') {
            return Err("is no JSON object");
        }
        let linked: Linked = serde_json::from_str(&json)
            .map_err(|_| "is no JSON object with links as documented")?;
        let next = linked
            .links
            .into_iter()
            .flatten()
            .find(|link| link.rel.as_deref() == Some("next"))
            .and_then(|link| link.href);
        let next = next
            .map(|href| {
                resolve(&href, url, base)
                    .ok_or("leads on to a page that is not below the bank's base URL")
            })
            .transpose()?;
        Ok(Self { json, next })
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.json
    }

    /// The same as a type of the caller's.
    ///
    /// # Errors
    /// `API_BAD_RESPONSE` when it is not what `T` needs; nothing of it is shown.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.json).map_err(|error| {
            Error::new(
                ErrorCode::ApiBadResponse,
                format!(
                    "the bank's answer is not what was wanted (line {} column {})",
                    error.line(),
                    error.column()
                ),
            )
        })
    }

    /// Where the next page is, if there is one.
    pub fn next(&self) -> Option<&Endpoint> {
        self.next.as_ref()
    }
}

impl Serialize for Page {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.json).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("has_next", &self.next.is_some())
            .finish_non_exhaustive()
    }
}

/// A link as RFC 3986 resolves it; `None` when it leads out of `base`, where a token for
/// this bank has no business. One that begins with a slash may also be meant from `base`
/// on, as the paths of the OpenAPI document are.
fn resolve(href: &str, url: &Endpoint, base: &Endpoint) -> Option<Endpoint> {
    let joined = Url::parse(url.as_str()).ok()?.join(href).ok()?;
    let below = |text: &str| {
        let endpoint: Endpoint = text.parse().ok()?;
        base.covers(&endpoint).then_some(endpoint)
    };
    if let Some(next) = below(joined.as_str()) {
        return Some(next);
    }
    let is_path = href.starts_with('/') && !href.starts_with("//");
    let base = base.as_str().trim_end_matches('/');
    is_path.then(|| below(&format!("{base}{href}"))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_below_the_base() {
        let endpoint = |text: &str| text.parse::<Endpoint>().unwrap();
        let url = endpoint("https://bank.example/dsop/v2/accounts?fromDate=2024-01-01");
        let base = endpoint("https://bank.example/dsop/v2");
        let resolved = |href| resolve(href, &url, &base).map(|next| next.as_str().to_owned());
        for (href, expected) in [
            ("?page=2", "accounts?page=2"),
            ("accounts?page=2", "accounts?page=2"),
            ("/dsop/v2/accounts?page=2", "accounts?page=2"),
            ("/accounts?page=2", "accounts?page=2"),
            (
                "https://bank.example/dsop/v2/accounts?page=2",
                "accounts?page=2",
            ),
        ] {
            let expected = format!("https://bank.example/dsop/v2/{expected}");
            assert_eq!(resolved(href), Some(expected), "{href}");
        }
        for href in [
            "https://other.example/dsop/v2/accounts",
            "//other.example/dsop/v2/accounts",
            "http://bank.example/dsop/v2/accounts",
            "https://bank.example:444/dsop/v2/accounts",
            "../../../accounts",
            "..%2f../../%2e%2e/../accounts",
            "https://user@bank.example/dsop/v2/accounts",
            "/../../accounts",
            "file:///etc/passwd",
            "\\\\other.example\\dsop\\v2",
        ] {
            assert_eq!(resolved(href), None, "{href}");
        }
    }
}
