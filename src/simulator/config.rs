//! What the simulator knows before it starts, in TOML.

use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};

use super::altinn::AltinnConfig;
use super::bank::BankConfig;
use super::consents::Consent;
use super::dnb::{DnbConfig, MutualTls};
use super::helseid::{self, HelseidConfig};
use super::kfr::KfrConfig;
use super::krr::KrrConfig;
use super::lanekassen::LanekassenConfig;
use super::maskinporten::{self, MaskinportenConfig};
use super::outage::OutageList;
use super::tls::{ClientCertificates, TlsConfig};
use crate::error::{Error, ErrorCode, Result};
use crate::keys::OrgNumber;

/// Clients, scopes and limits. The default knows no client; clients can also be
/// added while the simulator runs.
///
/// `jwks`, `trusted_certificates`, and `certificate` and `key` of `[tls]` take their
/// content in place, or the name of a file as `file:…`, relative to the
/// configuration file.
///
/// Everything is optional, but for a client's name, organisation and scopes.
///
/// ```toml
#[doc = include_str!("example.toml")]
/// ```
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulatorConfig {
    pub(super) maskinporten: MaskinportenConfig,
    pub(super) altinn: AltinnConfig,
    pub(super) dnb: DnbConfig,
    pub(super) outage: OutageList,
    pub(super) helseid: HelseidConfig,
    pub(super) krr: KrrConfig,
    pub(super) lanekassen: LanekassenConfig,
    pub(super) consents: Vec<Consent>,
    pub(super) kfr: KfrConfig,
    pub(super) bank: BankConfig,
    /// `None`: plain HTTP only.
    pub(super) tls: Option<TlsConfig>,
}

impl SimulatorConfig {
    /// From TOML text. `file:` names are relative to the working directory.
    ///
    /// # Errors
    /// `CONFIG`; `config_path` names the setting.
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::from_toml_in(text, Path::new(""))
    }

    /// From a TOML file.
    ///
    /// # Errors
    /// `IO` when the file cannot be read, otherwise as
    /// [`SimulatorConfig::from_toml`].
    pub fn from_file(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| {
            Error::new(
                ErrorCode::Io,
                format!(
                    "the simulator's configuration {} cannot be read: {source}",
                    path.display()
                ),
            )
            .with_source(source)
        })?;
        Self::from_toml_in(&text, path.parent().unwrap_or(Path::new("")))
            .map_err(|error| error.in_context(path.display()))
    }

    /// The same with HTTPS on `port` of the address that plain HTTP is served on; 0
    /// takes a free one. What the configuration says about TLS besides its port
    /// stays.
    #[must_use]
    pub fn with_tls(mut self, port: u16) -> Self {
        self.tls.get_or_insert_default().port = port;
        self
    }

    /// Refuses settings that contradict each other.
    pub(super) fn check(&self) -> Result<()> {
        let (maskinporten, helseid) = (&self.maskinporten.dpop, &self.helseid.dpop);
        maskinporten.check("maskinporten.dpop", maskinporten::DPOP)?;
        helseid.check("helseid.dpop", helseid::DPOP)?;
        self.bank.check()?;
        if let Some(tls) = &self.tls {
            tls.check()?;
        }
        let asked = self.tls.as_ref().map(|tls| tls.client_certificates);
        match (self.dnb.mutual_tls, asked) {
            (Some(MutualTls::Required), None) => Err(contradiction(
                "dnb.mutual_tls",
                "needs HTTPS; add the table [tls], or start it with --tls",
            )),
            (Some(MutualTls::Required), Some(ClientCertificates::Off)) => Err(contradiction(
                "dnb.mutual_tls",
                "needs certificates that tls.client_certificates = \"off\" does not ask for",
            )),
            _ => Ok(()),
        }
    }

    fn from_toml_in(text: &str, directory: &Path) -> Result<Self> {
        let table: toml::Table = text.parse().map_err(|source: toml::de::Error| {
            let before = source.span().and_then(|span| text.get(..span.start));
            let line = before.unwrap_or("").matches('\n').count() + 1;
            Error::new(
                ErrorCode::Config,
                format!("line {line} is not TOML: {}", source.message()),
            )
            .with_source(source)
        })?;
        let mut value = toml::Value::Table(table);
        read_files(&mut value, "", false, directory)?;
        parse(value)
    }
}

/// A `CONFIG` error about the setting at `path`.
pub(super) fn contradiction(path: &str, problem: &str) -> Error {
    Error::new(ErrorCode::Config, format!("{path}: {problem}"))
        .with_details(|details| details.config_path = Some(path.to_owned()))
}

/// A typed value, or a `CONFIG` error that names the path within it.
pub(super) fn parse<'de, T, D>(deserializer: D) -> Result<T>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
    D::Error: 'static + Send + Sync,
{
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        // TOML errors have more lines, with the path again.
        let text = error.to_string();
        let message = text.lines().next().unwrap_or_default();
        if path == "." {
            return Error::new(ErrorCode::Config, message).with_source(error);
        }
        Error::new(ErrorCode::Config, format!("{path}: {message}"))
            .with_source(error)
            .with_details(|details| details.config_path = Some(path))
    })
}

/// As [`parse`], from JSON text.
pub(super) fn parse_json<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = parse(&mut deserializer)?;
    deserializer.end().map_err(|source| {
        Error::new(ErrorCode::Config, "there is more than one JSON value").with_source(source)
    })?;
    Ok(value)
}

/// Puts the content of files where `file:…` stands, in strings that are
/// `readable`.
fn read_files(value: &mut toml::Value, path: &str, readable: bool, directory: &Path) -> Result<()> {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let readable = match key.as_str() {
                    "jwks" | "trusted_certificates" => true,
                    "certificate" | "key" => path == "tls" || path.starts_with("bank."),
                    _ => false,
                };
                let path = format!("{path}.{key}");
                read_files(value, path.trim_start_matches('.'), readable, directory)?;
            }
        }
        toml::Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                read_files(item, &format!("{path}[{index}]"), readable, directory)?;
            }
        }
        toml::Value::String(text) if readable => {
            if let Some(name) = text.strip_prefix("file:") {
                *text = read_file(&directory.join(name), path)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn read_file(file: &Path, path: &str) -> Result<String> {
    std::fs::read_to_string(file).map_err(|source| {
        Error::new(
            ErrorCode::Config,
            format!(
                "{path}: the file {} cannot be read: {source}",
                file.display()
            ),
        )
        .with_source(source)
        .with_details(|details| details.config_path = Some(path.to_owned()))
    })
}

/// `deserialize_with` for an organisation number.
pub(super) fn org_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<OrgNumber, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(D::Error::custom)
}

/// `deserialize_with` for an organisation number that may be left out.
pub(super) fn optional_org_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<OrgNumber>, D::Error> {
    org_number(deserializer).map(Some)
}

/// `deserialize_with` for a list of organisation numbers that may be left out.
pub(super) fn optional_org_numbers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Vec<OrgNumber>>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| text.parse().map_err(D::Error::custom))
        .collect::<std::result::Result<_, _>>()
        .map(Some)
}
