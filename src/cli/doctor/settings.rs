//! The client's settings, against its keys and what its service takes.

use serde_json::json;

use super::client::Client;
use super::finding::{Check, Finding};
use super::report::Report;
use crate::profiles::{ClientSettings, Environment};
use crate::token::TokenClient;

/// Makes the client.
pub(super) fn check(client: &Client<'_>, report: &mut Report) -> Option<TokenClient> {
    let step = client.step("making the client");
    let (made, _) = client
        .steps
        .run(&step, |call| client.open(client.name, call));
    match made {
        Ok(made) => {
            let finding = Finding::ok(Check::Settings, text(client.settings));
            report.add(Some(client.name), finding);
            Some(made)
        }
        Err(error) => {
            report.add_failure(client.name, Check::Settings, error);
            None
        }
    }
}

fn text(settings: &ClientSettings) -> String {
    let profile = json!(settings.profile);
    let mut parts = vec![profile.as_str().unwrap_or_default().to_owned()];
    match settings.environment {
        Some(Environment::Test) => parts.push("test".to_owned()),
        Some(Environment::Prod) => parts.push("production".to_owned()),
        None => {}
    }
    let named = [
        ("issuer", settings.issuer.as_deref()),
        (
            "client_id",
            settings.client_id.as_ref().map(|id| id.as_str()),
        ),
        ("orgno", settings.orgno.as_deref()),
        ("consumer_org", settings.consumer_org.as_deref()),
    ];
    let named = named.into_iter();
    parts.extend(named.filter_map(|(name, value)| Some(format!("{name} {}", value?))));
    let scopes: Vec<_> = settings.scopes.iter().map(|scope| scope.as_str()).collect();
    if !scopes.is_empty() {
        parts.push(format!("scopes {}", scopes.join(" ")));
    }
    parts.join(", ")
}
