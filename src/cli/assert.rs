//! `segl assert`

use clap::Args;
use serde_json::json;

use super::client::{ClientArguments, RequestArguments};
use super::output::Output;
use crate::error::Result;

#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    client: ClientArguments,
    #[command(flatten)]
    request: RequestArguments,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let request = arguments.request.token_request()?;
    let (client, call) = arguments.client.open()?;
    let assertion = client.assertion(&request, &call)?;
    output.value(&json!({ "assertion": assertion }), &assertion)
}
