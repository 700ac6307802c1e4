//! `segl simulate`

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::output::print_line;
use crate::error::Result;
use crate::simulator::{Simulator, SimulatorConfig};

#[derive(Args)]
pub(super) struct Arguments {
    /// Loopback address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Clients, scopes and outages, TOML.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Prints one line of JSON with the addresses when it is ready, and serves until
/// the process is ended.
pub(super) fn run(arguments: &Arguments) -> Result<()> {
    let config = match &arguments.config {
        Some(path) => SimulatorConfig::from_file(path)?,
        None => SimulatorConfig::default(),
    };
    let simulator = Simulator::start(config, arguments.listen)?;
    print_line(&json!(simulator.urls()).to_string())?;
    loop {
        std::thread::park();
    }
}
