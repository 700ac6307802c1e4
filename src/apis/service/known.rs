//! What segl knows of a service, and what the settings change of it.

use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::profiles::{Environment, ServiceName, ServiceSettings};

/// What segl knows of a service.
pub(in super::super) struct Known {
    pub(in super::super) name: ServiceName,
    /// The base URLs of its environments, where there is one for all.
    pub(in super::super) prod: Option<&'static str>,
    pub(in super::super) test: Option<&'static str>,
    /// Its headers with their values' templates, in order. One whose placeholder has no
    /// value is left out.
    pub(in super::super) headers: &'static [(&'static str, &'static str)],
    /// What may stand in braces in them, besides `access_token`.
    pub(in super::super) placeholders: &'static [&'static str],
}

/// The service's own headers, changed and followed by those of the settings.
pub(super) fn headers_of(
    known: &Known,
    settings: Option<&ServiceSettings>,
) -> Vec<(String, String)> {
    let owned = |(name, template): &(&str, &str)| ((*name).to_owned(), (*template).to_owned());
    let mut headers: Vec<_> = known.headers.iter().map(owned).collect();
    for (name, template) in settings.into_iter().flat_map(|settings| &settings.headers) {
        match headers
            .iter_mut()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
        {
            Some((_, own)) => own.clone_from(template),
            None => headers.push((name.clone(), template.clone())),
        }
    }
    headers.retain(|(_, template)| !template.is_empty());
    headers
}

/// The base URL without a slash at its end.
pub(super) fn base_url(
    known: &Known,
    settings: Option<&ServiceSettings>,
    environment: Option<Environment>,
) -> Result<String> {
    let usual = match environment {
        Some(Environment::Prod) => known.prod,
        Some(Environment::Test) => known.test,
        None => None,
    };
    let set = settings.and_then(|settings| settings.base_url.as_deref());
    match (set, usual) {
        (Some(set), _) => {
            let endpoint: Endpoint = set
                .parse()
                .map_err(|error: Error| wrong(known.name, "base_url", error.message()))?;
            if endpoint.as_str().contains('?') {
                let problem = "has a query (?…), which paths cannot follow; leave it out";
                return Err(wrong(known.name, "base_url", problem));
            }
            Ok(endpoint.as_str().trim_end_matches('/').to_owned())
        }
        (None, Some(usual)) => Ok(usual.trim_end_matches('/').to_owned()),
        // The caller says where it is, see `at`.
        (None, None) if known.prod.is_none() && known.test.is_none() => Ok(String::new()),
        (None, None) if environment.is_some() => Err(wrong(
            known.name,
            "base_url",
            "is not set, and no base URL is known for the client's environment; set it",
        )),
        // Not every profile has one that could be set.
        (None, None) => {
            let url = |url: Option<&str>, of: &str| url.map(|url| format!("{url} ({of})"));
            let urls = [url(known.prod, "production"), url(known.test, "test")];
            let urls: Vec<_> = urls.into_iter().flatten().collect();
            Err(wrong(
                known.name,
                "base_url",
                &format!(
                    "is not set, and the client has no \"environment\" to tell where the service is; set it to {}",
                    urls.join(" or ")
                ),
            ))
        }
    }
}

/// `CONFIG` about a setting of a service.
pub(in super::super) fn wrong(service: ServiceName, setting: &str, problem: &str) -> Error {
    let path = format!("services.{}.{setting}", service.as_str());
    Error::new(ErrorCode::Config, format!("setting \"{path}\" {problem}"))
        .with_details(|details| details.config_path = Some(path))
}
