//! Options of the commands that work for a client of the configuration.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{StringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Args, Command};

use super::input::{is_person, json_object};
use crate::call::Call;
use crate::config::Config;
use crate::error::Result;
use crate::profiles::{ClientSettings, ConsumerOrg, Scope, TokenRequest};
use crate::token::TokenClient;

#[derive(Args)]
pub(super) struct ClientArguments {
    /// The client's name in the configuration.
    #[arg(value_name = "CLIENT", value_parser = NameParser)]
    name: String,
    /// The configuration, TOML or JSON.
    #[arg(long, value_name = "FILE", default_value = "segl.toml")]
    config: PathBuf,
    /// Gives up after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u32,
}

impl ClientArguments {
    /// The client, and the call that bounds its work.
    pub(super) fn open(&self) -> Result<(TokenClient, Call)> {
        let call = self.call();
        let config = self.config()?;
        Ok((TokenClient::from_config(&config, &self.name, &call)?, call))
    }

    /// As [`ClientArguments::open`], with other settings than those in the file.
    pub(super) fn open_with(
        &self,
        change: impl FnOnce(&mut ClientSettings),
    ) -> Result<(TokenClient, Call)> {
        let call = self.call();
        let config = self.config()?;
        let mut settings = config.client(&self.name)?.clone();
        change(&mut settings);
        let client = TokenClient::builder(settings)
            .pin_policy(config.pin_policy())
            .build(&call)
            .map_err(|error| error.in_client(&self.name))?;
        Ok((client, call))
    }

    /// The client's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The whole configuration.
    pub(super) fn config(&self) -> Result<Config> {
        Config::from_file(&self.config)
    }

    /// A call that begins now.
    pub(super) fn call(&self) -> Call {
        Call::within(Duration::from_secs(self.timeout.into()))
    }
}

/// Refuses a person where the client was forgotten. An error of clap's own parsers repeats what
/// was given.
#[derive(Clone)]
struct NameParser;

impl TypedValueParser for NameParser {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> std::result::Result<String, clap::Error> {
        if is_person(&value.to_string_lossy()) {
            let problem = "CLIENT is the client's name in the configuration; give a person's 11 digits in a file or on \
                           standard input, for other users of this machine can see arguments\n";
            return Err(clap::Error::raw(ErrorKind::ValueValidation, problem).with_cmd(command));
        }
        StringValueParser::new().parse_ref(command, argument, value)
    }
}

#[derive(Args)]
pub(super) struct RequestArguments {
    /// A scope, instead of the client's; may be repeated.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// A resource (RFC 8707), instead of the client's; may be repeated.
    #[arg(long, value_name = "URI")]
    resource: Vec<String>,
    /// The consumer's organisation number, instead of the client's setting.
    #[arg(long, value_name = "ORGNO")]
    consumer_org: Option<String>,
    /// A whole token request as JSON, for example with authorization_details; excludes the
    /// options above. This text, @FILE, or "-" for standard input. Arguments can be seen by
    /// other users of the machine: give a pid in the other ways.
    #[arg(long, value_name = "JSON|@FILE|-", conflicts_with_all = ["scopes", "resource", "consumer_org"])]
    request: Option<String>,
}

impl RequestArguments {
    /// Whether [`RequestArguments::token_request`] reads standard input.
    pub(super) fn reads_stdin(&self) -> bool {
        self.request.as_deref() == Some("-")
    }

    pub(super) fn token_request(&self) -> Result<TokenRequest> {
        if let Some(json) = &self.request {
            return TokenRequest::from_json(&json_object(json, "--request")?);
        }
        let mut request = TokenRequest::default();
        if !self.scopes.is_empty() {
            let scopes = self.scopes.iter().map(|scope| scope.parse::<Scope>());
            request.scopes = Some(scopes.collect::<Result<_>>()?);
        }
        if !self.resource.is_empty() {
            request.resource = Some(self.resource.clone());
        }
        if let Some(orgno) = &self.consumer_org {
            request.consumer_org = ConsumerOrg::Org(orgno.parse()?);
        }
        Ok(request)
    }
}
