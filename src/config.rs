//! `segl.toml`, or the same as JSON: the clients and validators of a program by name.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::json::{self, Problem};
use crate::keys::uri::PinPolicy;
use crate::profiles::ClientSettings;
use crate::token::{TokenClient, TokenClientBuilder};
use crate::validate::{Validator, ValidatorBuilder, ValidatorSettings};

/// A whole configuration. Unknown settings are errors that name their path.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Clients by the names that the program uses for them.
    #[serde(default)]
    pub clients: BTreeMap<String, ClientSettings>,
    /// What checks the access tokens that the program receives, by the names that it uses.
    #[serde(default)]
    pub validators: BTreeMap<String, ValidatorSettings>,
    /// What key URIs may do.
    #[serde(default)]
    pub security: Security,
}

/// Switches for what is risky. All are off by default.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Security {
    /// Allows `pin-source=|command` in key URIs.
    #[serde(default)]
    pub allow_pin_command: bool,
    /// Allows `pin-value=…` in key URIs.
    #[serde(default)]
    pub allow_pin_value: bool,
}

impl Config {
    /// Reads a TOML file, or a JSON file when its name ends in `.json`.
    ///
    /// # Errors
    /// `IO` when it cannot be read, `CONFIG` naming the setting at fault.
    pub fn from_file(path: &Path) -> Result<Self> {
        let text = crate::file::read_text(path, "configuration")?;
        let parsed = match path.extension() {
            Some(extension) if extension == "json" => Self::from_json(&text),
            _ => Self::from_toml(&text),
        };
        parsed.map_err(|error| error.in_context(path.display()))
    }

    /// From TOML.
    ///
    /// # Errors
    /// `CONFIG` naming the setting at fault.
    pub fn from_toml(text: &str) -> Result<Self> {
        let deserializer = toml::Deserializer::parse(text).map_err(|error| {
            not_readable(
                "TOML",
                error.message(),
                error.span().map(|span| line_of(text, span.start)),
            )
        })?;
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let path = error.path().to_string();
            wrong_setting(&path, error.inner().message())
        })
    }

    /// From JSON.
    ///
    /// # Errors
    /// `CONFIG` naming the setting at fault.
    pub fn from_json(text: &str) -> Result<Self> {
        parse_json(text)
    }

    /// The settings of one client.
    ///
    /// # Errors
    /// `CONFIG` listing the clients there are.
    pub fn client(&self, name: &str) -> Result<&ClientSettings> {
        find(&self.clients, "clients", "client", name)
    }

    /// The settings of one validator.
    ///
    /// # Errors
    /// `CONFIG` listing the validators there are.
    pub fn validator(&self, name: &str) -> Result<&ValidatorSettings> {
        find(&self.validators, "validators", "validator", name)
    }

    /// Which PIN sources the key URIs of this configuration may name.
    pub fn pin_policy(&self) -> PinPolicy {
        PinPolicy {
            allow_command: self.security.allow_pin_command,
            allow_value: self.security.allow_pin_value,
        }
    }
}

impl TokenClient {
    /// The client called `name` in `config`. Its key is opened; nothing is sent.
    ///
    /// # Errors
    /// `CONFIG` when there is no such client or a setting is wrong, otherwise
    /// what opening the key reports.
    pub fn from_config(config: &Config, name: &str, call: &Call) -> Result<Self> {
        Self::builder_from_config(config, name)?.build(call)
    }

    /// As [`TokenClient::from_config`], for what the file cannot say: a signer or a
    /// transport of the program's own.
    ///
    /// # Errors
    /// `CONFIG` when there is no such client.
    pub fn builder_from_config(config: &Config, name: &str) -> Result<TokenClientBuilder> {
        Ok(Self::builder(config.client(name)?.clone())
            .pin_policy(config.pin_policy())
            .named(name))
    }
}

impl ClientSettings {
    /// The settings of one client from a JSON object, as under `clients.NAME`.
    ///
    /// # Errors
    /// `CONFIG` naming the setting at fault.
    pub fn from_json(text: &str) -> Result<Self> {
        parse_json(text)
    }
}

impl Validator {
    /// The validator called `name` in `config`. Nothing is sent.
    ///
    /// # Errors
    /// `CONFIG` when there is no such validator or a setting is wrong.
    pub fn from_config(config: &Config, name: &str) -> Result<Self> {
        Self::builder_from_config(config, name)?.build()
    }

    /// As [`Validator::from_config`], for what the file cannot say: a transport of the
    /// program's own.
    ///
    /// # Errors
    /// `CONFIG` when there is no such validator.
    pub fn builder_from_config(config: &Config, name: &str) -> Result<ValidatorBuilder> {
        Ok(Self::builder(config.validator(name)?.clone()).named(name))
    }
}

impl ValidatorSettings {
    /// The settings of one validator from a JSON object, as under `validators.NAME`.
    ///
    /// # Errors
    /// `CONFIG` naming the setting at fault.
    pub fn from_json(text: &str) -> Result<Self> {
        parse_json(text)
    }
}

/// The JSON Schema of the configuration, as in `docs/config.schema.json`.
///
/// # Errors
/// `CONFIG` when it cannot be written.
pub fn schema() -> Result<String> {
    serde_json::to_string_pretty(&schemars::schema_for!(Config))
        .map(|text| text + "\n")
        .map_err(|source| {
            Error::new(ErrorCode::Config, "the schema cannot be written").with_source(source)
        })
}

/// The entry called `name`, a `kind`, of `table`.
fn find<'a, T>(
    entries: &'a BTreeMap<String, T>,
    table: &str,
    kind: &str,
    name: &str,
) -> Result<&'a T> {
    entries.get(name).ok_or_else(|| {
        let names: Vec<_> = entries.keys().map(String::as_str).collect();
        Error::new(
            ErrorCode::Config,
            match names.as_slice() {
                [] => format!("the configuration has no {table}; add a table [{table}.NAME]"),
                _ => format!(
                    "the configuration has no {kind} \"{}\"; it has {}",
                    name.escape_debug(),
                    names.join(", ")
                ),
            },
        )
        .with_details(|details| details.config_path = Some(format!("{table}.{name}")))
    })
}

fn parse_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    json::from_object(text).map_err(|problem| match problem {
        Problem::Syntax { what, line } => not_readable("JSON", &what, line),
        Problem::Member { path, what } => wrong_setting(&path, &what),
    })
}

fn wrong_setting(path: &str, problem: &str) -> Error {
    Error::new(
        ErrorCode::Config,
        format!(
            "the configuration is wrong at \"{path}\": {}",
            json::without_value(problem)
        ),
    )
    .with_details(|details| details.config_path = Some(path.to_owned()))
}

fn not_readable(format: &str, problem: &str, line: Option<usize>) -> Error {
    let place = line
        .map(|line| format!(" at line {line}"))
        .unwrap_or_default();
    Error::new(
        ErrorCode::Config,
        format!("the configuration is no valid {format}{place}: {problem}"),
    )
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset.min(text.len())].matches('\n').count() + 1
}
