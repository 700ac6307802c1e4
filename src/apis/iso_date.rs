//! Days.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use time::{Date, Month, OffsetDateTime};

use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::person_id::without_numbers;

/// A day as `2027-11-20` (RFC 3339, `full-date`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IsoDate(Date);

impl IsoDate {
    /// True when the day was over at `now`, in UTC.
    pub(super) fn is_past(self, now: UnixTime) -> bool {
        let now = OffsetDateTime::from_unix_timestamp(now.seconds());
        now.is_ok_and(|now| self.0 < now.date())
    }
}

impl FromStr for IsoDate {
    type Err = Error;

    /// # Errors
    /// `INVALID_ARGUMENT`.
    fn from_str(text: &str) -> Result<Self> {
        read(text).map(Self).ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "\"{}\" is no day; write it as 2027-11-20",
                    without_numbers(text).escape_debug()
                ),
            )
        })
    }
}

fn read(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let is_shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !is_shaped {
        return None;
    }
    let month: u8 = text[5..7].parse().ok()?;
    let (year, day) = (text[..4].parse().ok()?, text[8..].parse().ok()?);
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

impl fmt::Display for IsoDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.to_calendar_date();
        write!(f, "{year:04}-{:02}-{day:02}", u8::from(month))
    }
}

impl Serialize for IsoDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IsoDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        // What stands there may be something else of a person's.
        text.parse()
            .map_err(|_| D::Error::custom("a day is written as 2027-11-20"))
    }
}

impl JsonSchema for IsoDate {
    fn schema_name() -> Cow<'static, str> {
        "IsoDate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_that_there_are_not_are_refused() {
        for text in [
            "2027-02-29",
            "2027-13-01",
            "2027-00-10",
            "27-01-01",
            "2027-1-01",
            "2027-01-01Z",
            "२०२७-०१",
        ] {
            assert!(text.parse::<IsoDate>().is_err(), "{text}");
        }
        let day: IsoDate = "2026-11-21".parse().unwrap();
        let noon = UnixTime::from_seconds(1_795_262_400);
        assert!(!day.is_past(noon) && day.is_past(noon.plus(86_400)));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_alike(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}|.{0,12}") {
            if let Ok(day) = text.parse::<IsoDate>() {
                prop_assert_eq!(day.to_string(), text);
            }
        }
    }
}
