//! Paths below a service's base URL that callers give.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};
use crate::person_id::{PersonId, without_numbers};

/// The segment that a person's identifier takes the place of.
const PERSON: &str = "{person}";

/// A path below a service's base URL, as in `inntekt/v1/{person}/2024`: segments of
/// plain text, which are encoded when they are sent. A slash before them counts for
/// nothing. There is no way out of the base URL: no `.` or `..`, no empty segment, no
/// query or fragment, no encoding of the caller's own.
///
/// A segment `{person}` stands for the person that a request is about. Its text may be
/// personal, so `Debug` and errors do not show numbers of 11 digits.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiPath(Zeroizing<String>);

impl ApiPath {
    /// Its segments, with `person` for `{person}`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the path has `{person}` and there is none.
    pub fn segments<'a>(&'a self, person: Option<&'a PersonId>) -> Result<Vec<&'a str>> {
        let fill = |segment: &'a str| match (segment, person) {
            (PERSON, Some(person)) => Ok(person.expose()),
            (PERSON, None) => Err(wrong(
                "has {person}, and the request is about no person; give one",
            )),
            _ => Ok(segment),
        };
        self.0.split('/').map(fill).collect()
    }
}

impl FromStr for ApiPath {
    type Err = Error;

    /// # Errors
    /// `INVALID_ARGUMENT`, without the path.
    fn from_str(text: &str) -> Result<Self> {
        let path = text.strip_prefix('/').unwrap_or(text);
        for segment in path.split('/') {
            if let Some(problem) = problem(segment) {
                return Err(wrong(problem));
            }
        }
        Ok(Self(Zeroizing::new(path.to_owned())))
    }
}

/// What is wrong with a segment.
fn problem(segment: &str) -> Option<&'static str> {
    let has = |characters: &[char]| segment.contains(characters);
    if segment.is_empty() {
        Some("is empty, has two slashes together, or one at its end")
    } else if segment == "." || segment == ".." {
        Some("has a segment \".\" or \"..\"; it stays below the service's base URL")
    } else if has(&['?', '#']) {
        Some("has a '?' or '#'; give a query on its own")
    } else if has(&['%']) {
        Some("has a '%'; write its segments as they are, segl encodes them")
    } else if has(&['\\']) || segment.chars().any(char::is_control) {
        Some("has a backslash or a control character")
    } else if segment != PERSON && has(&['{', '}']) {
        Some("has a brace; only the whole segment {person} is replaced")
    } else {
        None
    }
}

fn wrong(problem: &str) -> Error {
    Error::new(ErrorCode::InvalidArgument, format!("the path {problem}"))
}

impl fmt::Debug for ApiPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ApiPath")
            .field(&without_numbers(&self.0))
            .finish()
    }
}

impl<'de> Deserialize<'de> for ApiPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        // serde repeats a value of the wrong type in its error.
        let wrong = |_| D::Error::custom("the path must be a text");
        let text = Zeroizing::<String>::deserialize(deserializer).map_err(wrong)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for ApiPath {
    fn schema_name() -> Cow<'static, str> {
        "ApiPath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A path below the service's base URL: segments as they are, not encoded. \
                {person} stands for the person.",
            "type": "string",
            "minLength": 1
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_person_stands_in_its_place() {
        let person: PersonId = "23079422568".parse().unwrap();
        let path: ApiPath = "/inntekt/{person}/2024".parse().unwrap();
        assert_eq!(
            path.segments(Some(&person)).unwrap(),
            ["inntekt", "23079422568", "2024"]
        );
        assert!(path.segments(None).is_err());
        let plain: ApiPath = "a/b c".parse().unwrap();
        assert_eq!(plain.segments(None).unwrap(), ["a", "b c"]);
    }

    #[test]
    fn what_leaves_the_base_url_is_refused() {
        for text in [
            "",
            "/",
            "//",
            "//host",
            "a//b",
            "a/",
            "..",
            "a/../b",
            "./a",
            "a/.",
            "a?b",
            "a#b",
            "a%2e%2e",
            "%2F",
            "a\\b",
            "a\nb",
            "a\0",
            "{x}",
            "a{person}",
            "{",
            "x}",
        ] {
            assert!(text.parse::<ApiPath>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn numbers_of_persons_are_not_shown() {
        let path: ApiPath = "inntekt/23079422568".parse().unwrap();
        assert_eq!(format!("{path:?}"), r#"ApiPath("inntekt/[redacted]")"#);
        let error = "23079422568/../x".parse::<ApiPath>().unwrap_err();
        assert!(!error.to_string().contains("23079422568"));
    }

    proptest! {
        #[test]
        fn every_path_that_is_read_stays_below_the_base(text in "[a-z./?#%\\\\{} æ\\x00]{0,12}") {
            if let Ok(path) = text.parse::<ApiPath>() {
                let segments = path.segments(None).unwrap_or_default();
                for segment in segments {
                    prop_assert!(!segment.is_empty() && segment != "." && segment != "..");
                    prop_assert!(!segment.contains(['?', '#', '%', '/', '\\']));
                }
                prop_assert_eq!(&*path.0, text.strip_prefix('/').unwrap_or(&text));
            }
        }
    }
}
