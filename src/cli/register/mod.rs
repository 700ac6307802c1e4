//! `segl register`, one file a service.

mod check;
mod client_keys;
mod dnb;
mod maskinporten;
mod table;

pub(super) use check::State as KeyState;
pub(super) use client_keys::admin_of;

use clap::Subcommand;

use super::output::Output;
use crate::error::Result;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Prints the registration JWT for DNB.
    Dnb(dnb::Arguments),
    /// Registers a client's public keys in Digdir's self-service, or checks them.
    ///
    /// Keys that are registered already stay, and get another year: the API replaces
    /// the whole set. Shows what would change and asks before it writes.
    Maskinporten(maskinporten::Arguments),
}

pub(super) fn run(command: &Command, output: &Output) -> Result<()> {
    match command {
        Command::Dnb(arguments) => dnb::run(arguments, output),
        Command::Maskinporten(arguments) => maskinporten::run(arguments, output),
    }
}
