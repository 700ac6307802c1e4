//! One access token, always a new one. It is never shown.

use super::client::Client;
use super::finding::{Check, Finding};
use super::network::Reached;
use crate::clock::{Clock, SystemClock};
use crate::error::{ErrorCode, Result};
use crate::profiles::{self, TokenEndpoint, TokenRequest};
use crate::token::TokenClient;

/// Asks the service for a token as the settings say.
///
/// # Errors
/// As [`TokenClient::fetch`].
pub(super) fn ask(
    client: &Client<'_>,
    made: Option<&TokenClient>,
    reached: Option<&Reached>,
) -> Result<Finding> {
    let skipped = |reason: &str| Ok(Finding::skipped(Check::Token, reason));
    if let Ok(TokenEndpoint::Nowhere(instead)) = profiles::token_endpoint(client.settings) {
        return skipped(instead);
    }
    if !client.wants_token {
        return skipped("--no-token");
    }
    let Some(made) = made else {
        return skipped("the client could not be made");
    };
    if reached.is_none() {
        return skipped("the service cannot be reached");
    }
    let step = client.step("asking for a token");
    let (asked, took) = client
        .steps
        .run(&step, |call| made.fetch(&TokenRequest::default(), call));
    let token = match asked {
        Ok(token) => token,
        // What the settings leave to each request cannot be tried.
        Err(error)
            if error.code() == ErrorCode::InvalidArgument && client.settings.scopes.is_empty() =>
        {
            return skipped(
                "the settings name no scopes, and the service wants them; try one with \"segl token CLIENT --scope SCOPE\"",
            );
        }
        Err(error) => return Err(error),
    };
    let life = token.expires_at().seconds() - SystemClock.now().seconds();
    let scope = match token.scope() {
        Some(scope) => format!(", scope {}", scope.escape_debug()),
        None => String::new(),
    };
    let what = format!("granted, valid for {life} s{scope}");
    Ok(Finding::ok(Check::Token, what).taking(took))
}
