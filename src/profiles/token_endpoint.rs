//! Where tokens are requested.

use std::fmt;

use url::Url;

use super::client_settings::ClientSettings;
use super::{endpoint, setting_error};
use crate::endpoint::Endpoint;
use crate::error::Result;

/// Where a service's tokens are requested.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenEndpoint {
    /// Here.
    Known(Endpoint),
    /// Where the server's metadata say (RFC 8414).
    InMetadata {
        /// Where the metadata are.
        metadata: Endpoint,
        /// Where they are looked for when the server answers 404 there.
        otherwise: Option<Endpoint>,
        /// The issuer whose metadata they must be, letter for letter.
        issuer: String,
    },
    /// Nowhere: the service gives no tokens to programs. What to do instead.
    Nowhere(&'static str),
}

impl TokenEndpoint {
    /// What the settings say: the metadata, when they ask for that, else
    /// `token_endpoint`, else `usual`. `well_known` is where the metadata of the
    /// service's issuers are.
    pub(super) fn from_settings(
        settings: &ClientSettings,
        issuer: Option<&str>,
        well_known: impl FnOnce(&str) -> Result<Endpoint>,
        usual: impl FnOnce() -> Result<Endpoint>,
    ) -> Result<Self> {
        if !settings.discovery && settings.metadata.is_none() {
            return Ok(Self::Known(match &settings.token_endpoint {
                Some(url) => endpoint("token_endpoint", url)?,
                None => usual()?,
            }));
        }
        if settings.token_endpoint.is_some() {
            return Err(setting_error(
                "token_endpoint",
                "stands beside \"discovery\" or \"metadata\", which find it; leave one of them out",
            ));
        }
        let Some(issuer) = issuer else {
            return Err(setting_error(
                "issuer",
                "is missing; the server's metadata must be that issuer's",
            ));
        };
        Ok(Self::InMetadata {
            metadata: match &settings.metadata {
                Some(url) => endpoint("metadata", url)?,
                None => well_known(issuer)?,
            },
            otherwise: None,
            issuer: issuer.to_owned(),
        })
    }

    /// The same with a second place for the metadata: that of OpenID Connect, which a
    /// server may have alone (RFC 8414 section 5).
    pub(super) fn or_where_openid_has_them(self) -> Result<Self> {
        Ok(match self {
            Self::InMetadata {
                metadata, issuer, ..
            } => Self::InMetadata {
                metadata,
                otherwise: Some(openid_url(&issuer)?),
                issuer,
            },
            other => other,
        })
    }

    /// Host and port, for messages.
    pub fn authority(&self) -> &str {
        match self {
            Self::Known(endpoint) => endpoint.authority(),
            Self::InMetadata { metadata, .. } => metadata.authority(),
            Self::Nowhere(_) => "no token endpoint",
        }
    }
}

impl fmt::Display for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(endpoint) => endpoint.fmt(f),
            Self::InMetadata { metadata, .. } => write!(f, "the token endpoint in {metadata}"),
            Self::Nowhere(_) => f.write_str("no token endpoint"),
        }
    }
}

/// Where RFC 8414 section 3.1 puts the metadata of `issuer`: the well-known part
/// goes between host and path.
pub(super) fn rfc8414_url(issuer: &str) -> Result<Endpoint> {
    let checked: Endpoint = endpoint("issuer", issuer)?;
    let mut url = Url::parse(checked.as_str())
        .map_err(|source| setting_error("issuer", "is no URL").with_source(source))?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
    url.set_query(None);
    endpoint("issuer", url.as_str())
}

/// Where OpenID Connect Discovery 1.0 section 4 puts the metadata of `issuer`: the
/// well-known part goes after the path.
pub(super) fn openid_url(issuer: &str) -> Result<Endpoint> {
    let base = issuer.trim_end_matches('/');
    endpoint(
        "issuer",
        &format!("{base}/.well-known/openid-configuration"),
    )
}
