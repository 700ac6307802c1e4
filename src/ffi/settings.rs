//! Settings that a caller gives as JSON, or by a file and a name in it.

use std::path::Path;

use super::types::null;
use crate::error::{Error, ErrorCode, Result};

/// Where the settings are.
pub(super) enum Settings<'a> {
    Json(&'a str),
    InFile { path: &'a Path, name: &'a str },
}

impl<'a> Settings<'a> {
    /// What the params of a `kind` ("client", "validator") say: exactly one of the two.
    pub(super) fn given(
        kind: &str,
        json: Option<&'a str>,
        path: Option<&'a str>,
        name: Option<&'a str>,
    ) -> Result<Self> {
        match (json, path, name) {
            (Some(json), None, None) => Ok(Self::Json(json)),
            (None, Some(path), Some(name)) => Ok(Self::InFile {
                path: Path::new(path),
                name,
            }),
            (None, Some(_), None) => Err(null(&format!("params->{kind}_name"))),
            (None, None, _) => Err(null("params->config_json, without a config_path,")),
            (Some(_), ..) => Err(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "params sets config_json, and config_path or {kind}_name too; \
                     set the settings, or a file and the {kind} in it"
                ),
            )),
        }
    }
}
