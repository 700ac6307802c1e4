//! `segl doctor`: everything that a client needs, checked in the order in which it
//! is needed, one file a check.

mod certificate;
mod client;
mod clock;
mod config_file;
mod dpop;
mod files;
mod finding;
mod key;
mod known_keys;
mod network;
mod registration;
mod report;
mod settings;
mod shared_cache;
mod steps;
mod tls;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::output::Output;
use crate::error::Result;
use client::Client;
use known_keys::KnownKeys;
use report::Report;
use steps::Steps;

#[derive(Args)]
pub(super) struct Arguments {
    /// The client's name in the configuration; left out, every client.
    #[arg(value_name = "CLIENT")]
    client: Option<String>,
    /// The configuration, TOML or JSON.
    #[arg(long, value_name = "FILE", default_value = "segl.toml")]
    config: PathBuf,
    /// Gives up each step after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    timeout: u32,
    /// Asks for no access token.
    #[arg(long)]
    no_token: bool,
    /// Asks Digdir's administration API when registered keys end, with a token of
    /// this client.
    #[arg(long, value_name = "ADMIN_CLIENT", conflicts_with = "no_token")]
    admin: Option<String>,
}

/// Checks one client or all, and goes on after what fails.
///
/// # Errors
/// `IO` when standard output cannot be written. What is wrong with a client is in
/// the exit code.
pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    let mut report = Report::new(*output);
    let only = arguments.client.as_deref();
    let Some(config) = config_file::check(&arguments.config, only, &mut report) else {
        return report.finish();
    };
    let keys = Arc::new(KnownKeys::new(config.pin_policy()));
    let steps = Steps {
        timeout: Duration::from_secs(arguments.timeout.into()),
        is_quiet: output.json,
    };
    let chosen = config
        .clients
        .iter()
        .filter(|(name, _)| only.is_none_or(|only| only == name.as_str()));
    for (name, settings) in chosen {
        let client = Client {
            name,
            settings,
            config: &config,
            keys: &keys,
            steps: &steps,
            wants_token: !arguments.no_token,
            admin: arguments.admin.as_deref(),
        };
        client.check(&mut report);
    }
    report.finish()
}
