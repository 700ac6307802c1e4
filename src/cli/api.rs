//! `segl api`

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;

use super::client::{ClientArguments, RequestArguments};
use super::input::json_object;
use super::json_text::indented;
use super::output::{Output, pretty, print_body};
use crate::apis::Operation;
use crate::error::{Error, ErrorCode, Result};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists the operations, or shows the JSON Schema of the input of one.
    List {
        /// Service and operation, for example krr.lookup.
        #[arg(value_name = "OPERATION")]
        operation: Option<String>,
    },
    /// Calls an operation with a client's access token.
    Call(Arguments),
}

#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    client: ClientArguments,
    /// Service and operation, for example krr.lookup.
    #[arg(value_name = "OPERATION")]
    operation: String,
    /// The input, a JSON object: this text, @FILE, or "-" for standard input. Arguments can
    /// be seen by other users of the machine: give persons' identifiers in the other ways.
    #[arg(value_name = "JSON|@FILE|-", default_value = "{}")]
    input: String,
    #[command(flatten)]
    token: RequestArguments,
}

pub(super) fn run(command: &Command, output: &Output) -> Result<()> {
    match command {
        Command::List { operation } => list(operation.as_deref(), output),
        Command::Call(arguments) => call(arguments),
    }
}

fn call(arguments: &Arguments) -> Result<()> {
    let operation = Operation::named(&arguments.operation)?;
    if arguments.input == "-" && arguments.token.reads_stdin() {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            "the input and --request are both read from standard input; give one of them otherwise",
        ));
    }
    let input = json_object(&arguments.input, "the input")
        .map_err(|error| error.in_context(operation.name))?;
    let token_request = arguments.token.token_request()?;
    let (client, call) = arguments.client.open()?;
    let answer = operation.call(&Arc::new(client), &token_request, &input, &call)?;
    print_body((indented(&answer) + "\n").as_bytes())
}

fn list(operation: Option<&str>, output: &Output) -> Result<()> {
    if let Some(operation) = operation {
        let schema = Operation::named(operation)?.schema();
        return output.value(&schema, &pretty(&schema));
    }
    let width = Operation::ALL.iter().map(|operation| operation.name.len());
    let width = width.max().unwrap_or_default();
    let lines: Vec<_> = Operation::ALL
        .iter()
        .map(|operation| format!("{:width$}  {}", operation.name, operation.summary))
        .collect();
    let json: Vec<_> = Operation::ALL
        .iter()
        .map(|operation| json!({ "name": operation.name, "summary": operation.summary }))
        .collect();
    output.value(&json.into(), &lines.join("\n"))
}
