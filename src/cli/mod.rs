//! The program `segl`.
//!
//! Exit codes: 0 done; 1 failed; 2 the command line is wrong; 3 failed, but the
//! same command may succeed later.

mod api;
mod assert;
mod call;
mod client;
mod doctor;
mod health;
mod input;
mod inspect;
mod json_text;
mod jwk;
mod key;
mod kfr;
mod kms;
mod krr;
mod output;
mod output_file;
mod register;
#[cfg(feature = "simulator")]
mod simulate;
mod token;
mod verify;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::call::Call;
use crate::error::Result;
use crate::keys;
use output::Output;

/// Signs JWT assertions with keys that never leave their HSM, and gets access
/// tokens with them.
///
/// Keys are named by URI: file:key.pem, or
/// pkcs11:token=bank;object=maskinporten?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=env:PIN,
/// or awskms:alias/bank?region=eu-north-1
///
/// Exit codes: 0 done; 1 failed; 2 the command line is wrong; 3 failed, but the
/// same command may succeed later.
#[derive(Parser)]
#[command(name = "segl", version, max_term_width = 100)]
struct Arguments {
    /// Prints JSON for programs, errors included.
    #[arg(long, global = true)]
    json: bool,

    /// Prints log records up to this level to standard error.
    #[arg(long, global = true, value_name = "LEVEL", value_parser = ["warn", "info", "debug"])]
    log: Option<String>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes, shows and checks keys.
    #[command(subcommand)]
    Key(key::Command),
    /// Prints public keys as JWK: what Maskinporten's self-service and DNB ask for.
    Jwk(jwk::Arguments),
    /// Prints a signed assertion; nothing is sent.
    Assert(assert::Arguments),
    /// Registers a client's public keys at a service.
    #[command(subcommand)]
    Register(register::Command),
    /// Gets an access token and prints it.
    Token(token::Arguments),
    /// Calls an API with a client's access token, and its client certificate if it has one.
    ///
    /// The answer's body goes to standard output, whatever the status: as it is, but for
    /// control characters when that is a terminal. Exit codes: 0 for a status of 2xx; 3
    /// when it may succeed later (429, 5xx, no answer); 1 otherwise.
    Call(call::Arguments),
    /// Calls an API that segl knows, with JSON in and JSON out.
    #[command(subcommand)]
    Api(api::Command),
    /// Looks up persons in KRR, the register of contact information and reservations.
    #[command(subcommand)]
    Krr(krr::Command),
    /// Calls KFR, Bits' register of customer relationships.
    #[command(subcommand)]
    Kfr(kfr::Command),
    /// Checks the configuration and all that its clients need, up to one real token.
    ///
    /// It goes on after what fails. Exit codes: 0 nothing failed (warnings may stand); 1
    /// something failed; 3 all that failed may succeed later.
    Doctor(doctor::Arguments),
    /// Shows what a JWT says. It verifies nothing.
    Inspect(inspect::Arguments),
    /// Checks an access token that an API received: whether its sender may do this, now.
    ///
    /// The signature, issuer, times, scopes, organisations, audience, person, what the token
    /// is bound to and consent are checked in this order. Exit codes: 0 it is good; 1 it is
    /// refused; 3 nobody can tell now, for example without the issuer's keys.
    Verify(verify::Arguments),
    /// Runs Maskinporten, DNB and the APIs behind them on this machine, as strict as the real ones.
    ///
    /// Also a service like HelseID, Digdir's administration API, KFR, KRR, Lånekassen, NAV,
    /// Skatteetaten, a bank of DSOP Control, Altinn, and DNB's rates and accounts. Prints a line
    /// of JSON with their addresses when it is ready, and runs until it is ended. Everything is
    /// in memory.
    #[cfg(feature = "simulator")]
    Simulate(simulate::Arguments),
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output {
        json: arguments.json,
    };
    if let Some(level) = &arguments.log {
        output::log_to_stderr(level);
    }
    let code = match run(arguments.command, &output) {
        Ok(code) => code,
        Err(error) => {
            output.error(&error);
            ExitCode::from(if error.retryable() { 3 } else { 1 })
        }
    };
    // A PKCS#11 module cleans up by itself when the program ends, and may crash if another
    // thread closes its sessions meanwhile. What was to be done is done either way.
    let _ = keys::pkcs11::shutdown(&Call::none());
    code
}

/// Ends the program as clap does where arguments do not fit together.
fn wrong_command_line(kind: ErrorKind, problem: &str) -> ! {
    Arguments::command().error(kind, problem).exit()
}

fn run(command: Command, output: &Output) -> Result<ExitCode> {
    let done = match command {
        Command::Key(command) => key::run(command, output),
        Command::Jwk(arguments) => jwk::run(&arguments, output),
        Command::Assert(arguments) => assert::run(&arguments, output),
        Command::Register(command) => register::run(&command, output),
        Command::Token(arguments) => token::run(&arguments, output),
        Command::Call(arguments) => call::run(&arguments, output),
        Command::Api(command) => api::run(&command, output),
        Command::Krr(command) => krr::run(&command, output),
        Command::Kfr(command) => kfr::run(&command, output),
        // What is wrong is what it prints.
        Command::Doctor(arguments) => return doctor::run(&arguments, output),
        Command::Inspect(arguments) => inspect::run(&arguments, output),
        Command::Verify(arguments) => verify::run(&arguments, output),
        #[cfg(feature = "simulator")]
        Command::Simulate(arguments) => simulate::run(&arguments, output),
    };
    done.map(|()| ExitCode::SUCCESS)
}
