//! When something ends, as it is written in the settings.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};

/// A point in time in the settings: RFC 3339, for example `2027-11-20T09:30:00Z`, or
/// a date, `2027-11-20`, which stands for its first second in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "Written")]
#[schemars(with = "String")]
pub struct EndTime(UnixTime);

impl EndTime {
    /// The point in time.
    pub fn time(self) -> UnixTime {
        self.0
    }
}

impl FromStr for EndTime {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let time = if text.len() == "2027-11-20".len() {
            OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339)
        } else {
            OffsetDateTime::parse(text, &Rfc3339)
        };
        time.map(|time| Self(UnixTime::from_seconds(time.unix_timestamp())))
            .map_err(|source| {
                Error::new(
                    ErrorCode::InvalidArgument,
                    format!(
                        "\"{}\" is no date; write it as 2027-11-20, or with a time and its offset \
                         as 2027-11-20T09:30:00Z (RFC 3339)",
                        text.escape_debug()
                    ),
                )
                .with_source(source)
            })
    }
}

impl fmt::Display for EndTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text, or TOML's own type for dates.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a date is wanted, such as \"2027-11-20\"")]
enum Written {
    Text(String),
    Toml(toml::value::Datetime),
}

impl TryFrom<Written> for EndTime {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self> {
        match written {
            Written::Text(text) => text.parse(),
            Written::Toml(datetime) => datetime.to_string().parse(),
        }
    }
}
