//! `segl token`

use clap::Args;
use serde_json::{Value, json};

use super::client::{ClientArguments, RequestArguments};
use super::output::Output;
use crate::error::Result;

#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    client: ClientArguments,
    #[command(flatten)]
    request: RequestArguments,
    /// Prints the whole header line: Authorization: Bearer …
    #[arg(long)]
    header: bool,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let request = arguments.request.token_request()?;
    let (client, call) = arguments.client.open()?;
    let token = client.token(&request, &call)?;
    let mut response: Value = serde_json::from_str(token.response_json()).unwrap_or(Value::Null);
    // The secret stands once in the output.
    if let Some(members) = response.as_object_mut() {
        members.remove("access_token");
    }
    let text = match arguments.header {
        true => format!("Authorization: Bearer {}", token.access_token()),
        false => token.access_token().to_owned(),
    };
    output.value(
        &json!({
            "access_token": token.access_token(),
            "expires_at": token.expires_at().seconds(),
            "scope": token.scope(),
            "response": response,
        }),
        &text,
    )
}
