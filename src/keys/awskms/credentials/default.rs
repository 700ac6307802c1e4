//! Where credentials are looked for, in this order: the environment, a web identity,
//! the shared files, the container, the instance.

use super::profiles::{Basis, Profiles, Source};
use super::{Credentials, CredentialsProvider, container, instance, process, sts, unusable};
use crate::call::Call;
use crate::error::Result;
use crate::keys::awskms::place::Place;
use crate::keys::awskms::variables::variable;
use crate::keys::uri::AwsKmsUri;
use crate::log::{self, Level};
use crate::secret::Secret;

/// The credentials that AWS's own tools would use on this machine, looked up anew
/// each time.
#[derive(Debug)]
pub(in super::super) struct DefaultCredentials {
    /// Only this profile counts, when the URI names one.
    profile: Option<String>,
    allow_process: bool,
    place: Place,
}

impl DefaultCredentials {
    pub(in super::super) fn new(uri: &AwsKmsUri, place: &Place) -> Self {
        Self {
            profile: uri.profile().map(str::to_owned),
            allow_process: uri.allow_process(),
            place: place.clone(),
        }
    }

    fn find(&self, call: &Call) -> Result<(Credentials, &'static str)> {
        if self.profile.is_none() {
            if let Some(found) = from_environment()? {
                return Ok((found, "the environment"));
            }
            if let Some(found) = self.of_web_identity(call)? {
                return Ok((found, "a web identity"));
            }
        }
        if let Some(found) = self.of_profile(call)? {
            return Ok((found, "a profile"));
        }
        if let Some(profile) = &self.profile {
            return Err(unusable(format!(
                "the AWS profile \"{}\" has no credentials; add them, role_arn or credential_process",
                profile.escape_debug()
            )));
        }
        if let Some(found) = container::credentials(call)? {
            return Ok((found, "the container"));
        }
        match instance::credentials(call)? {
            Ok(found) => Ok((found, "the instance")),
            Err(why) => Err(unusable(format!(
                "no AWS credentials were found in the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or \
                 AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN), in the profile of ~/.aws, in the container's or in \
                 the instance's metadata ({why}); set one of them"
            ))),
        }
    }

    fn of_web_identity(&self, call: &Call) -> Result<Option<Credentials>> {
        let (Some(token_file), Some(role_arn)) = (
            variable("AWS_WEB_IDENTITY_TOKEN_FILE"),
            variable("AWS_ROLE_ARN"),
        ) else {
            return Ok(None);
        };
        let role = sts::Role {
            arn: role_arn,
            session_name: variable("AWS_ROLE_SESSION_NAME"),
            external_id: None,
            duration_seconds: None,
        };
        sts::assume_with_web_identity(&self.place, &role, token_file.as_ref(), call).map(Some)
    }

    fn of_profile(&self, call: &Call) -> Result<Option<Credentials>> {
        let profiles = Profiles::load(self.profile.as_deref())?;
        let name = profiles.name().to_owned();
        let source = profiles.source()?;
        source
            .map(|source| self.obtain(source, call))
            .transpose()
            .map_err(|error| {
                error.in_context(format_args!("AWS profile \"{}\"", name.escape_debug()))
            })
    }

    fn obtain(&self, source: Source, call: &Call) -> Result<Credentials> {
        match source {
            Source::Keys(credentials) => Ok(credentials),
            Source::Process(command) => process::credentials(&command, self.allow_process, call),
            Source::WebIdentity { role, token_file } => {
                sts::assume_with_web_identity(&self.place, &role, &token_file, call)
            }
            Source::Role { role, basis } => {
                let own = match basis {
                    Basis::Source(source) => self.obtain(*source, call)?,
                    Basis::Environment => from_environment()?.ok_or_else(|| {
                        unusable("credential_source is Environment, which has none")
                    })?,
                    Basis::Container => container::credentials(call)?.ok_or_else(|| {
                        unusable("credential_source is EcsContainer, but there is none")
                    })?,
                    Basis::Instance => instance::credentials(call)?.map_err(|why| {
                        unusable(format!(
                            "credential_source is Ec2InstanceMetadata, but there is none ({why})"
                        ))
                    })?,
                };
                sts::assume(&self.place, &role, &own, call)
            }
        }
    }
}

impl CredentialsProvider for DefaultCredentials {
    fn credentials(&self, call: &Call) -> Result<Credentials> {
        let (credentials, place) = self
            .find(call)
            .map_err(|error| error.in_context("looking for AWS credentials"))?;
        log::emit(
            Level::Info,
            "awskms",
            format_args!("credentials {} from {place}", credentials.access_key_id()),
        );
        Ok(credentials)
    }
}

fn from_environment() -> Result<Option<Credentials>> {
    let (Some(id), Some(secret)) = (
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
    ) else {
        return Ok(None);
    };
    let found = Credentials::new(&id, Secret::new(secret.into_bytes()))?;
    Ok(Some(match variable("AWS_SESSION_TOKEN") {
        Some(token) => found.with_session_token(&Secret::new(token.into_bytes()))?,
        None => found,
    }))
}
