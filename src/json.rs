//! JSON that people and programs wrote, into types that refuse what they do not know.

mod personal;
pub(crate) mod unique;

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

pub use personal::PersonalJson;

use crate::person_id::without_numbers;

/// What is wrong with a text, and where.
pub(crate) enum Problem {
    /// It is no JSON object.
    Syntax {
        what: String,
        /// Counted from 1.
        line: Option<usize>,
    },
    /// A member is unknown, missing, or of another type or form.
    Member { path: String, what: String },
}

impl Problem {
    /// The problem in words; `subject` is what the text is, with its verb.
    pub(crate) fn told(&self, subject: &str) -> String {
        match self {
            Self::Syntax { what, line: None } => format!("{subject} no JSON object: {what}"),
            Self::Syntax {
                what,
                line: Some(line),
            } => format!("{subject} no JSON object: line {line}: {what}"),
            Self::Member { path, what } if NOWHERE.contains(&path.as_str()) => {
                format!("{subject} wrong: {what}")
            }
            Self::Member { path, what } => format!("{subject} wrong at \"{path}\": {what}"),
        }
    }
}

/// Paths of serde_path_to_error that are of no member.
const NOWHERE: [&str; 2] = [".", "?"];

/// The value of an object. What is wrong is said without repeating values, for they may
/// be secrets or persons'; nor numbers of 11 digits in names, which may be persons' too.
pub(crate) fn from_object<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    // serde would take an array of the values for an object.
    if !text.trim_start().starts_with('{') {
        return Err(Problem::Syntax {
            what: "it does not begin with {".to_owned(),
            line: None,
        });
    }
    let deserializer = &mut serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut *deserializer).map_err(|error| {
        let inner = error.inner();
        match inner.is_data() {
            true => Problem::Member {
                path: without_numbers(&error.path().to_string()),
                what: without_numbers(&without_value(&without_position(inner))),
            },
            false => syntax(inner),
        }
    })?;
    deserializer.end().map_err(|error| syntax(&error))?;
    Ok(value)
}

/// A value as text that is wiped when it is dropped. It is measured first, for a buffer that
/// grows leaves what it had behind.
pub(crate) fn to_wiped_text(value: &impl Serialize) -> serde_json::Result<Zeroizing<Vec<u8>>> {
    let mut length = Length(0);
    serde_json::to_writer(&mut length, value)?;
    let mut text = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *text, value)?;
    Ok(text)
}

struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// serde repeats a value that stands where another type should, or one of some texts.
pub(crate) fn without_value(problem: &str) -> String {
    if let Some(rest) = problem.strip_prefix("unknown variant `") {
        let listed = rest
            .rfind("`, expected ")
            .map_or("", |end| &rest[end + 1..]);
        return format!("unknown variant{listed}");
    }
    let is_about_value = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|start| Some((*start, problem.strip_prefix(start)?)));
    match is_about_value.and_then(|(start, rest)| Some((start, rest.rfind(", expected")?, rest))) {
        Some((start, expected, rest)) => {
            let kind = rest.split([' ', '`', '"', ',']).next().unwrap_or_default();
            let kind = if kind == "string" { "a text" } else { kind };
            format!("{start}{kind}{}", &rest[expected..])
        }
        None => problem.to_owned(),
    }
}

fn syntax(error: &serde_json::Error) -> Problem {
    Problem::Syntax {
        what: without_position(error),
        line: Some(error.line()),
    }
}

fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_in_names_are_not_repeated() {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Kind {
            One,
        }
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code)] // it is only read
        struct Input {
            #[serde(default)]
            by_name: BTreeMap<String, u8>,
            kind: Option<Kind>,
        }
        for (text, at, said) in [
            (
                r#"{"by_name":{"23079422568":"x"}}"#,
                "by_name.[redacted]",
                "a text",
            ),
            (r#"{"23079422568":1}"#, "[redacted]", "field `[redacted]`"),
            (
                r#"{"kind":"Kari"}"#,
                "kind",
                "unknown variant, expected `one`",
            ),
        ] {
            match from_object::<Input>(text) {
                Err(Problem::Member { path, what }) => {
                    assert_eq!(path, at);
                    assert!(what.contains(said), "{what}");
                }
                _ => panic!("{text}"),
            }
        }
    }

    #[test]
    fn text_about_persons_is_written_once() {
        let value = json!({ "persons": vec!["\u{e6}\n"; 500], "n": 1.5 });
        let text = to_wiped_text(&value).unwrap();
        assert_eq!(*text, serde_json::to_vec(&value).unwrap());
        assert_eq!(text.capacity(), text.len(), "it has not grown");
    }

    #[test]
    fn values_are_not_repeated() {
        for (said, shown) in [
            (
                "invalid type: integer `23079422568`, expected a string",
                "invalid type: integer, expected a string",
            ),
            (
                r#"invalid type: string "a, expected b", expected u32"#,
                "invalid type: a text, expected u32",
            ),
            (
                "invalid value: floating point `1.5`, expected u8",
                "invalid value: floating, expected u8",
            ),
            (
                "unknown variant `a`, expected `b`, expected `c` or `d`",
                "unknown variant, expected `c` or `d`",
            ),
            (
                "unknown variant `a`, expected one of `b`, `c`, `d`",
                "unknown variant, expected one of `b`, `c`, `d`",
            ),
            ("missing field `key`", "missing field `key`"),
        ] {
            assert_eq!(without_value(said), shown);
        }
    }
}
