//! Times as public registers write them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};

/// A point in time with its offset from UTC. Reads RFC 3339 and what KRR makes of ISO
/// 8601: offsets of hours only (`2023-06-29T10:14:52+02`) or without a colon (`+0200`).
/// Prints RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// The same without its fraction of a second and its offset.
    pub fn unix_time(self) -> UnixTime {
        UnixTime::from_seconds(self.0.unix_timestamp())
    }

    /// Whether it is less than `months` calendar months before `now`, or after it.
    /// Counted in UTC; a day that the month does not have is its last one.
    pub(super) fn is_within_months(self, months: u8, now: UnixTime) -> bool {
        let start = OffsetDateTime::from_unix_timestamp(now.seconds())
            .ok()
            .and_then(|now| months_before(now, months));
        start.is_some_and(|start| self.0 > start)
    }
}

fn months_before(time: OffsetDateTime, months: u8) -> Option<OffsetDateTime> {
    let counted = time.year() * 12 + i32::from(u8::from(time.month())) - 1 - i32::from(months);
    let (year, month) = (counted.div_euclid(12), counted.rem_euclid(12) + 1);
    let month = time::Month::try_from(u8::try_from(month).ok()?).ok()?;
    let day = time.day().min(month.length(year));
    let date = time::Date::from_calendar_date(year, month, day).ok()?;
    Some(time.replace_date(date))
}

impl FromStr for Timestamp {
    type Err = Error;

    /// # Errors
    /// `INVALID_ARGUMENT`, without the text.
    fn from_str(text: &str) -> Result<Self> {
        OffsetDateTime::parse(&with_whole_offset(text), &Rfc3339)
            .map(Self)
            .map_err(|_| {
                Error::new(
                    ErrorCode::InvalidArgument,
                    "this is no time (not shown); it looks like 2023-06-29T10:14:52+02:00",
                )
            })
    }
}

/// The text with the offset that RFC 3339 wants. Other texts stay as they are.
fn with_whole_offset(text: &str) -> Cow<'_, str> {
    // The hyphens of the date stand before this.
    const TIME: usize = "2023-06-29T".len();
    let Some(sign) = text.get(TIME..).and_then(|time| time.rfind(['+', '-'])) else {
        return text.into();
    };
    let (time, offset) = text.split_at(TIME + sign);
    if !offset[1..].bytes().all(|byte| byte.is_ascii_digit()) {
        return text.into();
    }
    match offset.len() {
        3 => format!("{time}{offset}:00").into(),
        5 => format!("{time}{}:{}", &offset[..3], &offset[3..]).into(),
        _ => text.into(),
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.format(&Rfc3339).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<String> {
        text.parse::<Timestamp>().ok().map(|time| time.to_string())
    }

    #[test]
    fn the_forms_of_the_register_are_read() {
        for (text, printed) in [
            ("2023-06-29T10:14:52+02", "2023-06-29T10:14:52+02:00"),
            ("2023-06-29T10:14:52-02", "2023-06-29T10:14:52-02:00"),
            ("2023-06-29T10:14:52+0200", "2023-06-29T10:14:52+02:00"),
            ("2016-08-05T10:45:15.768Z", "2016-08-05T10:45:15.768Z"),
            ("2010-12-16T13:32:05.000+01:00", "2010-12-16T13:32:05+01:00"),
            ("2010-12-16T13:32:05.5+01", "2010-12-16T13:32:05.5+01:00"),
        ] {
            assert_eq!(read(text).as_deref(), Some(printed));
        }
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "2023-06-29",
            "2023-06-29T10:14:52",
            "2023-06-29T10:14:52+2",
            "2023-06-29T10:14:52+020",
            "2023-06-29T10:14:52+02000",
            "2023-06-29T10:14:52+æ",
            "2023-06-29T10:14:52+99",
            "2023-02-30T10:14:52+02",
            "2023-06-29T10:14+02",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn months_are_counted_by_the_calendar() {
        let within = |time: &str, now: &str| {
            let now: Timestamp = now.parse().unwrap();
            let time: Timestamp = time.parse().unwrap();
            time.is_within_months(18, now.unix_time())
        };
        assert!(within("2025-05-21T12:00:01Z", "2026-11-21T12:00:00Z"));
        assert!(!within("2025-05-21T12:00:00Z", "2026-11-21T12:00:00Z"));
        assert!(!within("2025-05-21T12:00:01+02", "2026-11-21T12:00:00Z"));
        // August has 31 days and February 28.
        assert!(!within("2025-02-28T12:00:00Z", "2026-08-31T12:00:00Z"));
        assert!(within("2025-02-28T12:00:01Z", "2026-08-31T12:00:00Z"));
        assert!(within("2030-01-01T00:00:00Z", "2026-08-31T12:00:00Z"));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = read(&text);
        }

        #[test]
        fn shapes_like_times_are_read_or_refused(text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-9:.Z+é-]{0,20}") {
            if let Some(printed) = read(&text) {
                prop_assert_eq!(read(&printed), Some(printed));
            }
        }

        #[test]
        fn a_time_is_the_same_in_each_spelling(
            seconds in 0i64..4_000_000_000,
            nanos in 0u32..1_000_000_000,
            hours in -23i8..=23,
        ) {
            let offset = time::UtcOffset::from_hms(hours, 0, 0).unwrap();
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            let time = Timestamp(time.replace_nanosecond(nanos).unwrap().to_offset(offset));
            let long = time.to_string();
            prop_assert_eq!(long.parse::<Timestamp>().unwrap(), time);
            if let Some(short) = long.strip_suffix(":00").filter(|_| hours != 0) {
                prop_assert_eq!(short.parse::<Timestamp>().unwrap(), time);
                let plain = format!("{short}00");
                prop_assert_eq!(plain.parse::<Timestamp>().unwrap(), time);
            }
        }
    }
}
