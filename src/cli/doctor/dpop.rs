//! The key that tokens are bound to: that it opens and signs.

use super::super::key::describe;
use super::client::Client;
use super::finding::{Check, Finding};
use super::report::Report;
use crate::error::Result;
use crate::keys::HealthState;
use crate::profiles;
use crate::token::KeyOpener;

/// One finding, if the client's tokens are bound to a key.
pub(super) fn check(client: &Client<'_>, report: &mut Report) {
    let Ok(Some(dpop)) = profiles::dpop(client.settings, false) else {
        return;
    };
    let found = match &dpop.key {
        Some(uri) => finding(client, uri.expose()),
        None if client.settings.keys.is_empty() => Ok(Finding::ok(
            Check::DpopKey,
            "tokens are bound to the client's own key",
        )),
        // That the settings lack the key is found by another check.
        None => return,
    };
    match found {
        Ok(finding) => report.add(Some(client.name), finding),
        Err(error) => {
            let error = error.in_context("dpop.key");
            report.add_failure(client.name, Check::DpopKey, error);
        }
    }
}

fn finding(client: &Client<'_>, uri: &str) -> Result<Finding> {
    let step = client.step("opening dpop.key");
    let (opened, _) = client
        .steps
        .run(&step, |call| client.keys.open(uri, None, None, call));
    let signer = opened?;
    let step = client.step("signing with dpop.key");
    let (signed, took) = client.steps.run(&step, |call| signer.probe(call));
    signed?;
    let key = describe(signer.public_key());
    let health = signer.health();
    let finding = match health.state {
        HealthState::Ready => Finding::ok(
            Check::DpopKey,
            format!("tokens are bound to {key}, which signs"),
        ),
        _ => Finding::warning(
            Check::DpopKey,
            format!(
                "tokens are bound to {key}, which signs, but its home is not well: {}",
                health.problem.unwrap_or_default()
            ),
            "look again with \"segl key health URI --watch 5\"",
        ),
    };
    Ok(finding.taking(took))
}
