//! `segl simulate`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::output::{Output, print_line};
use crate::error::{Error, ErrorCode, Result};
use crate::simulator::{Simulator, SimulatorConfig, Urls};

#[derive(Args)]
pub(super) struct Arguments {
    /// Loopback address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Clients, scopes and outages, TOML.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Serves HTTPS too, on this port of the same address; a free one when left out.
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "0")]
    tls: Option<u16>,
    /// Writes the certificate that clients have to trust for HTTPS, PEM.
    #[arg(long, value_name = "FILE")]
    ca_out: Option<PathBuf>,
}

/// Prints one line of JSON with the addresses when it is ready, and settings for
/// `segl.toml` on standard error, and serves until the process is ended.
pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let mut config = match &arguments.config {
        Some(path) => SimulatorConfig::from_file(path)?,
        None => SimulatorConfig::default(),
    };
    if let Some(port) = arguments.tls {
        config = config.with_tls(port);
    }
    let simulator = Simulator::start(config, arguments.listen)?;
    if let Some(file) = &arguments.ca_out {
        write_ca(simulator.ca_pem(), file)?;
    }
    output.note(&settings(simulator.urls(), arguments.ca_out.as_deref()));
    print_line(&json!(simulator.urls()).to_string())?;
    loop {
        std::thread::park();
    }
}

fn write_ca(ca_pem: Option<&str>, file: &Path) -> Result<()> {
    let pem = ca_pem.ok_or_else(|| {
        Error::new(
            ErrorCode::Config,
            "--ca-out needs HTTPS; add --tls, or the table [tls] to the configuration",
        )
    })?;
    std::fs::write(file, pem).map_err(|source| {
        let problem = format!("{} cannot be written: {source}", file.display());
        Error::new(ErrorCode::Io, problem).with_source(source)
    })
}

/// Clients of the simulator for `segl.toml`: over HTTPS when there is a file with
/// the certificate to trust.
fn settings(urls: &Urls, ca_file: Option<&Path>) -> String {
    let (urls, tls) = match (&urls.https, ca_file) {
        (Some(https), Some(file)) => (&**https, Some(std::path::absolute(file))),
        _ => (urls, None),
    };
    // A JSON string is a TOML string.
    let ca_file = tls
        .and_then(std::result::Result::ok)
        .map(|file| format!("ca_file = {}\n", json!(file.to_string_lossy())));
    let trust = |client: &str, certificate: &str| match &ca_file {
        Some(ca_file) => format!("\n[clients.{client}.tls]\n{certificate}{ca_file}"),
        None => String::new(),
    };
    format!(
        "# For segl.toml; clients and keys are those that the simulator was told of.\n\
         [clients.maskinporten]\n\
         profile = \"maskinporten\"\n\
         issuer = {}\n\
         client_id = \"your-client\"\n\
         kid = \"your-kid\"\n\
         key = \"file:maskinporten.pem\"\n\
         {}\n\
         [clients.dnb]\n\
         profile = \"dnb\"\n\
         token_endpoint = {}\n\
         client_id = \"your-client\"\n\
         key = \"file:dnb.pem\"\n\
         {}\n\
         [clients.helseid]\n\
         profile = \"helseid\"\n\
         issuer = {}\n\
         client_id = \"your-client\"\n\
         kid = \"your-kid\"\n\
         key = \"file:helseid.pem\"\n\
         {}",
        json!(urls.maskinporten_issuer),
        trust("maskinporten", ""),
        json!(urls.dnb_token_endpoint),
        trust(
            "dnb",
            "key = \"file:client.pem\"   # with its certificate\n"
        ),
        json!(urls.helseid_issuer),
        trust("helseid", ""),
    )
}
