//! `segl call`

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::{Value, json};

use super::client::{ClientArguments, RequestArguments};
use super::input;
use super::output::{Output, on_one_line, pretty, print_body, print_bytes, print_line};
use super::output_file::replace;
use crate::apis::{ApiRequest, require_success};
use crate::error::{Error, ErrorCode, Result};
use crate::http::Response;

#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    client: ClientArguments,
    /// GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.
    #[arg(value_name = "METHOD")]
    method: String,
    /// Where to: https, or http on this machine. The client's setting `apis` limits it.
    #[arg(value_name = "URL")]
    url: String,
    /// One more header; may be repeated. segl itself sets Authorization, DPoP, Host and
    /// Content-Length.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The body, as it is: this text, @FILE, or "-" for standard input. It is sent as
    /// application/json unless a header says otherwise.
    #[arg(short, long, value_name = "TEXT|@FILE|-")]
    data: Option<String>,
    /// Writes the answer's body to this file, which is replaced once the new one is
    /// whole, and which only this user may read.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Prints the status and the headers before the body.
    #[arg(short, long)]
    include: bool,
    /// The most bytes that the answer's body may have, instead of the client's setting.
    #[arg(long, value_name = "BYTES")]
    max_size: Option<u64>,
    #[command(flatten)]
    token: RequestArguments,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    if arguments.data.as_deref() == Some("-") && arguments.token.reads_stdin() {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            "--data and --request both read standard input; give one of them otherwise",
        ));
    }
    // All of it is checked before a key signs.
    let request = request(arguments)?;
    let token_request = arguments.token.token_request()?;
    let (client, call) = arguments.client.open_with(|settings| {
        settings.max_response_bytes = arguments.max_size.or(settings.max_response_bytes);
    })?;
    let answer = request.send(&Arc::new(client), token_request, &call)?;
    print(&answer, arguments, output)?;
    let (method, url) = (
        arguments.method.to_ascii_uppercase(),
        request.url().without_query(),
    );
    require_success(&answer, &format!("{method} {url}"))
}

fn request(arguments: &Arguments) -> Result<ApiRequest> {
    let mut request = ApiRequest::new(&arguments.method.to_ascii_uppercase(), &arguments.url)?;
    let mut has_type = false;
    for header in &arguments.headers {
        // The whole may be a secret, so it is not shown.
        let (name, value) = header.split_once(':').ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidArgument,
                "a header has no colon; write -H 'Name: value'",
            )
        })?;
        has_type |= name.eq_ignore_ascii_case("Content-Type");
        request = request.header(name, value)?;
    }
    let Some(data) = &arguments.data else {
        return Ok(request);
    };
    if !has_type {
        request = request.header("Content-Type", "application/json")?;
    }
    request.body(std::mem::take(&mut *input::bytes(data, "the body")?))
}

fn print(answer: &Response, arguments: &Arguments, output: &Output) -> Result<()> {
    if let Some(path) = &arguments.file {
        replace(path, &answer.body)?;
    }
    let is_in_file = arguments.file.is_some();
    if output.json {
        return print_line(&pretty(&as_json(answer, is_in_file)));
    }
    if arguments.include {
        let headers = answer.headers.iter();
        let lines: String = headers
            .map(|(name, value)| format!("{name}: {}\n", on_one_line(value.as_str())))
            .collect();
        print_bytes(format!("HTTP {}\n{lines}\n", answer.status).as_bytes())?;
    }
    match is_in_file {
        true => Ok(()),
        false => print_body(&answer.body),
    }
}

/// `body` is text, `body_base64` what is not UTF-8.
fn as_json(answer: &Response, is_in_file: bool) -> Value {
    let headers = answer.headers.iter();
    let headers: Vec<_> = headers
        .map(|(name, value)| (name, value.as_str()))
        .collect();
    let mut json = json!({ "status": answer.status, "headers": headers });
    match (is_in_file, std::str::from_utf8(&answer.body)) {
        (true, _) => {}
        (false, Ok(text)) => json["body"] = text.into(),
        (false, Err(_)) => json["body_base64"] = STANDARD.encode(&*answer.body).into(),
    }
    json
}
