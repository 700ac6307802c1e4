//! The way to the token endpoint: name look-up, connection, TLS and HTTP. Nothing
//! that is sent names the client.

use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use super::client::Client;

use super::finding::{Check, Finding};
use super::report::Report;
use crate::call::Call;
use crate::clock::{Clock, SystemClock};
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::http::{Method, Request, Response, Transport};
use crate::profiles::{self, TokenEndpoint};
use crate::token::{Discovery, skew, transport};

/// What came back.
pub(super) struct Reached {
    /// How far the server's clock is ahead, if it told.
    pub(super) clock_skew_ms: Option<i64>,
}

/// Reads the server's metadata where the settings ask for that, and asks the host
/// of the token endpoint for a page (`HEAD /`): whatever it answers, it is there.
pub(super) fn check(client: &Client<'_>, report: &mut Report) -> Option<Reached> {
    let name = Some(client.name);
    let source = match profiles::token_endpoint(client.settings) {
        Ok(TokenEndpoint::Nowhere(_)) => {
            let reason = "the service gives programs no tokens";
            report.add(name, Finding::skipped(Check::Network, reason));
            return None;
        }
        Ok(source) => source,
        Err(error) => {
            report.add_failure(client.name, Check::Network, error);
            return None;
        }
    };
    let step = client.step("preparing TLS");
    let (built, _) = client.steps.run(&step, |call| transport(client, call));
    let transport = match built {
        Ok(transport) => transport,
        Err(error) => {
            report.add_failure(client.name, Check::Network, error);
            return None;
        }
    };
    let step = client.step(&format!("reaching {}", source.authority()));
    let (reached, took) = client
        .steps
        .run(&step, |call| reach(client, source, &transport, call));
    match reached {
        Ok((finding, reached)) => {
            report.add(name, finding.taking(took));
            Some(reached)
        }
        Err(error) => {
            let finding = Finding::failed_with(Check::Network, error);
            report.add(name, finding.taking(took));
            None
        }
    }
}

/// As the client's own.
fn transport(client: &Client<'_>, call: &Call) -> Result<Watched> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let built = transport::built_in(client.settings, &**client.keys, None, &clock, call)?;
    Ok(Watched::new(built.transport))
}

fn reach(
    client: &Client<'_>,
    source: TokenEndpoint,
    transport: &Watched,
    call: &Call,
) -> Result<(Finding, Reached)> {
    let in_metadata = matches!(source, TokenEndpoint::InMetadata { .. });
    let endpoint = Discovery::new(source)
        .with_client_certificate(client.settings.has_client_certificate())
        .token_endpoint(transport, &SystemClock, call)?;
    let answer = transport.send(&Request::new(Method::Head, page_of(&endpoint)?), call)?;
    let mut what = format!("{} answers", endpoint.authority());
    if in_metadata {
        what.push_str(&format!(
            "; its metadata name the token endpoint {endpoint}"
        ));
    }
    let finding = match answer.status {
        500.. => Finding::warning(
            Check::Network,
            format!("{what}, with HTTP {}", answer.status),
            "the fault is the server's or a proxy's; try again later",
        ),
        _ => Finding::ok(Check::Network, what),
    };
    let reached = Reached {
        clock_skew_ms: transport.skew(),
    };
    Ok((finding, reached))
}

/// The first page at the host of `endpoint`.
fn page_of(endpoint: &Endpoint) -> Result<Endpoint> {
    let Ok(mut url) = Url::parse(endpoint.as_str()) else {
        return Ok(endpoint.clone());
    };
    url.set_path("/");
    url.set_query(None);
    url.as_str().parse()
}

/// Looks at the `Date` of the last answer.
#[derive(Debug)]
struct Watched {
    inner: transport::AsSet,
    skew_ms: Mutex<Option<i64>>,
}

impl Watched {
    fn new(inner: transport::AsSet) -> Self {
        Self {
            inner,
            skew_ms: Mutex::default(),
        }
    }

    fn skew(&self) -> Option<i64> {
        *self.skew_ms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Watched {
    fn send(&self, request: &Request, call: &Call) -> Result<Response> {
        let sent = SystemClock.moment();
        let answer = self.inner.send(request, call)?;
        let skew = skew::measure(&answer, sent, SystemClock.moment());
        *self.skew_ms.lock().unwrap_or_else(PoisonError::into_inner) = skew;
        Ok(answer)
    }
}
