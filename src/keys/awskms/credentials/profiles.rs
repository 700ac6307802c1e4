//! The shared files `~/.aws/config` and `~/.aws/credentials` ("Configuration and
//! credential file settings", AWS CLI user guide).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::sts::Role;
use super::{Credentials, unusable};
use crate::error::Result;
use crate::file;
use crate::keys::awskms::variables::variable;
use crate::secret::Secret;

type Settings = BTreeMap<String, Zeroizing<String>>;

/// Both files, and the profile that counts.
pub(in super::super) struct Profiles {
    all: BTreeMap<String, Settings>,
    name: String,
    is_named: bool,
}

/// Where a profile's credentials come from.
pub(super) enum Source {
    Keys(Credentials),
    Process(Zeroizing<String>),
    WebIdentity { role: Role, token_file: PathBuf },
    Role { role: Role, basis: Basis },
}

/// Whose credentials may take a role.
pub(super) enum Basis {
    Source(Box<Source>),
    Environment,
    Container,
    Instance,
}

impl Profiles {
    /// Reads the files that there are; `name` goes before `AWS_PROFILE` and `default`.
    ///
    /// # Errors
    /// `IO` for a file that is there and cannot be read; `KMS_CREDENTIALS` for a line
    /// that is no part of such a file, and for a named profile that is not there.
    pub(in super::super) fn load(name: Option<&str>) -> Result<Self> {
        let named = name.map(str::to_owned).or_else(|| variable("AWS_PROFILE"));
        let mut profiles = Self {
            all: BTreeMap::new(),
            is_named: named.is_some(),
            name: named.unwrap_or_else(|| "default".to_owned()),
        };
        if let Some(path) = place("AWS_CONFIG_FILE", "config") {
            profiles.add(&path, true)?;
        }
        if let Some(path) = place("AWS_SHARED_CREDENTIALS_FILE", "credentials") {
            profiles.add(&path, false)?;
        }
        if profiles.is_named && !profiles.all.contains_key(&profiles.name) {
            return Err(unusable(format!(
                "there is no AWS profile \"{}\"; add it to ~/.aws/config or ~/.aws/credentials",
                profiles.name.escape_debug()
            )));
        }
        Ok(profiles)
    }

    /// The profile that counts.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The profile's `region`.
    pub(in super::super) fn region(&self) -> Option<String> {
        let region = self.all.get(&self.name)?.get("region")?;
        Some(region.to_string())
    }

    /// Where the profile's credentials come from; `None` when it has none.
    pub(super) fn source(&self) -> Result<Option<Source>> {
        self.source_of(&self.name, &mut Vec::new())
    }

    fn source_of(&self, name: &str, seen: &mut Vec<String>) -> Result<Option<Source>> {
        let Some(settings) = self.all.get(name) else {
            return Ok(None);
        };
        let refuse = |problem: &str| {
            Err(unusable(format!(
                "AWS profile \"{}\" {problem}",
                name.escape_debug()
            )))
        };
        let get = |key: &str| settings.get(key).map(|value| value.as_str());
        // Of a profile that names itself as the source of its role, the keys count.
        let names_itself = seen.iter().any(|earlier| earlier == name);
        if let Some(arn) = get("role_arn").filter(|_| !names_itself) {
            seen.push(name.to_owned());
            if get("mfa_serial").is_some() {
                return refuse(
                    "asks for a code of an MFA device, which a program has not; use credential_process, \
                     for example with \"aws configure export-credentials\"",
                );
            }
            let duration = get("duration_seconds").map(str::parse).transpose();
            let Ok(duration_seconds) = duration else {
                return refuse("has a duration_seconds that is no number");
            };
            let role = Role {
                arn: arn.to_owned(),
                session_name: get("role_session_name").map(str::to_owned),
                external_id: get("external_id").map(str::to_owned),
                duration_seconds,
            };
            if let Some(file) = get("web_identity_token_file") {
                let token_file = file.into();
                return Ok(Some(Source::WebIdentity { role, token_file }));
            }
            let basis = match (get("source_profile"), get("credential_source")) {
                (Some(source), None) => match self.source_of(source, seen)? {
                    Some(source) => Basis::Source(Box::new(source)),
                    None => return refuse("has a source_profile without credentials"),
                },
                (None, Some("Environment")) => Basis::Environment,
                (None, Some("EcsContainer")) => Basis::Container,
                (None, Some("Ec2InstanceMetadata")) => Basis::Instance,
                (None, Some(_)) => {
                    return refuse(
                        "has a credential_source that is none of Environment, EcsContainer and Ec2InstanceMetadata",
                    );
                }
                _ => {
                    return refuse(
                        "has role_arn and needs exactly one of source_profile, credential_source and web_identity_token_file",
                    );
                }
            };
            return Ok(Some(Source::Role { role, basis }));
        }
        if let (Some(id), Some(secret)) = (get("aws_access_key_id"), get("aws_secret_access_key")) {
            let found = Credentials::new(id, Secret::from(secret.as_bytes()))?;
            return Ok(Some(Source::Keys(match get("aws_session_token") {
                Some(token) => found.with_session_token(&Secret::from(token.as_bytes()))?,
                None => found,
            })));
        }
        if names_itself {
            return refuse("is part of a circle of source_profile settings");
        }
        if let Some(command) = settings.get("credential_process") {
            return Ok(Some(Source::Process(command.clone())));
        }
        if settings.keys().any(|key| key.starts_with("sso_")) {
            return refuse(
                "uses single sign-on (\"aws sso login\"), which segl does not speak; set in a profile of its own \
                 credential_process = aws configure export-credentials --profile NAME --format process",
            );
        }
        Ok(None)
    }

    fn add(&mut self, path: &Path, is_config: bool) -> Result<()> {
        let text = file::read_text(path, "AWS settings")?;
        let mut section: Option<String> = None;
        for (number, line) in text.lines().enumerate() {
            let is_nested = line.starts_with([' ', '\t']);
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let Some((name, _)) = rest.split_once(']') else {
                    return Err(unreadable(
                        path,
                        number,
                        "begins a section and has no \"]\"",
                    ));
                };
                section = profile_name(name.trim(), is_config);
                if let Some(name) = &section {
                    self.all.entry(name.clone()).or_default();
                }
                continue;
            }
            // Settings of one service, below `s3 =` and the like.
            if is_nested {
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                return Err(unreadable(
                    path,
                    number,
                    "is neither a section nor a setting",
                ));
            };
            if let Some(name) = &section {
                let value = without_comment(value.trim());
                self.all.entry(name.clone()).or_default().insert(
                    key.trim().to_ascii_lowercase(),
                    Zeroizing::new(value.to_owned()),
                );
            }
        }
        Ok(())
    }
}

/// The file that `name` names, or the usual one if it is there.
fn place(name: &str, usual: &str) -> Option<PathBuf> {
    if let Some(path) = variable(name) {
        let path = PathBuf::from(path);
        return path.exists().then_some(path);
    }
    let home = variable("HOME").or_else(|| variable("USERPROFILE"))?;
    let path = Path::new(&home).join(".aws").join(usual);
    path.exists().then_some(path)
}

/// `[profile NAME]` in the configuration, `[NAME]` among the credentials, `[default]`
/// in both. Other sections are none of a profile.
fn profile_name(section: &str, is_config: bool) -> Option<String> {
    if !is_config || section == "default" {
        return Some(section.to_owned());
    }
    let name = section.strip_prefix("profile")?;
    let name = name.strip_prefix([' ', '\t'])?.trim();
    Some(name.trim_matches('"').to_owned())
}

/// A comment after a value begins with a blank.
fn without_comment(value: &str) -> &str {
    let end = [" #", " ;", "\t#", "\t;"]
        .iter()
        .filter_map(|mark| value.find(mark))
        .min();
    value[..end.unwrap_or(value.len())].trim_end()
}

fn unreadable(path: &Path, line: usize, problem: &str) -> crate::error::Error {
    unusable(format!(
        "AWS settings {}: line {} {problem}",
        path.display(),
        line + 1
    ))
}
