//! `segl kfr`

mod batch;
mod check;
mod lookups;
mod own_customers;

use std::sync::Arc;

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::client::{ClientArguments, RequestArguments};
use super::input;
use super::output::Output;
use crate::apis::Kfr;
use crate::apis::kfr::{BatchOptions, Case, CorrelationId, CustomerId, FormStyle, Period};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Adds the customers in a file, part by part, and goes on after interruptions.
    ///
    /// The file has a customer a line, or several between commas, each as ID or
    /// ID#YYYY-MM-DD. All of it is checked before anything is sent. What KFR accepted is
    /// written down in a journal beside the file, without identifiers. Needs the scope
    /// bits:kundeforhold.write.
    Batch(batch::Arguments),
    /// Checks a file of customers as batch does, and sends nothing.
    ///
    /// Names the lines that are wrong, without what stands in them, and says how many
    /// relations, parts and bytes would be sent. Needs no client, key or network. Exit codes: 0
    /// the file can be sent; 1 lines are wrong.
    Check(check::Arguments),
    /// Adds a customer, from today on. Needs the scope bits:kundeforhold.write.
    Add(own_customers::Arguments),
    /// Removes a customer. Needs the scope bits:kundeforhold.write.
    Remove(own_customers::Arguments),
    /// Tells whether a customer has a relationship with the institution. Needs the scope
    /// bits:kundeforhold.write.
    Banks(own_customers::BanksArguments),
    /// Lists the banks of a customer. Needs the scope bits:kundeforhold.
    Relationships(lookups::RelationshipsArguments),
    /// Tells which bank holds an account. Needs the scope bits:kundeforhold.konto.
    Provider(lookups::ProviderArguments),
}

pub(super) fn run(command: &Command, output: &Output) -> Result<()> {
    match command {
        Command::Batch(arguments) => batch::run(arguments, output),
        Command::Check(arguments) => check::run(arguments, output),
        Command::Add(arguments) => own_customers::add(arguments, output),
        Command::Remove(arguments) => own_customers::remove(arguments, output),
        Command::Banks(arguments) => own_customers::banks(arguments, output),
        Command::Relationships(arguments) => lookups::relationships(arguments, output),
        Command::Provider(arguments) => lookups::provider(arguments, output),
    }
}

/// What every command has.
#[derive(Args)]
struct Common {
    #[command(flatten)]
    client: ClientArguments,
    #[command(flatten)]
    token: RequestArguments,
}

impl Common {
    /// KFR with the client's tokens, and the call that bounds its work.
    fn open(&self) -> Result<(Kfr, Call)> {
        let token_request = self.token.token_request()?;
        let (client, call) = self.client.open()?;
        Ok((Kfr::new(Arc::new(client), token_request)?, call))
    }

    /// The same for one request.
    fn open_with(&self, id: &CorrelationArgument) -> Result<(Kfr, Call)> {
        let id = id.id()?;
        let (kfr, call) = self.open()?;
        let kfr = match id {
            Some(id) => kfr.with_correlation_id(id),
            None => kfr,
        };
        Ok((kfr, call))
    }

    /// An identifier from "-" or @FILE, or from the command line if it is nobody's secret.
    fn identifier(&self, argument: &str) -> Result<Zeroizing<String>> {
        if argument == "-" && self.token.reads_stdin() {
            return Err(wrong(
                "the identifier and --request are both read from standard input; give one of them otherwise",
            ));
        }
        input::refuse_person(argument)?;
        let text = input::text(argument, "the identifier")?;
        Ok(Zeroizing::new(text.trim().to_owned()))
    }

    fn customer(&self, argument: &str) -> Result<CustomerId> {
        self.identifier(argument)?.parse()
    }
}

/// How a file is cut into requests, and how they are written.
#[derive(Args)]
struct FormArguments {
    /// The most relations of a request, up to 400000 [default: 10000]
    #[arg(long, value_name = "NUMBER")]
    max_relations: Option<u32>,
    /// Writes the form by RFC 7578, without the semicolons of Bits' sample.
    #[arg(long)]
    standard_form: bool,
}

impl FormArguments {
    fn options(&self) -> Result<BatchOptions> {
        Ok(BatchOptions {
            max_relations: self.max_relations.map(TryInto::try_into).transpose()?,
            form: match self.standard_form {
                true => FormStyle::Standard,
                false => FormStyle::Documented,
            },
            ..BatchOptions::default()
        })
    }
}

#[derive(Args)]
struct CorrelationArgument {
    /// What the request is called at Bits, instead of a new UUID.
    #[arg(long, value_name = "UUID")]
    correlation_id: Option<String>,
}

impl CorrelationArgument {
    fn id(&self) -> Result<Option<CorrelationId>> {
        self.correlation_id.as_deref().map(str::parse).transpose()
    }
}

#[derive(Args)]
struct PeriodArguments {
    /// The first day, YYYY-MM-DD, instead of today.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The last day, YYYY-MM-DD, instead of today.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
}

impl PeriodArguments {
    fn period(&self) -> Result<Period> {
        Period::parse(self.from.as_deref(), self.to.as_deref())
    }
}

#[derive(Args)]
struct CaseArguments {
    /// The legal basis of the case, as it reads.
    #[arg(long, value_name = "TEXT", requires = "case")]
    legal_mandate: Option<String>,
    /// The agency's reference to the case.
    #[arg(long, value_name = "REFERENCE", requires = "legal_mandate")]
    case: Option<String>,
}

impl CaseArguments {
    fn case(&self) -> Result<Option<Case>> {
        let both = self.legal_mandate.as_deref().zip(self.case.as_deref());
        both.map(|(mandate, reference)| Case::new(mandate, reference))
            .transpose()
    }
}

/// A number of things, for people.
fn count(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

fn wrong(problem: &str) -> Error {
    Error::new(ErrorCode::InvalidArgument, problem)
}
