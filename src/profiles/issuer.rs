//! Issuers of access tokens, for those who check them.

use super::choices::Environment;
use super::{digdir, token_endpoint};
use crate::endpoint::Endpoint;
use crate::error::Result;

/// Maskinporten's issuer identifier, with its final slash.
pub(crate) fn maskinporten_issuer(environment: Environment) -> &'static str {
    digdir::MASKINPORTEN.issuer_in(environment)
}

/// Refuses what is at one of Digdir's hosts and no issuer identifier, such as one with a
/// slash too many or too few: `iss` is compared letter for letter.
///
/// # Errors
/// `CONFIG` naming `setting`.
pub(crate) fn check_issuer(setting: &str, issuer: &str) -> Result<()> {
    digdir::known_issuer(setting, issuer).map(|_| ())
}

/// Where the metadata of `issuer` are (RFC 8414 section 3.1).
///
/// # Errors
/// `URL` when the issuer is no https URL.
pub(crate) fn metadata_of(issuer: &str) -> Result<Endpoint> {
    token_endpoint::rfc8414_url(issuer)
}
