//! `krr.lookup`

use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::{Batch, Krr, KrrVersion, read_persons_file};
use crate::apis::operations::{Context, Describe};
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::person_id::PersonId;

pub(in crate::apis) struct LookUp;

/// Either `persons` or `file`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::apis) struct Input {
    /// The persons.
    #[serde(default)]
    persons: Option<Vec<PersonId>>,
    /// A file with the persons, one a line.
    #[serde(default)]
    file: Option<PathBuf>,
    /// Which look-up; `v2` when left out.
    #[serde(default)]
    version: VersionName,
    /// Whether persons that are not registered are answered with the status
    /// `IKKE_REGISTRERT` instead of being missing. Version 2 only.
    #[serde(default)]
    include_unregistered: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum VersionName {
    V1,
    #[default]
    V2,
}

/// What the register answered, and when.
pub(in crate::apis) struct Found {
    batch: Batch,
    now: UnixTime,
}

impl Serialize for Found {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.batch.document(self.now).serialize(serializer)
    }
}

impl Describe for LookUp {
    const NAME: &'static str = "krr.lookup";
    const SUMMARY: &'static str =
        "Looks up persons' contact information, reservation and digital post.";
    type Input = Input;
    type Output = Found;

    fn run(input: Input, context: &Context<'_>) -> Result<Found> {
        let version = version(input.version, input.include_unregistered)?;
        let persons = match (input.persons, input.file) {
            (Some(persons), None) => persons,
            (None, Some(file)) => read_persons_file(&file)?,
            _ => return Err(wrong("give either \"persons\" or \"file\"")),
        };
        let krr = Krr::new(Arc::clone(context.client), context.token_request.clone())?
            .with_version(version);
        let batch = krr.lookup_all(persons, context.call)?;
        let now = krr.now();
        Ok(Found { batch, now })
    }
}

fn version(name: VersionName, include_unregistered: bool) -> Result<KrrVersion> {
    match (name, include_unregistered) {
        (VersionName::V1, false) => Ok(KrrVersion::V1),
        (VersionName::V1, true) => Err(wrong(
            "version 1 cannot include those who are not registered; ask version 2",
        )),
        (VersionName::V2, include_unregistered) => Ok(KrrVersion::V2 {
            include_unregistered,
        }),
    }
}

fn wrong(problem: &str) -> Error {
    Error::new(ErrorCode::InvalidArgument, problem)
}
