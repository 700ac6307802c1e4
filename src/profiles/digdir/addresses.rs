//! Digdir's addresses: its issuers are compared letter for letter, and some
//! addresses are no more.

use url::Url;

use super::super::choices::Environment;
use super::super::setting_error;
use super::{IDPORTEN, MASKINPORTEN, SKYPORTEN, Service};
use crate::error::Result;

/// The service and environment whose issuer identifier `text` is; none for those
/// of others.
///
/// # Errors
/// `CONFIG` for a URL at one of Digdir's hosts that is no issuer identifier, such
/// as one with a slash too many or too few: `aud` is compared letter for letter.
pub(in super::super) fn known_issuer(
    setting: &str,
    text: &str,
) -> Result<Option<(&'static Service, Environment)>> {
    refuse_retired(setting, text)?;
    let Some((service, environment)) = at_host(text) else {
        return Ok(None);
    };
    let issuer = service.issuer_in(environment);
    if text == issuer {
        return Ok(Some((service, environment)));
    }
    let slash = match issuer.ends_with('/') {
        true => "with its final slash",
        false => "without a final slash",
    };
    Err(setting_error(
        setting,
        format_args!(
            "is \"{}\"; {}'s issuer identifier is \"{issuer}\", {slash} and nothing more; set exactly that",
            text.escape_debug(),
            service.title
        ),
    ))
}

/// Refuses addresses that never were, or are no more.
pub(super) fn refuse_retired(setting: &str, text: &str) -> Result<()> {
    let host = host(text);
    let is_shut_down = matches!(&*host, "ver1.maskinporten.no" | "ver2.maskinporten.no")
        || (host.starts_with("oidc") && host.ends_with(".difi.no"));
    let is_www = host.strip_prefix("www.").is_some_and(|h| find(h).is_some());
    let problem = match (is_shut_down, is_www) {
        (true, _) => "was shut down",
        (_, true) => "is a web page's",
        _ => return Ok(()),
    };
    Err(setting_error(
        setting,
        format_args!(
            "has the host {host}, which {problem}; leave it out and set \"environment\": \
             Maskinporten's issuers are {} and {}",
            MASKINPORTEN.prod, MASKINPORTEN.test
        ),
    ))
}

/// The service and environment at the host of a URL.
pub(super) fn at_host(text: &str) -> Option<(&'static Service, Environment)> {
    find(&host(text))
}

/// The service and environment at this host.
fn find(name: &str) -> Option<(&'static Service, Environment)> {
    let services = [&MASKINPORTEN, &SKYPORTEN, &IDPORTEN].into_iter();
    services
        .flat_map(|service| [(service, Environment::Prod), (service, Environment::Test)])
        .find(|(service, environment)| host(service.issuer_in(*environment)) == name)
}

/// The host of a URL, also of one that lacks its scheme.
fn host(text: &str) -> String {
    let url = Url::parse(text).ok();
    let name = url.as_ref().and_then(Url::host_str);
    let name = name.or_else(|| text.split('/').next());
    name.unwrap_or_default().to_ascii_lowercase()
}
