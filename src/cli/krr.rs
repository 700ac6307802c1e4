//! `segl krr`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;

use super::client::{ClientArguments, RequestArguments};
use super::input::refuse_person;
use super::output::{Output, compact, pretty, print_line, print_line_to_reader};
use crate::apis::Krr;
use crate::apis::krr::{Batch, KrrVersion, read_persons, read_persons_file};
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::person_id::PersonId;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Looks up persons' contact information, reservation and digital post.
    ///
    /// Prints a line of JSON for each person, as the register has it, with
    /// email_is_current and mobile_is_current: whether they were changed or verified in the
    /// last 18 months. A person that the register left out is a line with "missing". All
    /// identifiers are checked before anything is sent; --timeout bounds each request.
    Lookup(Arguments),
}

#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    client: ClientArguments,
    /// The persons' identifiers, one a line; "-" for standard input.
    #[arg(value_name = "FILE|-", default_value = "-")]
    file: PathBuf,
    /// Which look-up.
    #[arg(long, value_name = "VERSION", value_parser = ["1", "2"], default_value = "2")]
    api_version: String,
    /// Prints persons that are not registered with the status IKKE_REGISTRERT.
    #[arg(long)]
    include_unregistered: bool,
    #[command(flatten)]
    token: RequestArguments,
}

pub(super) fn run(command: &Command, output: &Output) -> Result<()> {
    let Command::Lookup(arguments) = command;
    let version = version(arguments)?;
    let persons = persons(arguments)?;
    let token_request = arguments.token.token_request()?;
    let (client, _) = arguments.client.open()?;
    let krr = Krr::new(Arc::new(client), token_request)?.with_version(version);
    let count = persons.len();
    if count == 0 {
        output.note("there are no identifiers, so nothing was asked");
    }
    let mut lookup = krr.lookup(persons);
    let mut answered = Batch::default();
    let (mut found, mut missing) = (0, 0);
    while let Some(batch) = lookup.next_batch(&arguments.client.call())? {
        found += batch.persons.len();
        missing += batch.missing.len();
        output.note(&format!(
            "{found} found and {missing} missing of {count} identifiers"
        ));
        if !batch.unasked.is_empty() {
            output.note(&format!(
                "the register answered about {} persons that were not asked for; --json shows them",
                batch.unasked.len()
            ));
        }
        if output.json {
            answered.append(batch);
        } else if !print_lines(&batch, krr.now())? {
            return Ok(());
        }
    }
    match output.json {
        true => print_line(&pretty(&json!(answered.document(krr.now())))),
        false => Ok(()),
    }
}

fn version(arguments: &Arguments) -> Result<KrrVersion> {
    match (
        arguments.api_version.as_str(),
        arguments.include_unregistered,
    ) {
        ("1", false) => Ok(KrrVersion::V1),
        ("1", true) => Err(wrong(
            "--include-unregistered needs version 2 of the look-up",
        )),
        (_, include_unregistered) => Ok(KrrVersion::V2 {
            include_unregistered,
        }),
    }
}

fn persons(arguments: &Arguments) -> Result<Vec<PersonId>> {
    if arguments.file != Path::new("-") {
        refuse_person(&arguments.file.to_string_lossy())?;
        return read_persons_file(&arguments.file);
    }
    if arguments.token.reads_stdin() {
        return Err(wrong(
            "the persons and --request are both read from standard input; give one of them otherwise",
        ));
    }
    read_persons(std::io::stdin().lock(), "standard input")
}

/// False when the reader has gone away.
fn print_lines(batch: &Batch, now: UnixTime) -> Result<bool> {
    let persons = batch.persons.iter().map(|person| json!(person.record(now)));
    let missing = batch
        .missing
        .iter()
        .map(|person| json!({ "personidentifikator": person.expose(), "missing": true }));
    for line in persons.chain(missing) {
        if !print_line_to_reader(&compact(&line))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn wrong(problem: &str) -> Error {
    Error::new(ErrorCode::InvalidArgument, problem)
}
