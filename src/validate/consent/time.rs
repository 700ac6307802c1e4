//! Points in time in claims that Altinn makes.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::clock::UnixTime;

/// The last second of year 9999. A greater number counts milliseconds.
const LAST: i64 = 253_402_300_799;

/// A time as a text of RFC 3339 with its offset, or as seconds since 1970 in a number or
/// a text. Parts of a second are cut off.
pub(in super::super) fn unix_time(value: &Value) -> Option<UnixTime> {
    let seconds = match value {
        Value::Number(number) => number.as_i64()?,
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok()?
        }
        Value::String(text) => OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp(),
        _ => return None,
    };
    (0..=LAST)
        .contains(&seconds)
        .then(|| UnixTime::from_seconds(seconds))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn all_forms_give_the_same_second() {
        for value in [
            json!(1_752_825_450),
            json!("1752825450"),
            json!("2025-07-18T07:57:30.409251+00:00"),
            json!("2025-07-18T07:57:30Z"),
            json!("2025-07-18T09:57:30.9999999+02:00"),
        ] {
            let time = unix_time(&value).map(UnixTime::seconds);
            assert_eq!(time, Some(1_752_825_450), "{value}");
        }
    }

    #[test]
    fn others_are_none() {
        for value in [
            json!(null),
            json!(true),
            json!(-1),
            json!(1_752_825_450.5),
            json!(1_752_825_450_000_i64),
            json!(""),
            json!("2025-07-18"),
            json!("2025-07-18T07:57:30"),
            json!("18.07.2025 07:57:30"),
            json!(["2025-07-18T07:57:30Z"]),
        ] {
            assert_eq!(unix_time(&value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(seconds in 0..=LAST) {
            let time = UnixTime::from_seconds(seconds);
            prop_assert_eq!(unix_time(&json!(time.to_string())), Some(time));
            prop_assert_eq!(unix_time(&json!(seconds)), Some(time));
            prop_assert_eq!(unix_time(&json!(seconds.to_string())), Some(time));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = unix_time(&json!(text));
        }
    }
}
